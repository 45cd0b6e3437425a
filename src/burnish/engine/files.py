"""Whole files or none: what is written appears under its name only when it is complete."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def atomic_path(path: Path | str) -> Generator[Path]:
    """Give a temporary path beside the target; when the block ends well it replaces the target, otherwise it is removed.

    Raises:
        DataError: The disk is full or the folder cannot be written; the target is as it was.
    """
    target = Path(path)
    with explained_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            _give_usual_rights(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path | str, *, force: bool = False) -> Generator[Path]:
    """Give a temporary folder beside the target; when the block ends well it becomes the target, otherwise it is removed.

    Args:
        path: The folder to make.
        force: Replace a folder that is there already.

    Raises:
        DataError: The target exists and holds something (unless `force`), or the disk is full.
    """
    target = Path(path)
    refuse_filled_folder(target, force=force)
    with explained_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent))
        temporary.chmod(0o755)
        try:
            yield temporary
            _swap_in(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a whole file or nothing.

    Raises:
        DataError: The disk is full or the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write a whole UTF-8 text file or nothing; line ends are written as they are in `text`.

    Raises:
        DataError: The disk is full or the folder cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def refuse_filled_folder(path: Path, *, force: bool = False) -> None:
    """Refuse a target folder that holds something already.

    Raises:
        DataError: It does, and `force` is not set; or the path is a file.
    """
    if path.is_file():
        raise DataError(f"{path} is a file; expected the name of a folder to write into.")
    if not force and path.is_dir() and any(path.iterdir()):
        raise DataError(f"The folder {path} is not empty, and nothing in it shall be lost. Name another one, or add --force to replace it.")


@contextmanager
def explained_os_errors(path: Path) -> Generator[None]:
    """Turn a full disk, a missing right or a read-only place into one of our messages.

    Raises:
        DataError: The operating system refused.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            free = shutil.disk_usage(_existing(path)).free
            message = f"No space left to write {path} ({free / 1e6:,.0f} MB free). Nothing is half written; free some space and run again."
            raise DataError(message) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise DataError(f"{path} cannot be written: {error.strerror}. Choose another folder, or change its rights.") from error
        raise


def free_bytes(path: Path) -> int:
    """Free space, in bytes, where a path lies or will lie."""
    return shutil.disk_usage(_existing(path)).free


def _existing(path: Path) -> Path:
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())


def _give_usual_rights(path: Path) -> None:
    """Temporary files are made private; a result gets the rights that any new file gets."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def _swap_in(temporary: Path, target: Path) -> None:
    if target.exists():
        old = temporary.with_name(temporary.name + ".old")
        target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old)
    else:
        temporary.rename(target)
