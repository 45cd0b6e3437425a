"""The decoded cache: every picture of a dataset decoded and scaled once, into one memory-mapped file that all workers share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.engine.files import free_bytes
from burnish.engine.fingerprint import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, DataError
from burnish.media.images import cut_out, read_image, resize
from burnish.media.shared.budget import Budget
from burnish.media.shared.evicting import make_room, taken_beside
from burnish.media.shared.fields import Field
from burnish.media.shared.files import READY
from burnish.media.shared.rows import Recipe, fill_rows, open_rows, reasons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from burnish.engine.map import Engine

_VERSION: Final = 1  # change it whenever the same file would give other pixels
_SPARE_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a cache decodes: whole pictures, or one box of each; a picture with many boxes is kept while its neighbours need it."""

    paths: Sequence[Path]
    boxes: NDArray[np.float64] | None
    size: tuple[int, int]

    def make(self, index: int) -> dict[str, NDArray[np.uint8]]:
        """(height, width, 3) uint8 `pixels` of one part, scaled.

        Raises:
            UnreadableImage: The picture cannot be read.
        """
        if self.boxes is None:
            return {"pixels": read_image(self.paths[index], size=self.size)}
        return {"pixels": resize(cut_out(_lately_read(self.paths[index]), self.boxes[index]), self.size)}


@lru_cache(maxsize=8)
def _lately_read(path: Path) -> NDArray[np.uint8]:
    return read_image(path)


@dataclass(frozen=True, slots=True, eq=False)
class PictureCache:
    """Decoded pictures in the order of their paths.

    Attributes:
        pixels: (n, height, width, 3) uint8, RGB, read-only, mapped from disk: slicing reads only what is taken, and processes that open the
            same cache share the same memory.
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
    A killed build leaves a valid part, and the same call continues it. Several processes may call at once: they decode together, each
    picture once.

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
    disk = None if (place / "state.npy").exists() else _refuse_too_little_space(place, len(paths), size, progress)
    recipe = Recipe(paths, {"pixels": Field((*size, 3), is_picture=True)}, Parts(paths, boxes, size).make)
    rows = open_rows(recipe, place, Budget(disk, keeping="raw"))
    decoded = fill_rows(rows, engine=engine, progress=progress, label="decoding pictures")
    return PictureCache(rows.arrays["pixels"], rows.state == READY, reasons(rows), place, decoded)


def cache_key(paths: Sequence[Path], size: tuple[int, int], boxes: NDArray[np.float64] | None = None) -> str:
    """Name of the cache of exactly these files, as they are now, at this size."""
    cut = b"" if boxes is None else np.ascontiguousarray(boxes).tobytes()
    return fingerprint(f"{_VERSION} {size[0]}x{size[1]}", cut, *file_stamps(paths))


def file_stamps(paths: Sequence[Path]) -> Iterator[str]:
    """A text for each file that changes when the file does: its path, time and size."""
    stamps = {path: _stamp(path) for path in dict.fromkeys(paths)}
    return (f"{path.absolute()}\0{stamps[path]}" for path in paths)


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return "missing"
    return f"{status.st_mtime_ns} {status.st_size}"


def _refuse_too_little_space(place: Path, count: int, size: tuple[int, int], progress: Progress) -> int:
    """The space that caches may use; DataError where too little is left, also without those that nobody uses."""
    needed = count * (size[0] * size[1] * 3 + 1)
    make_room(place, [needed + _SPARE_BYTES], free_bytes(place), progress=progress)
    free = free_bytes(place)
    if needed + _SPARE_BYTES > free:
        raise DataError(
            f"The decoded cache of {count:,} pictures of {size[0]} x {size[1]} needs {needed / 1e9:,.2f} GB, and {place.parent} has "
            f"{free / 1e9:,.2f} GB free. Free some space, choose another work folder, or a smaller picture size."
        )
    return free - _SPARE_BYTES + taken_beside(place)
