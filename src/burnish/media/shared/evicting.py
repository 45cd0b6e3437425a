"""Room for a new cache: those beside it that nobody uses are removed, the least recently used first, and never more than is needed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from burnish.engine.locks import Presence, locked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burnish.engine.progress import Progress

MAKING: Final = "making.lock"
"""Lies in every cache, and nowhere else."""
PRESENCE: Final = "presence.lock"
"""Whoever uses a cache is present at this file."""
OPENING: Final = "opening.lock"
"""Beside caches: whoever opens one shares it, so that none vanishes while it is opened."""
_USED: Final = "used"
_BLOCK: Final = 512
_PATIENCE_S: Final = 10.0  # for those that are opening a cache at this moment


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache on the disk.

    Attributes:
        place: Its folder.
        nbytes: What it takes.
        used: When it was last opened, in seconds.
    """

    place: Path
    nbytes: int
    used: float


def mark_used(place: Path) -> None:
    """Note that a cache is opened now."""
    (place / _USED).touch()


def caches_beside(place: Path, further: Sequence[Path] = ()) -> list[Cache]:
    """The other caches in the folder of a cache, and in further folders, the least recently used first."""
    folders = dict.fromkeys(folder.absolute() for folder in (place.parent, *further))
    found = (one for folder in folders if folder.is_dir() for one in folder.iterdir() if (one / MAKING).is_file())
    caches = [Cache(one, _taken(one), _last_used(one)) for one in found if one != place.absolute()]
    return sorted(caches, key=lambda cache: cache.used)


def taken_beside(place: Path, further: Sequence[Path] = ()) -> int:
    """Bytes that the other caches take together."""
    return sum(cache.nbytes for cache in caches_beside(place, further))


def make_room(place: Path, wanted: Sequence[int], room: int, *, further: Sequence[Path] = (), progress: Progress) -> int:
    """Remove caches that nobody uses until there is room for a new one, and tell which.

    Args:
        place: The folder that the new cache will have.
        wanted: Bytes that would do, the best first. What there is no room for without all unused caches is passed over, and where that
            is so of all of them nothing is removed.
        room: Bytes that there are now.
        further: Further folders of caches.
        progress: Where to tell.

    Returns:
        Bytes that were freed.
    """
    if not wanted or room >= wanted[0]:
        return 0
    idle = [cache for cache in caches_beside(place, further) if _is_idle(cache)]
    freed = [0, *accumulate(cache.nbytes for cache in idle)]
    goal = next((size for size in wanted if size <= room + freed[-1]), None)
    if goal is None:
        return 0
    removed: list[Cache] = []
    for cache in idle:
        if room + sum(one.nbytes for one in removed) >= goal:
            break
        removed += [cache] if _removed(cache) else []
    if removed:
        size = sum(cache.nbytes for cache in removed) / 1e9
        listed = ", ".join(str(cache.place) for cache in removed)
        progress.say(f"Room for decoded pictures: {len(removed)} caches that nobody uses ({size:,.2f} GB) are removed: {listed}.")
    return sum(cache.nbytes for cache in removed)


def _is_idle(cache: Cache) -> bool:
    here = Presence(cache.place / PRESENCE)
    try:
        return here.alone()
    finally:
        here.leave()


def _removed(cache: Cache) -> bool:
    """Remove a cache unless somebody has come meanwhile."""
    with locked(cache.place.parent / OPENING, wait_s=_PATIENCE_S) as held:
        if not held or not _is_idle(cache):
            return False
        (cache.place / "state.npy").unlink(missing_ok=True)  # what a kill leaves of it is no cache any more
        shutil.rmtree(cache.place, ignore_errors=True)
        return not cache.place.exists()


def _taken(place: Path) -> int:
    return sum(path.stat().st_blocks * _BLOCK for path in place.rglob("*") if path.is_file())


def _last_used(place: Path) -> float:
    """Caches of before this was noted count by their state."""
    marks = [path.stat().st_mtime for path in (place / _USED, place / "state.npy", place) if path.exists()]
    return marks[0] if marks else 0.0
