"""How rows are kept: as they are, packed, or not at all, by what the disk and the memory have room for."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from burnish.engine.files import free_bytes
from burnish.engine.memory import available_memory
from burnish.errors import ConfigError, DataError
from burnish.media.shared.evicting import taken_beside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.media.shared.fields import Field

Keeping: TypeAlias = Literal["raw", "packed", "none"]
"""`raw` keeps arrays as they are, in a file that is mapped into memory; `packed` keeps pictures as JPEG and the rest compressed; `none`
makes every row each time."""

QUALITY: Final = 95
"""Of packed pictures, of 100."""

_PICTURE_SHARE: Final = 0.25  # packed bytes of one byte: pictures of that quality took 0.10 to 0.22
_OTHER_SHARE: Final = 0.1
_ROW_BYTES: Final = 64  # places and states of a row
_RESERVE: Final = 2**30
_RESERVED_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Budget:
    """What rows may take.

    Attributes:
        disk: Bytes of all caches together; None takes what is free but for 5 % of the disk and 1 GiB, which stay free.
        memory: Bytes; raw rows that are larger would be read from the disk again in every epoch, so that packed ones are better. None takes
            what is available.
        keeping: How rows are kept; `auto` takes the first of raw, packed and none for which there is room.
        further: Folders of caches, beside that of the new one, of which those that nobody uses may be removed for it.
    """

    disk: int | None = None
    memory: int | None = None
    keeping: Literal["auto"] | Keeping = "auto"
    further: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("disk", self.disk), ("memory", self.memory)):
            if value is not None and value < 0:
                raise ConfigError(f"The budget's {name} is {value}; expected bytes, or None for what is free.")


@dataclass(frozen=True, slots=True)
class Choice:
    """How rows are kept.

    Attributes:
        keeping: How.
        note: What the user should know; empty where all is as good as it can be.
        limit: Bytes that packed rows may take together.
    """

    keeping: Keeping
    note: str = ""
    limit: int = 0


def choose(fields: Mapping[str, Field], rows: int, budget: Budget, folder: Path) -> Choice:
    """Choose how rows are kept.

    Raises:
        DataError: There is no room for what is asked for.
    """
    raw, packed = raw_bytes(fields, rows), packed_bytes(fields, rows)
    disk, memory = max(room_for(budget, folder), 0), _memory(budget)
    if budget.keeping == "none":
        return Choice("none")
    if budget.keeping != "auto":
        needed = raw if budget.keeping == "raw" else packed
        if needed > disk:
            raise DataError(
                f"The cache of {rows:,} pictures needs {_size(needed)} as {budget.keeping}, and {folder} has {_size(disk)} for it. "
                "Free some space, choose another folder or a smaller picture size, or let the cache choose (auto): "
                f"packed needs {_size(packed)}."
            )
        return Choice(budget.keeping, limit=disk)
    if raw <= min(disk, memory):
        return Choice("raw")
    lacking = f"{_size(raw)} as they are, and there are {_size(disk)} on the disk and {_size(memory)} in memory"
    if packed <= disk:
        return Choice("packed", f"The pictures need {lacking}: they are kept as JPEG of quality {QUALITY}, about {_size(packed)}.", disk)
    note = (
        f"The pictures need {lacking}: nothing is kept, every epoch decodes them again. Free some space in {folder}, choose another "
        "folder, a larger budget, or a smaller picture size."
    )
    return Choice("none", note)


def room_for(budget: Budget, folder: Path) -> int:
    """Bytes of the disk that a new cache in this folder may take; below zero where the others take more than they may already."""
    if budget.disk is None:
        return _spare(folder)
    return min(budget.disk - taken_beside(folder, budget.further), free_bytes(folder))


def sizes_wanted(fields: Mapping[str, Field], rows: int, budget: Budget) -> tuple[int, ...]:
    """Bytes of the ways to keep rows that the budget allows, the best first."""
    raw, packed = raw_bytes(fields, rows), packed_bytes(fields, rows)
    if budget.keeping == "auto":
        return (raw, packed) if raw <= _memory(budget) else (packed,)
    return {"raw": (raw,), "packed": (packed,), "none": ()}[budget.keeping]


def raw_bytes(fields: Mapping[str, Field], rows: int) -> int:
    """What rows take as they are."""
    return rows * (sum(field.nbytes for field in fields.values()) + 1)


def packed_bytes(fields: Mapping[str, Field], rows: int) -> int:
    """What packed rows will take, by experience; what is larger than that all the same is made each time."""
    shares = (field.nbytes * (_PICTURE_SHARE if field.is_picture else _OTHER_SHARE) for field in fields.values())
    return math.ceil(rows * (sum(shares) + _ROW_BYTES))


def _memory(budget: Budget) -> int:
    return available_memory() if budget.memory is None else budget.memory


def _spare(folder: Path) -> int:
    place = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    usage = shutil.disk_usage(place)
    return max(usage.free - max(_RESERVE, int(usage.total * _RESERVED_SHARE)), 0)


def _size(count: int) -> str:
    return f"{count / 1e9:,.2f} GB" if count >= 1e7 else f"{count / 1e6:,.2f} MB"  # noqa: PLR2004 - small numbers read better so
