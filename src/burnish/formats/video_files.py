"""What readers need of a video: its size and how many frames it has, where the part of burnish that opens videos is there."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.errors import BurnishError

if TYPE_CHECKING:
    from pathlib import Path

_ROOM = "burnish.media.video"


class VideoFacts(NamedTuple):
    """Columns of the media row of a video, and why there are none."""

    columns: dict[str, Any]
    frames: int
    reason: str = ""


def video_facts(path: Path) -> VideoFacts:
    """Width, height, rate and number of frames of a video; the reason where it cannot be opened here."""
    if find_spec(_ROOM) is None:
        return VideoFacts({}, 0, "This installation cannot open videos, so its frames are not counted.")
    room = import_module(_ROOM)
    try:
        info = room.probe_video(path)
    except (BurnishError, OSError, ImportError) as error:
        return VideoFacts({}, 0, f"The video cannot be opened: {error}")
    columns = {"width": info.width, "height": info.height, "fps": float(info.fps) or None, "frame_count": info.frames}
    return VideoFacts(columns, int(info.frames))
