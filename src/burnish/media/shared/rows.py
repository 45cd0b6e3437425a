"""Rows that all processes of a machine share.

Whoever needs a row that is not there makes it, under a lock of that row, and keeps it; whoever needs the same row meanwhile waits for it
and does not make it a second time. So several trainings that begin together fill the rows together, each row once, and the first epoch
already trains. Rows are called kept only after all of their bytes are in the file, so that nobody reads a half one, and a process that is
killed leaves its row to the next one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib.format import open_memmap

from burnish.engine.locks import Presence, Slots, locked, shared, slot
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.media.shared.budget import Budget, Choice, choose, room_for, sizes_wanted
from burnish.media.shared.evicting import MAKING, OPENING, PRESENCE, make_room, mark_used
from burnish.media.shared.fields import Field, refuse_other_arrays
from burnish.media.shared.files import (
    HOMELESS,
    READY,
    UNREADABLE,
    WAITING,
    add_reason,
    allocate,
    forget_what_a_crash_left,
    read_reasons,
    settle,
)
from burnish.media.shared.packs import Packs, as_packed, pack, unpack
from burnish.media.unreadable import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_LOCKS: Final = 64  # rows that are made at one time wait for one another by chance, once in so many
_PATIENCE_S: Final = 10.0  # then a row is made, and not kept, beside whoever has its lock: that process may be stopped


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How rows are made.

    Attributes:
        paths: The picture of each row; messages name it.
        fields: What a row consists of.
        make: Gives a row's arrays; raises UnreadableImage where there are none. It must be importable by name where worker processes read.
        slots: How many rows may be made at one time on this machine; None sets no limit.
    """

    paths: Sequence[Path]
    fields: Mapping[str, Field]
    make: Callable[[int], Mapping[str, NDArray[Any]]]
    slots: Slots | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SharedRows:
    """Rows, made when they are first read. Worker processes that are given them open the same files.

    Attributes:
        recipe: How rows are made.
        place: Their folder, which belongs to this recipe alone.
        choice: How they are kept.
        state: (n,) uint8, what `burnish.media.shared.files` calls it; empty where nothing is kept.
        arrays: What is mapped into memory, for reading; empty unless rows are kept as they are.
        writable: The same memory, for whoever makes rows: no transform can change the pictures of all others.
        packs: Where packed rows are.
        presence: Tells other processes that somebody uses the files.
    """

    recipe: Recipe
    place: Path
    choice: Choice
    state: NDArray[np.uint8]
    arrays: Mapping[str, NDArray[Any]]
    writable: Mapping[str, np.memmap[Any, Any]]
    packs: Packs | None
    presence: Presence | None

    def __len__(self) -> int:
        return len(self.recipe.paths)

    def __reduce__(self) -> tuple[Any, ...]:
        """Open the same files in another process."""
        return _reopened, (self.recipe, self.place, self.choice)


def open_rows(recipe: Recipe, place: Path, budget: Budget | None = None, *, progress: Progress = silent) -> SharedRows:
    """Open rows; their files are made by whoever comes first, who also chooses how they are kept.

    Where the disk has no room for them, other caches beside them that nobody uses are removed, the least recently used first.

    Args:
        recipe: How rows are made.
        place: A folder for exactly this recipe: its name must change with all that the arrays depend on.
        budget: What they may take; by default what there is.
        progress: Is told where they cannot be kept as they are, and what was removed for them.

    Raises:
        DataError: There is no room for what is asked for, rows are kept there in another way, or the folder cannot be written.
    """
    asked = budget or Budget()
    found = None if asked.keeping == "none" else _kept(place)
    if found is not None and asked.keeping not in {"auto", found.keeping}:
        told = f"{place} keeps its rows {found.keeping}, and {asked.keeping} is asked for."
        raise DataError(f"{told} Let the cache choose (auto), or delete that folder.")
    if found is None and asked.keeping != "none":
        wanted = sizes_wanted(recipe.fields, len(recipe.paths), asked)
        make_room(place, wanted, room_for(asked, place), further=asked.further, progress=progress)
    choice = found or choose(recipe.fields, len(recipe.paths), asked, place)
    if choice.note:
        progress.say(choice.note)
    if choice.keeping == "none":
        return _reopened(recipe, place, choice)
    with shared(place.parent / OPENING):
        if _kept(place) is None:
            with locked(place / MAKING):
                choice = _kept(place) or _made(recipe, place, choice)
        return _reopened(recipe, place, _kept(place) or choice)


def read_row(rows: SharedRows, row: int) -> Mapping[str, NDArray[Any]]:
    """A row's arrays, read-only where they are shared.

    Raises:
        UnreadableImage: The row's picture cannot be read.
        DataError: The recipe gave other arrays than it announced, or the disk is full.
    """
    if rows.choice.keeping == "none":
        return _make(rows, row)
    return _stored(rows, row) or _kept_row(rows, row)


def fill_rows(rows: SharedRows, *, engine: Engine | None = None, progress: Progress = silent, label: str = "") -> int:
    """Make all rows that are not there, together with whoever else does; returns how many this call made.

    Unreadable ones stop nothing. Where nothing is kept, nothing is done.
    """
    waiting: list[int] = np.flatnonzero(rows.state == WAITING).tolist()
    if not waiting:
        if len(rows.state):
            settle(rows.place, [*rows.writable.values()])  # a killed process may have kept the last row and no more
        return 0
    outcomes = list(ordered_map(partial(_filled, rows, wait_s=0.0), waiting, engine=engine, progress=progress, label=label))
    busy = [row for row, outcome in zip(waiting, outcomes, strict=True) if outcome is None]
    return sum(map(bool, outcomes)) + sum(bool(_filled(rows, row, wait_s=math.inf)) for row in busy)


