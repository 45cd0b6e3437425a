"""Zip archives: unpacked safely, once, and packed again."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, TypeVar

from burnish.engine.files import atomic_folder, atomic_path, explained_os_errors, free_bytes, refuse_filled_folder
from burnish.engine.progress import Progress, silent
from burnish.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

T = TypeVar("T")

MOST_MEMBERS: Final = 5_000_000
MOST_RATIO: Final = 200
"""A member that unpacks to more than this many times its size, and to more than `SMALL`, is a bomb: pictures and JSON stay far below."""
SMALL: Final = 64 * 2**20
MOST_BYTES: Final = 2**40

_BLOCK: Final = 2**20
_COMPRESSED: Final = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".mp4", ".mkv", ".avi", ".mov", ".webm", ".zip")


def cache_folder(*parts: str) -> Path:
    """Where unpacked and downloaded things are kept for the user: `BURNISH_CACHE`, else below `XDG_CACHE_HOME` or ~/.cache."""
    told = os.environ.get("BURNISH_CACHE")
    home = Path(told) if told else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "burnish"
    return home.joinpath(*parts)


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, by its content."""
    return path.is_file() and zipfile.is_zipfile(path)


def member_names(path: Path) -> list[str]:
    """Names of the files in an archive, in its order.

    Raises:
        FormatError: The archive is damaged.
    """
    with _opened(path) as archive:
        return [info.filename for info in archive.infolist() if not info.is_dir()]


def read_member(path: Path, name: str, *, most: int = SMALL) -> bytes:
    """The bytes of one file in an archive.

    Raises:
        FormatError: It is not there, too large, or damaged.
    """
    with _opened(path) as archive:
        try:
            info = archive.getinfo(name)
        except KeyError as error:
            raise FormatError(f"the archive holds no {name}.", path=path) from error
        if info.file_size > most:
            raise FormatError(f"{name} in the archive is {info.file_size:,} bytes, more than the {most:,} that are read.", path=path)
        return _guarded(path, lambda: archive.read(info))


def member_head(path: Path, name: str, size: int) -> bytes:
    """The first bytes of one file in an archive.

    Raises:
        FormatError: It is not there, or damaged.
    """
    with _opened(path) as archive:
        try:
            info = archive.getinfo(name)
        except KeyError as error:
            raise FormatError(f"the archive holds no {name}.", path=path) from error
        return _guarded(path, lambda: _read_head(archive, info, size))


def unpacked(path: Path | str, *, progress: Progress = silent) -> Path:
    """Unpack an archive into the user's cache and return the folder; an archive that did not change is unpacked once.

    Raises:
        FormatError: The archive is damaged, a member leads out of the folder or is a link, or it would explode.
        DataError: The disk is full.
    """
    source = Path(path)
    state = source.stat()
    key = hashlib.blake2b(f"{source.resolve()}\n{state.st_size}\n{state.st_mtime_ns}".encode(), digest_size=16).hexdigest()
    target = cache_folder("unpacked", f"{source.stem[:60]}-{key}")
    if not target.is_dir():
        unpack(source, target, progress=progress)
    return target


def unpack(path: Path | str, folder: Path | str, *, progress: Progress = silent) -> None:
    """Unpack an archive into a new folder, which appears whole or not at all; raises as `unpacked`."""
    source = Path(path)
    with _opened(source) as archive:
        infos = archive.infolist()
        _refuse_bad(source, infos)
        total = sum(info.file_size for info in infos)
        if total > free_bytes(Path(folder)):
            raise FormatError(f"it unpacks to {total:,} bytes, and there are {free_bytes(Path(folder)):,} free.", path=source)
        with atomic_folder(folder) as temporary, progress.task("unpacking", len(infos)) as advance:
            for info in infos:
                _guarded(source, lambda info=info: _extract(archive, info, temporary))
                advance(1)


def pack(folder: Path | str, path: Path | str, *, stored: Sequence[str] = ()) -> None:
    """Pack a folder's files into an archive, in natural order and with fixed times, so that equal folders give equal archives.

    Args:
        folder: What to pack.
        path: The archive to write, whole or not at all.
        stored: Endings in lower case of files that are compressed already.
    """
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for file in _files(Path(folder)):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if file.suffix.lower() in stored else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with file.open("rb") as source, archive.open(info, "w", force_zip64=file.stat().st_size > 2**31) as target:
                shutil.copyfileobj(source, target, _BLOCK)


@contextmanager
def packed_folder(path: Path | str, *, force: bool = False) -> Generator[Path]:
    """Give a temporary folder beside the target; when the block ends well, what it holds becomes the archive.

    Args:
        path: The archive to make.
        force: Replace a file that is there already.

    Raises:
        DataError: The target exists (unless `force`), or the disk is full.
    """
    target = Path(path)
    refuse_filled_folder(target, force=force)
    with explained_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent) as temporary:
            yield Path(temporary)
            pack(temporary, target, stored=_COMPRESSED)


def _read_head(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    with archive.open(info) as stream:
        return stream.read(size)


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in sorted(names))


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FormatError(f"this is no readable zip archive: {error}. Download or export it again.", path=path) from error


def _guarded(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise FormatError(f"the archive is damaged or cut off: {error}. Download or export it again.", path=path) from error


def _refuse_bad(path: Path, infos: Sequence[zipfile.ZipInfo]) -> None:
    if len(infos) > MOST_MEMBERS:
        raise FormatError(f"it holds {len(infos):,} members, more than {MOST_MEMBERS:,}.", path=path)
    names: set[str] = set()
    total = 0
    for info in infos:
        name = info.filename.replace("\\", "/")
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or (len(name) > 1 and name[1] == ":"):
            raise FormatError(f"its member {info.filename!r} leads out of the folder; the archive is not unpacked.", path=path)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FormatError(f"its member {info.filename!r} is a link; the archive is not unpacked.", path=path)
        if name in names:
            raise FormatError(f"it holds {info.filename!r} twice; the archive is not unpacked.", path=path)
        names.add(name)
        total += info.file_size
        if info.file_size > SMALL and info.file_size > MOST_RATIO * max(info.compress_size, 1):
            raise FormatError(
                f"its member {info.filename!r} unpacks from {info.compress_size:,} to {info.file_size:,} bytes; "
                "the archive is not unpacked.",
                path=path,
            )
    packed = sum(info.compress_size for info in infos)
    if total > MOST_BYTES or (total > SMALL and total > MOST_RATIO * max(packed, 1)):
        raise FormatError(f"it unpacks from {packed:,} to {total:,} bytes; the archive is not unpacked.", path=path)


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / info.filename.replace("\\", "/")
    if info.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    left = info.file_size
    # What the directory says need not be true: no more is written than it told.
    with archive.open(info) as source, target.open("xb") as stream:
        while block := source.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile(f"{info.filename} is larger than the archive says")
            stream.write(block)
