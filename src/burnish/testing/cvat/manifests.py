"""The list of frames that a backup carries beside its media."""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import TYPE_CHECKING

from burnish.testing.cvat import films

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Json
    from burnish.testing.cvat.records import Data


def manifest_lines(data: Data) -> list[Json]:
    """One JSON object a line: version, type, then each picture, or the video and its key frames."""
    if data.is_video:
        return [{"version": "1.1"}, {"type": "video"}, *_video(data)]
    pictures = [
        {"name": PurePath(each.name).stem, "extension": PurePath(each.name).suffix, "width": each.width, "height": each.height}
        for each in data.frames
    ]
    return [{"version": "1.1"}, {"type": "images"}, *pictures]


def _video(data: Data) -> list[Json]:
    film, path = data.frames[0], data.folder / data.frames[0].name
    keys = films.key_frames(path)
    pictures = films.read(path, [number for number, _ in keys])
    checksums = [hashlib.md5(pixels.tobytes(), usedforsecurity=False).hexdigest() for pixels in pictures]
    about = {"name": film.name, "resolution": [film.width, film.height], "length": films.probe(path).length, "chapters": []}
    lines = [{"number": number, "pts": time, "checksum": checksum} for (number, time), checksum in zip(keys, checksums, strict=True)]
    return [{"properties": about}, *lines]
