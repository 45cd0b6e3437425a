"""The decoded cache: every picture of a dataset decoded and scaled once, into one memory-mapped file that all workers share."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib.format import open_memmap

from burnish.engine.files import atomic_path, explained_os_errors, free_bytes
from burnish.engine.fingerprint import fingerprint
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, DataError
from burnish.media.images import cut_out, read_image, resize
from burnish.media.unreadable import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_VERSION: Final = 1  # change it whenever the same file would give other pixels
_WAITING, _READABLE, _UNREADABLE = 0, 1, 2
_SPARE_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a cache decodes: whole pictures, or one box of each; a picture with many boxes is kept while its neighbours need it."""

    paths: Sequence[Path]
    boxes: NDArray[np.float64] | None

    def read(self, index: int, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 of one part, scaled to a size.

        Raises:
            UnreadableImage: The picture cannot be read.
        """
        height, width = size
        if self.boxes is None:
            return read_image(self.paths[index], size=(height, width))
        return resize(cut_out(_lately_read(self.paths[index]), self.boxes[index]), (height, width))


@lru_cache(maxsize=8)
def _lately_read(path: Path) -> NDArray[np.uint8]:
    return read_image(path)


@dataclass(frozen=True, slots=True, eq=False)
class PictureCache:
    """Decoded pictures in the order of their paths.

    Attributes:
        pixels: (n, height, width, 3) uint8, RGB, read-only, mapped from disk: slicing reads only what is taken, and worker processes that
            are given the cache's folder share the same memory.
        readable: (n,) bool; an unreadable picture's pixels are zeros.
        reasons: n texts, why a picture is unreadable, or empty.
        folder: Where it lies.
        decoded: How many pictures were decoded by the call that gave this cache; 0 when all was there.
    """

    pixels: NDArray[np.uint8]
    readable: NDArray[np.bool_]
    reasons: tuple[str, ...]
    folder: Path
    decoded: int = 0

    def __len__(self) -> int:
        return len(self.readable)


def build_cache(
    paths: Sequence[Path],
    size: tuple[int, int],
    folder: Path | str,
    *,
    boxes: NDArray[np.float64] | None = None,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> PictureCache:
    """Decode pictures into a shared file, or take what an earlier call has decoded.

    The cache belongs to the exact list of paths with their times and sizes, and to the target size: any change gives another cache.
    A killed build leaves a valid part, and the same call continues it.

    Args:
        paths: Picture files.
        size: Height and width to scale to, without regard to proportions.
        folder: Where caches are kept; each has a folder of its own below.
        boxes: (n, 4) x1, y1, x2, y2 to cut out of each path's picture, with a little of what is beside it; None keeps pictures whole.
        engine: How many threads decode (decoders free the interpreter); one for each core when None.
        progress: Where to report.

    Raises:
        ConfigError: The size is not positive.
        DataError: There is too little space on the disk; nothing has been started then.
    """
    if min(size) < 1:
        raise ConfigError(f"the cache's size is {size[0]} x {size[1]}; expected a height and width of at least 1.")
    place = Path(folder) / cache_key(paths, size, boxes)
    if not paths:
        return PictureCache(np.zeros((0, *size, 3), np.uint8), np.zeros(0, np.bool_), (), place)
    shape = (len(paths), size[0], size[1], 3)
    if not (place / "state.npy").exists():
        _allocate(place, shape)
    state = open_memmap(place / "state.npy", mode="r+")
    decoded = _fill(place, state, Parts(paths, boxes), engine or Engine(), progress)
    return PictureCache(open_memmap(place / "pixels.npy", mode="r"), state == _READABLE, _reasons(place, state), place, decoded)


def cache_key(paths: Sequence[Path], size: tuple[int, int], boxes: NDArray[np.float64] | None = None) -> str:
    """Name of the cache of exactly these files, as they are now, at this size."""
    cut = b"" if boxes is None else np.ascontiguousarray(boxes).tobytes()
    stamps = {path: _stamp(path) for path in dict.fromkeys(paths)}
    return fingerprint(f"{_VERSION} {size[0]}x{size[1]}", cut, *(f"{path.absolute()}\0{stamps[path]}" for path in paths))


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return "missing"
    return f"{status.st_mtime_ns} {status.st_size}"


def _allocate(place: Path, shape: tuple[int, ...]) -> None:
    """Make both files; the state comes last, so that its presence says that the pixels' file is whole."""
    needed = math.prod(shape) + shape[0]
    free = free_bytes(place)
    if needed + _SPARE_BYTES > free:
        size = f"{shape[0]:,} pictures of {shape[1]} x {shape[2]}"
        raise DataError(
            f"The decoded cache of {size} needs {needed / 1e9:,.2f} GB, and {place.parent} has {free / 1e9:,.2f} GB free. "
            "Free some space, choose another work folder, or a smaller picture size."
        )
    _zeros(place / "pixels.npy", shape)
    _zeros(place / "state.npy", shape[:1])


def _zeros(path: Path, shape: tuple[int, ...]) -> None:
    with atomic_path(path) as temporary:
        open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        # A sparse file would end the process with a bus error, not with a message, when the disk fills up.
        if hasattr(os, "posix_fallocate"):
            with temporary.open("r+b") as stream, explained_os_errors(path):
                os.posix_fallocate(stream.fileno(), 0, temporary.stat().st_size)


def _fill(place: Path, state: np.memmap[Any, np.dtype[np.uint8]], parts: Parts, engine: Engine, progress: Progress) -> int:
    waiting = np.flatnonzero(state == _WAITING)
    if not len(waiting):
        return 0
    pixels = open_memmap(place / "pixels.npy", mode="r+")

    def decode(index: int) -> str:
        try:
            pixels[index] = parts.read(index, pixels.shape[1:3])
        except UnreadableImage as error:
            return error.reason
        return ""

    results = ordered_map(decode, waiting.tolist(), engine=engine, progress=progress, label="decoding pictures")
    with (place / "reasons.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("\n")  # a killed build may have left half a line
        for index, reason in zip(waiting, results, strict=True):
            if reason:
                stream.write(json.dumps({"index": int(index), "reason": reason}, ensure_ascii=False) + "\n")
                stream.flush()
            state[index] = _UNREADABLE if reason else _READABLE
    pixels.flush()
    state.flush()
    return len(waiting)


def _reasons(place: Path, state: NDArray[np.uint8]) -> tuple[str, ...]:
    reasons = [""] * len(state)
    for line in (place / "reasons.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # a line that a killed build left half written; its picture was decoded again
            continue
        reasons[entry["index"]] = entry["reason"] if state[entry["index"]] == _UNREADABLE else ""
    return tuple(reasons)
