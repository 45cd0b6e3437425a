"""Videos: frames by number, exactly, and back into files.

Headers of video files lie: about the number of frames, about their distance, about where a picture can be decoded from. Here the
packets are counted, every frame is known by the packet that it came from, and a damaged one never shifts the others.
"""

from burnish.media.video.info import VideoInfo
from burnish.media.video.opening import SUFFIXES, UnreadableVideo
from burnish.media.video.pixels import to_jpeg, to_rgb
from burnish.media.video.reading import Decoded, Frame, Video, open_video, probe_video, reopen, unreadable_frames

__all__ = [
    "SUFFIXES",
    "Decoded",
    "Frame",
    "UnreadableVideo",
    "Video",
    "VideoInfo",
    "open_video",
    "probe_video",
    "reopen",
    "to_jpeg",
    "to_rgb",
    "unreadable_frames",
]
