"""Repeating the files themselves: links or copies beside each picture and its labels, a record of them, and the way back."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from burnish.engine.files import explained_os_errors, write_text
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

How = Literal["hard", "symbolic", "copy"]

RECORD: Final = ".burnish-copies.json"
"""File in a folder of pictures that names the copies which balancing made there, and those of their labels."""

_LABELS: Final = {".txt", ".json", ".xml"}
_PICTURE_FOLDERS: Final = {"images", "jpegimages"}
_TWIN_FOLDERS: Final = ("labels", "masks", "annotations", "Annotations")
_NO_LINKS: Final = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES, *(getattr(errno, n) for n in ("ENOTSUP", "EOPNOTSUPP", "ENOSYS"))}
_NEXT: Final[dict[How, How]] = {"hard": "symbolic", "symbolic": "copy"}
_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Duplicated:
    """What was made.

    Attributes:
        pictures: Copies of pictures that were made.
        methods: How many files (labels too) were made as hard links, symbolic links or copies.
        removed: Files of an earlier run that were removed first.
    """

    pictures: int
    methods: Mapping[str, int]
    removed: int

    def __str__(self) -> str:
        told = ", ".join(f"{number:,} {'copies' if how == 'copy' else f'{how} links'}" for how, number in self.methods.items())
        earlier = f"; {self.removed:,} files of an earlier run were removed" if self.removed else ""
        return f"{self.pictures:,} pictures repeated as files ({told or 'nothing to do'}){earlier}"


def duplicate_files(root: Path, copies: Mapping[str, int], how: How = "hard") -> Duplicated:
    """Give each picture as many samples as it has copies: itself, and `<stem>_copy_<k>` for k from 1 to copies - 1.

    Labels and masks are repeated with it: files of its name beside it (.txt, .json, .xml), and in folders `labels`, `masks` or
    `annotations` that stand in place of `images` in its path. Copies of an earlier run in the same folders are removed first. Where a
    link cannot be made (another device, a file system without links), the next kind is taken.

    Args:
        root: Folder that paths count from.
        copies: Path of each picture, and how often it is to come; 1 leaves it as it is.
        how: Hard links, symbolic links or copies.

    Raises:
        DataError: A picture is missing, a copy would replace a foreign file, or the disk is full.
    """
    wanted = {path: number for path, number in copies.items() if number > 1}
    missing = [path for path in wanted if not (root / path).is_file()]
    if missing:
        shown = ", ".join(missing[:_LISTED]) + (" ..." if len(missing) > _LISTED else "")
        raise DataError(f"{len(missing)} of {len(wanted)} pictures to repeat are not there: {shown}. Nothing was changed.")
    removed = remove_copies(root, copies)
    planned = _planned(root, wanted)
    strangers = [str(copy) for pairs in planned.values() for _, copy in pairs if copy.exists() or copy.is_symlink()]
    if strangers:
        shown = ", ".join(strangers[:_LISTED])
        raise DataError(f"{len(strangers)} copies would replace files that are not ours: {shown}. Rename them. Nothing was made.")
    methods: Counter[str] = Counter()
    for folder, pairs in planned.items():
        names = sorted(os.path.relpath(copy, folder) for _, copy in pairs)
        # The record comes first: what a killed run has made can be undone.
        write_text(folder / RECORD, json.dumps({"made_by": "burnish balance", "files": names}, indent=0, ensure_ascii=False))
        for original, copy in pairs:
            with explained_os_errors(copy):
                how = _make(original, copy, how)
            methods[how] += 1
    return Duplicated(sum(wanted.values()) - len(wanted), dict(methods), removed)


def remove_copies(root: Path, paths: Iterable[str]) -> int:
    """Remove the copies that earlier runs made in the folders of some pictures, and their records; the number of files."""
    removed = 0
    for folder in _folders(root, paths):
        for copy in _recorded(folder):
            if copy.is_symlink() or copy.is_file():
                copy.unlink()
                removed += 1
        (folder / RECORD).unlink(missing_ok=True)
    return removed


def made_copies(root: Path, paths: Iterable[str]) -> list[str]:
    """Those of some paths that are copies which an earlier run made."""
    given = list(paths)
    made = {str(copy) for folder in _folders(root, given) for copy in _recorded(folder)}
    return [path for path in given if os.path.normpath(root / path) in made] if made else []


def _folders(root: Path, paths: Iterable[str]) -> list[Path]:
    """Folders of the pictures that have a record."""
    parents = dict.fromkeys(str(PurePosixPath(path).parent) for path in paths)
    return [root / parent for parent in parents if (root / parent / RECORD).is_file()]


def _recorded(folder: Path) -> list[Path]:
    try:
        names = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        return [Path(os.path.normpath(folder / str(name))) for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / RECORD} is no record of copies ({error}). Remove it, and the files named *_copy_* beside it."
        ) from error


def _planned(root: Path, wanted: Mapping[str, int]) -> dict[Path, list[tuple[Path, Path]]]:
    """For each folder of pictures, the files to make: original and copy."""
    planned: dict[Path, list[tuple[Path, Path]]] = {}
    listings: dict[Path, dict[str, list[Path]]] = {}
    for path, number in wanted.items():
        picture = root / path
        originals = [picture, *_twins(picture, root, listings)]
        pairs = planned.setdefault(picture.parent, [])
        for k in range(1, number):
            pairs += [(original, original.with_name(f"{original.stem}_copy_{k}{original.suffix}")) for original in originals]
    return planned


def _twins(picture: Path, root: Path, listings: dict[Path, dict[str, list[Path]]]) -> list[Path]:
    """Label and mask files that belong to a picture."""
    beside = [twin for twin in _listing(picture.parent, listings).get(picture.stem, ()) if twin.suffix.lower() in _LABELS]
    parts = picture.relative_to(root).parts
    at = next((i for i in range(len(parts) - 2, -1, -1) if parts[i].lower() in _PICTURE_FOLDERS), None)
    if at is None:
        return beside
    folders = {root.joinpath(*parts[:at], name, *parts[at + 1 : -1]) for name in _TWIN_FOLDERS}
    return beside + [twin for folder in sorted(folders) for twin in _listing(folder, listings).get(picture.stem, ())]


def _listing(folder: Path, listings: dict[Path, dict[str, list[Path]]]) -> dict[str, list[Path]]:
    """The files of a folder by their stem."""
    if folder not in listings:
        found: dict[str, list[Path]] = {}
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.is_file():
                found.setdefault(entry.stem, []).append(entry)
        listings[folder] = found
    return listings[folder]


def _make(original: Path, copy: Path, how: How) -> How:
    """Make one file in the wanted way, or the next one that the place allows; which one it was."""
    try:
        if how == "hard":
            copy.hardlink_to(original.resolve())
        elif how == "symbolic":
            copy.symlink_to(os.path.relpath(original.resolve(), copy.parent.resolve()))
        else:
            shutil.copy2(original, copy)
    except OSError as error:
        if how == "copy" or error.errno not in _NO_LINKS:
            raise
        return _make(original, copy, _NEXT[how])
    return how


def as_counts(paths: Sequence[str], copies: Iterable[int]) -> dict[str, int]:
    """Path of each picture to its copies."""
    return dict(zip(paths, map(int, copies), strict=True))