def reasons(rows: SharedRows) -> tuple[str, ...]:
    """Why each row cannot be made; empty for those that can, and for those that nobody tried."""
    return read_reasons(rows.place, rows.state)


def _kept(place: Path) -> Choice | None:
    """How rows are kept here already; the state's file is the last that is made."""
    if not (place / "state.npy").exists():
        return None
    if not (place / "places.npy").exists():
        return Choice("raw")
    return Choice("packed", limit=int((place / "limit.txt").read_text(encoding="ascii")))


def _made(recipe: Recipe, place: Path, choice: Choice) -> Choice:
    count = len(recipe.paths)
    if choice.keeping == "raw":
        for name, kind in recipe.fields.items():
            allocate(place / f"{name}.npy", (count, *kind.shape), kind.dtype)
    else:
        (place / "limit.txt").write_text(str(choice.limit), encoding="ascii")
        allocate(place / "places.npy", (count, len(recipe.fields), 2), "int64")
    allocate(place / "state.npy", (count,))
    return choice


def _reopened(recipe: Recipe, place: Path, choice: Choice) -> SharedRows:
    if choice.keeping == "none":
        return SharedRows(recipe, place, choice, np.zeros(0, np.uint8), {}, {}, None, None)
    with locked(place / MAKING):  # one after another, so that the first is alone
        presence = Presence(place / PRESENCE)
        mark_used(place)
        forget_what_a_crash_left(place, alone=presence.alone())
    state = open_memmap(place / "state.npy", mode="r+")
    if choice.keeping == "packed":
        places = open_memmap(place / "places.npy", mode="r+")
        return SharedRows(recipe, place, choice, state, {}, {}, Packs(place, recipe.fields, places, choice.limit), presence)
    # Plain arrays over the maps: a part of a map is a map again, which costs more than a small picture.
    arrays = {name: np.asarray(open_memmap(place / f"{name}.npy", mode="r")) for name in recipe.fields}
    writable = {name: open_memmap(place / f"{name}.npy", mode="r+") for name in recipe.fields}
    return SharedRows(recipe, place, choice, state, arrays, writable, None, presence)


def _stored(rows: SharedRows, row: int) -> Mapping[str, NDArray[Any]] | None:
    """A row that is kept, None of one that must be made."""
    state = rows.state[row]
    if state == UNREADABLE:
        raise UnreadableImage(rows.recipe.paths[row], reasons(rows)[row])
    if state == HOMELESS:
        return _make(rows, row)
    if state != READY:
        return None
    return {name: array[row] for name, array in rows.arrays.items()} if rows.packs is None else unpack(rows.packs, row)


def _kept_row(rows: SharedRows, row: int) -> Mapping[str, NDArray[Any]]:
    with locked(_lock(rows, row), wait_s=_PATIENCE_S) as held:
        if not held:
            arrays = _make(rows, row)
            return arrays if rows.packs is None else as_packed(rows.packs, arrays)
        stored = _stored(rows, row)  # somebody may have made it while this one waited
        return stored if stored is not None else _make_and_keep(rows, row)


def _filled(rows: SharedRows, row: int, *, wait_s: float) -> bool | None:
    """Make a row if nobody has; whether this call did, None where somebody is at it and nobody waits."""
    if rows.state[row] != WAITING:
        return False
    with locked(_lock(rows, row), wait_s=wait_s) as held:
        if not held:
            return None
        if rows.state[row] != WAITING:
            return False
        try:
            _make_and_keep(rows, row)
        except UnreadableImage:
            return True
        return True


def _lock(rows: SharedRows, row: int) -> Path:
    return rows.place / "locks" / f"{row % _LOCKS}.lock"


def _make_and_keep(rows: SharedRows, row: int) -> Mapping[str, NDArray[Any]]:
    try:
        arrays = _make(rows, row)
    except UnreadableImage as error:
        add_reason(rows.place, row, error.reason)
        _mark(rows, row, UNREADABLE)
        raise
    if rows.packs is not None:
        has_room = pack(rows.packs, row, arrays)
        _mark(rows, row, READY if has_room else HOMELESS)
        return unpack(rows.packs, row) if has_room else arrays  # packing changes pixels: the first reader gets what all others get
    for name, array in arrays.items():
        rows.writable[name][row] = array
    _mark(rows, row, READY)
    return {name: array[row] for name, array in rows.arrays.items()}


def _mark(rows: SharedRows, row: int, state: int) -> None:
    """The last thing that is written of a row, between two locks' system calls, which no processor moves it across."""
    rows.state[row] = state
    if rows.state.all():
        settle(rows.place, [*rows.writable.values()])


def _make(rows: SharedRows, row: int) -> Mapping[str, NDArray[Any]]:
    recipe = rows.recipe
    if recipe.slots is None:
        arrays = recipe.make(row)
    else:
        with slot(recipe.slots):
            arrays = recipe.make(row)
    refuse_other_arrays(recipe.fields, arrays, row)
    return arrays
