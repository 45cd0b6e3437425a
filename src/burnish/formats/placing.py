"""Putting picture files where a format wants them, byte for byte."""

from __future__ import annotations

import posixpath
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from burnish.data.findings import finding, findings_table
from burnish.data.sampled import PLAN
from burnish.errors import DataError
from burnish.formats.reading import is_outside
from burnish.formats.sample_manifest import write_manifest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from pathlib import Path

    from burnish.data.dataset import Dataset

HowPlaced: TypeAlias = Literal["copy", "link", "none"]
"""Copy the bytes, link (a hard link where the file system allows, else a symbolic one), or leave the pictures where they are."""


def target_paths(dataset: Dataset, *, below: str = "", by_split: bool = False, one_stem: bool = False) -> dict[int, str]:
    """Where each picture goes, by image id: its own path below a folder, made distinct where two would meet.

    Args:
        dataset: The dataset that is written.
        below: Folder, relative to the target, that all pictures go to. A path that already begins with it is not doubled.
        by_split: Whether a folder with the split's name follows; pictures without a split have none.
        one_stem: Whether two names in a folder must differ before the ending, as where labels lie in `stem.txt`.

    Returns:
        Image id -> relative path. A name that has to change has its ending doubled (a.png.png), or else gets `~2`, `~3`, ...
    """
    splits = dict(dataset.scan("images", "id", "split").collect().iter_rows())
    paths = dict(dataset.image_files().select("image", "path").iter_rows())
    wanted = {i: _wanted(p, below, (splits[i] or "") if by_split else "") for i, p in paths.items()}
    return distinct_paths(wanted, one_stem=one_stem)


def film_paths(dataset: Dataset, *, below: str = "") -> dict[int, str]:
    """Where each video or sequence goes as one file, by media id; as `target_paths` does for pictures."""
    films = dataset.scan("media", "id", "path", "kind").filter(pl.col("kind").cast(pl.String) != "image").select("id", "path").collect()
    return distinct_paths({number: _wanted(path, below, "") for number, path in films.iter_rows()})


def distinct_paths(wanted: Mapping[int, str], *, one_stem: bool = False) -> dict[int, str]:
    """Change paths that would meet, as in `target_paths`; the first keeps its name."""
    return _distinct(wanted, one_stem=one_stem)


def place_media(
    dataset: Dataset, folder: Path, targets: Mapping[int, str], how: HowPlaced = "copy", *, numbered: bool = False
) -> pl.DataFrame:
    """Put the pictures of a dataset into a folder, never over a file that is there; with samples comes their manifest.

    Args:
        dataset: Its `media` paths name the files.
        folder: The folder that is written.
        targets: Image id -> path relative to the folder; images that are not in it are not placed.
        how: Copied untouched, linked, or left.
        numbered: The format names pictures by their numbers, so that new names are no findings.

    Returns:
        Findings: "missing_file" for what is not there, "renamed" for each picture whose own path had to change.

    Raises:
        DataError: A target leads out of the folder, two pictures have the same target, or a file is already there.
    """
    _refuse_bad_targets(targets.values())
    files = dataset.image_files().select("image", "path", "kind").iter_rows()
    rows: list[dict[str, Any]] = []
    for image, path, kind in files:
        if image in targets:
            placed = _place(dataset.root, folder, (image, path, kind), targets[image], how)
            rows += (row for row in placed if not (numbered and row["kind"] == "renamed"))
    if PLAN in dataset.origin:
        write_manifest(folder, dataset.origin[PLAN], targets)
    return findings_table(rows)


def place_files(root: Path, folder: Path, targets: Mapping[str, str], how: HowPlaced = "copy") -> pl.DataFrame:
    """Put files of any kind into a folder, as `place_media` does; `targets` is path below the root -> path below the folder."""
    _refuse_bad_targets(targets.values())
    rows: list[dict[str, Any]] = []
    for path, target in targets.items():
        if how == "none":
            continue
        if (root / path).is_file():
            _put((root / path).absolute(), folder / target, how)
        else:
            rows.append(finding("missing_file", "There is no such file, so it is not in what was written.", path=path))
    return findings_table(rows)


def _wanted(path: str, below: str, split: str) -> str:
    """The path inside the folders of the format; folders that the path already begins with are not repeated."""
    prefix = posixpath.join(below, split) if split else below
    inner = path.lstrip("/") if not is_outside(path) else PurePosixPath(path).name
    for head in (prefix, below):
        if head and inner.startswith(head + "/"):
            inner = inner[len(head) + 1 :]
            break
    else:
        inner = inner.removeprefix(split + "/") if split else inner
    return posixpath.join(prefix, inner)


def _distinct(wanted: Mapping[int, str], *, one_stem: bool) -> dict[int, str]:
    taken: set[str] = set()
    given: dict[int, str] = {}
    for image, path in wanted.items():
        choice = next(p for p in _choices(path) if _key(p, one_stem=one_stem) not in taken)
        taken.add(_key(choice, one_stem=one_stem))
        given[image] = choice
    return given


def _key(path: str, *, one_stem: bool) -> str:
    """What must differ between two targets; names that differ in case only meet on many file systems."""
    return (posixpath.splitext(path)[0] if one_stem else path).casefold()


def _choices(path: str) -> Generator[str]:
    yield path
    stem, ending = posixpath.splitext(path)
    yield path + ending if ending else path + "~1"
    number = 2
    while True:
        yield f"{stem}~{number}{ending}"
        number += 1


def _refuse_bad_targets(targets: Iterable[str]) -> None:
    seen: set[str] = set()
    for target in targets:
        if is_outside(posixpath.normpath(target)):
            raise DataError(f"The target '{target}' leads out of the folder that is written.")
        if target in seen:
            raise DataError(f"Two pictures would be written to '{target}'; make the targets distinct.")
        seen.add(target)


def _place(root: Path, folder: Path, source: tuple[int, str, str], target: str, how: HowPlaced) -> Generator[dict[str, Any]]:
    image, path, kind = source
    if kind != "image":
        yield finding("not_carried", f"A frame of a {kind} has no file of its own to place.", path=path, image=image)
        return
    if not target.endswith(path.rpartition("/")[2]):
        reason = "Its name is taken by another picture, so it is written under a new one."
        yield finding("renamed", reason, is_issue=False, path=path, image=image, given=path, suggestion=target)
    if how == "none":
        return
    if not (root / path).is_file():
        yield finding("missing_file", "There is no such file, so it is not in what was written.", path=path, image=image)
        return
    _put((root / path).absolute(), folder / target, how)


def _put(source: Path, target: Path, how: HowPlaced) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() or target.is_symlink():
        raise DataError(f"{target} is already there and is not overwritten.")
    if how == "copy":
        shutil.copyfile(source, target)
        return
    try:
        target.hardlink_to(source.resolve())
    except OSError:
        target.symlink_to(source.resolve())
