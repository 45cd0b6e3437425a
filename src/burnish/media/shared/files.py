"""The files of shared rows: arrays that are mapped into memory, the state of each row, and why some have none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib.format import open_memmap

from burnish.engine.files import atomic_path, explained_os_errors, write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

WAITING, READY, UNREADABLE, HOMELESS = 0, 1, 2, 3
"""States of a row: not made; kept; cannot be made; made each time, because there was no room left."""

_SETTLED: Final = "settled"
_BOOT: Final = "boot"


def allocate(path: Path, shape: tuple[int, ...], dtype: str = "uint8") -> None:
    """Make a file of zeros that has all its space, under its name only when it is whole.

    Raises:
        DataError: The disk is full or the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        open_memmap(temporary, mode="w+", dtype=np.dtype(dtype), shape=shape)
        # A sparse file would end the process with a bus error, not with a message, when the disk fills up.
        if hasattr(os, "posix_fallocate"):
            with temporary.open("r+b") as stream, explained_os_errors(path):
                os.posix_fallocate(stream.fileno(), 0, temporary.stat().st_size)


def forget_what_a_crash_left(place: Path, *, alone: bool) -> None:
    """After a crash of the machine, rows may be called kept whose pixels never reached the disk: make them all again.

    A killed process does no such harm, because what it wrote is in the machine's memory. Nothing is done where all rows were written to the
    disk for certain, or where somebody else is at work with them: then the machine has not crashed.
    """
    if (place / _SETTLED).exists() or not alone:
        return
    boot = _boot()
    marked = place / _BOOT
    if marked.exists() and marked.read_text(encoding="utf-8") != boot:
        open_memmap(place / "state.npy", mode="r+")[:] = WAITING
        (place / "packs.bin").unlink(missing_ok=True)
    write_text(marked, boot)


def settle(place: Path, maps: list[np.memmap[Any, Any]]) -> None:
    """Write to the disk what is in memory, and say so, once."""
    if (place / _SETTLED).exists():
        return
    for array in maps:
        array.flush()
    write_text(place / _SETTLED, "")


def add_reason(place: Path, row: int, reason: str) -> None:
    """Keep why a row cannot be made."""
    # One write at the file's end is whole among several writers; a killed one may have left half a line before it.
    line = "\n" + json.dumps({"index": row, "reason": reason}, ensure_ascii=False) + "\n"
    with (place / "reasons.jsonl").open("ab", buffering=0) as stream:
        stream.write(line.encode())


def read_reasons(place: Path, state: NDArray[np.uint8]) -> tuple[str, ...]:
    """Why each row cannot be made; empty for those that can."""
    reasons = [""] * len(state)
    if not (place / "reasons.jsonl").exists():
        return tuple(reasons)
    for line in (place / "reasons.jsonl").read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # half written by what was killed; its row was made again
            continue
        reasons[entry["index"]] = entry["reason"] if state[entry["index"]] == UNREADABLE else ""
    return tuple(reasons)


def _boot() -> str:
    """Names the time since the machine was started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
