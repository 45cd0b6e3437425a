"""From uploaded files to the frames of a task: which are media, in which order, which frames of a video."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from burnish.media.images import probe_image
from burnish.media.unreadable import UnreadableImage
from burnish.testing.cvat import films
from burnish.testing.cvat.records import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burnish.testing.cvat.records import Data

_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"})
_FILMS: Final = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})
_VIDEO_CHUNK: Final = 36
_PICTURE_CHUNK: Final = 72


def ordered(names: Sequence[str], method: str, order: Sequence[str]) -> list[str]:
    """File names in the order that `sorting_method` asks for: natural, predefined (as uploaded), or by character."""
    if method == "natural":
        return sorted(names, key=_natural)
    if method == "predefined" and order:
        place = {PurePath(name).name: number for number, name in enumerate(order)}
        return sorted(names, key=lambda name: place.get(name, len(place)))
    return sorted(names)


def describe(data: Data, files: Sequence[str], stop_frame: object, *, as_zip: bool) -> None:
    """Fill in what a task's data are: one video, or the pictures among the files.

    Args:
        data: Its `start_frame` and `frame_filter` are set; the rest is filled in.
        files: In the order of frames.
        stop_frame: The last source frame that is wanted, None for all.
        as_zip: Whether compressed chunks of a video are zips of pictures rather than videos.

    Raises:
        ValueError: There is neither a picture nor a video.
    """
    media = [name for name in files if PurePath(name).suffix.lower() in _PICTURES | _FILMS]
    if not media:
        message = "No media data found"
        raise ValueError(message)
    film = next((name for name in media if PurePath(name).suffix.lower() in _FILMS), None)
    data.original_chunk_type = "video" if film else "imageset"
    data.compressed_chunk_type = "video" if film and not as_zip else "imageset"
    sources = _film(data, film) if film else _pictures(data, media)
    kept = range(data.start_frame, min(int(str(stop_frame)), sources - 1) + 1 if stop_frame not in {None, ""} else sources, data.step)
    data.size, data.stop_frame = len(kept), kept[-1]
    data.frames = data.frames if film else [data.frames[number] for number in kept]
    usual = _VIDEO_CHUNK if film and not as_zip else _PICTURE_CHUNK
    data.chunk_size = data.chunk_size or usual


def _film(data: Data, name: str) -> int:
    film = films.probe(data.folder / name)
    data.frames = [Frame(name=name, width=film.width, height=film.height)]
    return film.length


def _pictures(data: Data, names: list[str]) -> int:
    data.frames = []
    for name in names:
        try:
            info = probe_image(data.folder / name)
        except UnreadableImage as error:
            message = f"cannot identify image file {name}"
            raise ValueError(message) from error
        data.frames.append(Frame(name=name, width=info.width, height=info.height))
    return len(names)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Numbers in names count as numbers: img_2 before img_10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
