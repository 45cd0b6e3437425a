"""Which videos a path means: one file, or all videos below a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from burnish.engine.names import natural_key
from burnish.errors import DataError
from burnish.media.video import SUFFIXES

_PICTURES: Final = frozenset({".gif"})  # animations in folders of pictures are seldom meant


def list_videos(source: Path | str) -> list[Path]:
    """The videos that a path means, in natural order; hidden files and folders are passed over.

    Raises:
        DataError: There is nothing at the path, or no video below it.
    """
    path = Path(source)
    if path.is_file():
        return [path]
    if not path.exists():
        raise DataError(f"There is no file or folder {path}; expected a video, or a folder of videos.")
    found = [p for p in path.rglob("*") if _is_video(p.relative_to(path)) and p.is_file()]
    if not found:
        raise DataError(f"There is no video below {path}; looked for files ending in {', '.join(SUFFIXES)}.")
    return sorted(found, key=lambda p: natural_key(p.relative_to(path).as_posix()))


def result_names(source: Path, videos: list[Path]) -> dict[Path, Path]:
    """A relative path without ending for the results of each video; videos that differ only in their ending keep it."""
    relative = {video: Path(video.name) if video == source else video.relative_to(source) for video in videos}
    stems = [path.with_suffix("") for path in relative.values()]
    return {
        video: path.with_suffix("") if stems.count(path.with_suffix("")) == 1 else path.with_name(path.name.replace(".", "_"))
        for video, path in relative.items()
    }


def _is_video(relative: Path) -> bool:
    hidden = any(part.startswith(".") for part in relative.parts)
    return not hidden and relative.suffix.lower() in SUFFIXES and relative.suffix.lower() not in _PICTURES
