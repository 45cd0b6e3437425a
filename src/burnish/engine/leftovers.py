"""Unfinished folders that a killed process has left: found because nobody holds their lock any more, and removed by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_SURELY_LOCKED_S = 60
"""Between making a folder and locking it there is a moment, in which another process must not take it for left."""


@contextmanager
def in_work(folder: Path) -> Generator[None]:
    """Hold the lock of a folder while the block fills it, also where it gets another name meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        _take(handle)
        yield
    finally:
        # A child that was forked meanwhile has the open folder too, so that closing it here would not free the lock.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def remove_left(parent: Path, pattern: str) -> list[Path]:
    """Remove unfinished folders of a name in which nobody is at work.

    Args:
        parent: Where they are.
        pattern: Their names, as `Path.glob` takes them.

    Returns:
        What was removed.
    """
    left = [folder for folder in parent.glob(pattern) if folder.is_dir() and not folder.is_symlink() and _is_left(folder)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return left


def _is_left(folder: Path) -> bool:
    try:
        if time.time() - folder.stat().st_mtime < _SURELY_LOCKED_S:
            return False
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    """Lock if nobody else has; where the file system knows no locks nothing is ever taken for left."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
