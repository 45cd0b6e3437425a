"""What kind of video a file is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.media.video.packets import decoded_from
from burnish.media.video.pixels import orientation_of

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.media.video.index import FrameIndex
    from burnish.media.video.opening import Opened

_JITTER: Final = 0.25  # of the usual distance of two frames; containers round times, so that small differences mean nothing


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What was found in a video file.

    Attributes:
        path: The file.
        width: Pixels across, as shown (after rotation).
        height: Pixels down, as shown.
        frames: Real number of frames.
        fps: Frames in a second, on average.
        seconds: Length, from the first frame to the end of the last.
        codec: FFmpeg's name of the coding, for instance h264.
        pixel_format: FFmpeg's name of the stored pixels, for instance yuv420p.
        rotation: Degrees, clockwise, by which the stored pictures are turned to be shown: 0, 90, 180 or 270.
        variable_rate: Whether frames follow one another at different distances.
        key_frames: Number of frames at which decoding can begin.
        announced: Number of frames that the header claims; None where it claims none.
        cut_short: Whether the end of the file is missing.
    """

    path: Path
    width: int
    height: int
    frames: int
    fps: float
    seconds: float
    codec: str
    pixel_format: str
    rotation: int
    variable_rate: bool
    key_frames: int
    announced: int | None
    cut_short: bool


def describe(opened: Opened, index: FrameIndex) -> VideoInfo:
    """What kind of video a numbered file is; decodes its first frame for size and rotation."""
    start = index.anchor(0)
    first = next(frame for _, frame in decoded_from(opened, index.packets, start) if frame is not None)
    orientation = orientation_of(first)
    width, height = (first.height, first.width) if orientation.swapped else (first.width, first.height)
    gaps = np.diff(index.seconds)
    usual = float(np.median(gaps)) if len(gaps) else 1 / float(opened.stream.guessed_rate or 25)
    length = float(index.seconds[-1]) + _last_duration(opened, index, usual)
    return VideoInfo(
        path=opened.path,
        width=width,
        height=height,
        frames=len(index),
        fps=round(len(index) / length, 6) if length else 0.0,
        seconds=length,
        codec=opened.stream.codec_context.codec.canonical_name,
        pixel_format=first.format.name,
        rotation=orientation.degrees,
        variable_rate=bool(len(gaps) and (np.abs(gaps - usual) > _JITTER * usual).any()),
        key_frames=len(index.key_numbers),
        announced=opened.stream.frames or None,
        cut_short=index.cut_short,
    )


def _last_duration(opened: Opened, index: FrameIndex, usual: float) -> float:
    ticks, base = int(index.packets.durations[index.ordinals[-1]]), opened.stream.time_base
    return ticks * float(base) if ticks and base is not None else usual
