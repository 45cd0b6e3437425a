"""Locks between the processes of a machine, as files: a process that dies, however it dies, lets go of what it held.

They are `flock` locks, which the kernel keeps for an open file: nothing is left behind that somebody must clean away, and nothing is ever
stale. A lock excludes threads of one process from one another too, because each taking opens the file anew. Over NFS they hold between
machines where the server's locks work.
"""

from __future__ import annotations

import fcntl
import math
import os
import time
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from burnish.engine.files import explained_os_errors
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path


@contextmanager
def locked(path: Path, *, wait_s: float = math.inf) -> Generator[bool]:
    """Hold a lock while the block runs.

    Args:
        path: The lock's file; it is made, and stays.
        wait_s: Seconds to wait for the lock; 0 tries once. A process that is stopped, not dead, keeps what it holds.

    Yields:
        Whether the lock is held; always, when there is no end of waiting.

    Raises:
        DataError: The file cannot be made.
    """
    handle = _opened(path)
    try:
        yield _take_within(handle, wait_s)
    finally:
        # A child that was forked meanwhile has the open file too, so that closing it here would not free the lock.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


@contextmanager
def shared(path: Path) -> Generator[None]:
    """Share a lock with any number of others while the block runs; who wants it alone by `locked` waits.

    Raises:
        DataError: The file cannot be made.
    """
    handle = _opened(path)
    try:
        _take(handle, fcntl.LOCK_SH, wait=True)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


class Presence:
    """Tells others that somebody is here, for as long as the object lives; any number may be present."""

    def __init__(self, path: Path) -> None:
        self._handle = _opened(path)
        _take(self._handle, fcntl.LOCK_SH, wait=True)
        self.leave = weakref.finalize(self, os.close, self._handle)

    def alone(self) -> bool:
        """Whether nobody else is present at this moment."""
        if not _take(self._handle, fcntl.LOCK_EX, wait=False):
            # A failed change may lose the lock that was there.
            _take(self._handle, fcntl.LOCK_SH, wait=True)
            return False
        return _take(self._handle, fcntl.LOCK_SH, wait=True)


@dataclass(frozen=True, slots=True)
class Slots:
    """So many may do something at one time on this machine, whichever processes they are in.

    Attributes:
        folder: Where the slots' files are.
        count: How many there are.
    """

    folder: Path
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigError(f"There are {self.count} slots in {self.folder}; expected at least one.")


@contextmanager
def slot(slots: Slots) -> Generator[int]:
    """Hold one of the slots while the block runs, waiting for it if need be; gives its number.

    Raises:
        DataError: The slots' files cannot be made.
    """
    handle, number = _awaited_slot(slots)
    try:
        yield number
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


@contextmanager
def free_slots(slots: Slots, wanted: int) -> Generator[int]:
    """Hold as many slots as are free now, at most `wanted`, while the block runs; gives how many, possibly none."""
    held: list[int] = []
    try:
        while len(held) < wanted:
            found = _free_slot(slots)
            if found is None:
                break
            held.append(found[0])
        yield len(held)
    finally:
        for handle in held:
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


def _awaited_slot(slots: Slots) -> tuple[int, int]:
    pauses = _pauses()
    while (found := _free_slot(slots)) is None:
        # All are looked at again: waiting for one of them could mean waiting for a process that is stopped.
        time.sleep(next(pauses))
    return found


def _free_slot(slots: Slots) -> tuple[int, int] | None:
    """An open file and the number of a slot that was free."""
    for number in range(slots.count):
        handle = _opened(slots.folder / f"{number}.lock")
        if _take(handle, fcntl.LOCK_EX, wait=False):
            return handle, number
        os.close(handle)
    return None


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    with explained_os_errors(path):
        try:
            return os.open(path, flags, 0o666)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o666)


def _take_within(handle: int, wait_s: float) -> bool:
    if wait_s == math.inf:
        return _take(handle, fcntl.LOCK_EX, wait=True)
    end = time.monotonic() + wait_s
    for pause_s in _pauses():
        if _take(handle, fcntl.LOCK_EX, wait=False):
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(pause_s)
    return False


def _pauses() -> Iterator[float]:
    """Seconds between looks: short at first, for most locks are held for milliseconds."""
    return chain((0.0005, 0.001, 0.002), repeat(0.004))


def _take(handle: int, kind: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
