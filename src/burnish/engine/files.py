"""Whole files or none: what is written appears under its name only when it is complete."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.engine.leftovers import in_work, remove_left
from burnish.errors import BurnishError, DataError

if TYPE_CHECKING:
    from collections.abc import Generator

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_OTHER_FOLDER = "Choose another folder, or change its rights."
_REFUSALS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _OTHER_FOLDER),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST, errno.EISDIR), "A part of the path is a file where a folder is needed, or the reverse."),
    errno.EFBIG: "This place, or a limit of this session (ulimit -f), does not allow files of that size. Nothing is half written.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}
_RANDOM = 8
"""Letters that tempfile draws."""
_NUMBER_IN_TEXT = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")


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

    One that a killed process has left is removed by the next that makes the same target.

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
        start = f".{target.name[:100]}."
        remove_left(target.parent, f"{escape(start)}{'?' * _RANDOM}.part")
        temporary = Path(tempfile.mkdtemp(prefix=start, suffix=".part", dir=target.parent))
        temporary.chmod(0o755)
        with in_work(temporary):
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
    target = Path(path)
    # A file made by this very call has the usual rights and no other writer: half the system calls of `atomic_path`.
    temporary = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}.part")
    with explained_os_errors(target):
        try:
            try:
                stream = temporary.open("xb")
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                stream = temporary.open("xb")
            with stream:
                stream.write(data)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_text(path: Path | str, text: str) -> None:
    """Write a whole UTF-8 text file or nothing; line ends are written as they are in `text`.

    Raises:
        DataError: The disk is full or the folder cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def refuse_filled_folder(path: Path, *, force: bool = False) -> None:
    """Refuse a target folder that holds something already.

    Raises:
        DataError: It does, and `force` is not set; or the path is a file (of an archive: and `force` is not set).
    """
    if path.is_file() and path.suffix.lower() == ".zip":
        if not force:
            raise DataError(f"The archive {path} is there already. Name another one, or add --force to replace it.")
    elif path.is_file():
        raise DataError(f"{path} is a file; expected the name of a folder to write into.")
    if not force and path.is_dir() and any(path.iterdir()):
        raise DataError(f"The folder {path} is not empty, and nothing in it shall be lost. Name another one, or add --force to replace it.")


@contextmanager
def explained_os_errors(path: Path) -> Generator[None]:
    """Turn a full disk, a missing right or a place that cannot be written into one of our messages.

    Raises:
        DataError: The operating system refused.
    """
    try:
        yield
    except BurnishError:
        raise
    except Exception as error:
        text = refusal_text(error, path)
        if text is None:
            raise
        raise DataError(text) from error


def refusal_text(error: Exception, path: Path) -> str | None:
    """Why the operating system refused to write a path, and what to do; None for errors of another kind.

    Libraries wrap the system's error in their own (Polars, NumPy, XlsxWriter), so that its number must be read from the text.
    """
    number = _system_number(error)
    if number in _NO_SPACE:
        free = free_bytes(path) / 1e6
        return f"No space left to write {path} ({free:,.0f} MB free). Nothing is half written; free some space and run again."
    if number not in _REFUSALS:
        return None
    return f"{path} cannot be written: {os.strerror(number)}. {_REFUSALS[number]}"


def refuse_impossible_folder(path: Path) -> None:
    """Say before any work that a folder cannot be made or written.

    Raises:
        DataError: A part of the path is a file, or the place is read-only.
    """
    place = _existing(path)
    if not place.is_dir():
        raise DataError(f"{path} cannot be made, for {place} is a file. Choose another folder.")
    if not os.access(place, os.W_OK):
        raise DataError(f"{path} cannot be written: {place} is read-only here. {_REFUSALS[errno.EACCES]}")


def free_bytes(path: Path) -> int:
    """Free space, in bytes, where a path lies or will lie."""
    return shutil.disk_usage(_existing(path)).free


def _system_number(error: Exception) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _NUMBER_IN_TEXT.search(str(error))
    if found:
        return int(found[1] or found[2])
    return errno.ENOSPC if _SHORT_WRITE.search(str(error)) else None


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
