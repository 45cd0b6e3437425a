"""burnish's own dataset folder: Parquet tables, a manifest, and every version that ever was.

```
dataset/
  manifest.json                     the current version (a copy of one of versions/)
  versions/0001.json, 0002.json     every version
  tables/annotations-3fa9….parquet  tables by content, shared by the versions that have them
```
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data import tables
from burnish.data.dataset import Dataset
from burnish.data.findings import join_findings
from burnish.data.schema import FINDINGS, TABLES, empty
from burnish.data.versions import TableFile, Version, line_of_descent, version_from_text, version_text
from burnish.engine.files import explained_os_errors, write_text
from burnish.errors import DataError, FormatError
from burnish.formats.placing import HowPlaced, film_paths, place_files, place_media, target_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "burnish"
_NOTES: Final = "notes"


def recognise(path: Path) -> bool:
    """Whether a folder is a dataset of ours."""
    return (path / "manifest.json").is_file() and (path / "versions").is_dir()


def read(path: Path | str, *, version: int | None = None) -> Dataset:
    """Open a dataset folder, at its current or an earlier version; tables are read when they are asked for.

    Raises:
        FormatError: There is no such version, or a table's file is missing.
        DataError: The manifest is damaged or of a newer schema.
    """
    folder = Path(path)
    chosen = current(folder) if version is None else _version(folder, version)
    frames = {name: _scan(folder, chosen, name) for name in TABLES}
    notes = tables.conform(FINDINGS, _scan(folder, chosen, _NOTES).collect()) if _NOTES in chosen.tables else empty(FINDINGS)
    origin = {"format": NAME, "path": str(folder), "version": chosen.number, "first": dict(chosen.origin)}
    return Dataset(
        root=Path(os.path.normpath(folder / chosen.root)), frames=MappingProxyType(frames), notes=notes, origin=MappingProxyType(origin)
    )


def write(
    dataset: Dataset, folder: Path, *, media: HowPlaced = "none", verb: str = "convert", config: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    """Write a dataset as the first version of a new folder.

    Args:
        dataset: What to write; everything is carried.
        folder: An empty folder, or one that is not there.
        media: Whether the pictures are copied or linked into `media/`, or referenced where they lie.
        verb: What made the dataset.
        config: With which settings.

    Returns:
        Findings on pictures that are missing.

    Raises:
        DataError: The folder holds something, or the disk is full.
    """
    if media == "none":
        add_version(dataset, folder, verb=verb, config=config)
        return empty(FINDINGS)
    films, paths = film_paths(dataset, below="media"), dict(dataset.scan("media", "id", "path").collect().iter_rows())
    media_of = dict(dataset.scan("images", "id", "media").collect().iter_rows())
    targets = {image: path for image, path in target_paths(dataset, below="media").items() if media_of[image] not in films}
    findings = place_media(dataset, folder, targets, media)
    placed = place_files(dataset.root, folder, {paths[film]: target for film, target in films.items()}, media)
    moved = films | {media_of[image]: target for image, target in targets.items()}
    add_version(_moved(dataset, folder, moved), folder, verb=verb, config=config)
    return join_findings(findings, placed)


def add_version(dataset: Dataset, folder: Path | str, *, verb: str, config: Mapping[str, Any] | None = None) -> Version:
    """Write a dataset as the next version of a folder, which is made when it is not there; pictures are referenced, not copied.

    Raises:
        DataError: The folder holds something else, or the disk is full; the folder is then as it was.
    """
    target = Path(folder)
    if target.is_dir() and not recognise(target) and any(p for p in target.iterdir() if p.name != "media"):
        raise DataError(f"{target} is not empty and is no dataset of burnish. Name a new folder.")
    known = all_versions(target) if recognise(target) else {}
    number = max(known, default=0) + 1
    stored = {name: _store(target, name, tables.slim(TABLES[name], dataset.table(name))) for name in TABLES}
    stored[_NOTES] = _store(target, _NOTES, tables.slim(FINDINGS, dataset.notes))
    origin = dataset.origin.get("first", dataset.origin)
    version = Version(
        number=number,
        parent=current(target).number if known else None,
        verb=verb,
        config=dict(config or {}),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        root=_relative(dataset.root, target),
        origin={key: value for key, value in origin.items() if isinstance(value, str | int | float | bool | list | dict)},
        tables=stored,
    )
    write_text(target / "versions" / f"{number:04d}.json", version_text(version))
    write_text(target / "manifest.json", version_text(version))
    return version


def current(folder: Path) -> Version:
    """The version that a dataset folder stands at.

    Raises:
        FormatError: The folder is no dataset of ours.
        DataError: The manifest is damaged.
    """
    path = folder / "manifest.json"
    if not recognise(folder):
        raise FormatError("this folder is no dataset of burnish: it has no manifest.json and versions/.", path=folder)
    return version_from_text(path.read_text(encoding="utf-8"), str(path))


def all_versions(folder: Path) -> dict[int, Version]:
    """Every version of a dataset folder by number, also those that were undone."""
    paths = sorted((folder / "versions").glob("*.json"))
    versions = [version_from_text(path.read_text(encoding="utf-8"), str(path)) for path in paths]
    return {version.number: version for version in versions}


def ancestry(folder: Path) -> list[Version]:
    """The current version and its ancestors, the newest first."""
    return line_of_descent(all_versions(folder), current(folder).number)


def move_to(folder: Path, number: int) -> Version:
    """Make another version the current one; none is deleted.

    Raises:
        FormatError: There is no such version.
    """
    version = _version(folder, number)
    write_text(folder / "manifest.json", version_text(version))
    return version


def _moved(dataset: Dataset, folder: Path, targets: Mapping[int, str]) -> Dataset:
    """The same dataset with its root in the new folder and each file (by media id) under its new path."""
    media = dataset.media.with_columns(pl.col("id").replace_strict(targets, default=pl.col("path"), return_dtype=pl.String).alias("path"))
    return replace(dataset.with_tables(media=media), root=folder)


def _version(folder: Path, number: int) -> Version:
    versions = all_versions(folder)
    if number not in versions:
        known = ", ".join(str(n) for n in versions)
        raise FormatError(f"there is no version {number}; it has {known}.", path=folder)
    return versions[number]


def _scan(folder: Path, version: Version, name: str) -> pl.LazyFrame:
    entry = version.tables.get(name)
    if entry is None:
        return empty(TABLES[name]).lazy()
    path = folder / "tables" / entry.file
    if not path.is_file():
        raise FormatError(
            f"table '{name}' of version {version.number} is missing. Restore the file, or go back with: burnish undo", path=path
        )
    return pl.scan_parquet(path)


def _store(folder: Path, name: str, frame: pl.DataFrame) -> TableFile:
    """Write a table under the name of its content; a content that is there already is not written again."""
    place = folder / "tables"
    place.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=place)
    os.close(handle)
    with explained_os_errors(place):
        try:
            frame.write_parquet(temporary, compression="zstd", statistics=True)
            digest = _file_digest(Path(temporary))
            file = f"{name}-{digest[:16]}.parquet"
            Path(temporary).chmod(0o644)
            Path(temporary).replace(place / file)
        finally:
            Path(temporary).unlink(missing_ok=True)
    return TableFile(file=file, rows=frame.height, hash=digest)


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _relative(root: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(root.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive
        return root.absolute().as_posix()
