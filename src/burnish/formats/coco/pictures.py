"""The pictures of several COCO files brought together: the same file is the same picture, whatever its ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson
import polars as pl

from burnish.data.findings import finding
from burnish.formats.coco.columns import extra_objects
from burnish.formats.coco.fields import identities, raw_lines, values
from burnish.formats.coco.identities import give_ids
from burnish.formats.coco.layout import picture_folder
from burnish.formats.coco.records import image_rows
from burnish.formats.reading import PictureTables, normal_paths, picture_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.formats.coco.layout import Source

OWN_COLUMNS = ("split", "subset", "scene", "frame", "true_frame", "hash")
"""Columns of the images table that COCO has no field for; ours go through the field "burnish"."""


class FilePictures(NamedTuple):
    """What one file adds.

    Attributes:
        paths: Of the pictures that no file before has, relative to the root.
        numbers: Their ids.
        sizes: Their sizes as declared.
        columns: Their further columns of the images table.
        ids: Picture id, as the file has it -> our id, for all pictures of the file.
        extras: Columns row and value of the new pictures, by our id.
        findings: On ids.
    """

    paths: list[str]
    numbers: NDArray[np.int64]
    sizes: list[tuple[int, int] | None]
    columns: dict[str, list[Any]]
    ids: dict[Any, int]
    extras: pl.DataFrame
    findings: list[dict[str, Any]]


def gather_pictures(root: Path, files: Sequence[tuple[Source, Any]], folder: str | None) -> list[FilePictures]:
    """The pictures of each file.

    Args:
        root: The dataset's folder.
        files: Source and the value of "images" of each.
        folder: Folder relative to the root that file names begin at; looked for where None.
    """
    parts: list[FilePictures] = []
    by_path: dict[str, int] = {}
    for file in files:
        part = _file_pictures(root, file, folder, by_path, [part.numbers for part in parts])
        by_path = dict(zip(part.paths, part.numbers.tolist(), strict=True)) | by_path
        parts.append(part)
    return parts


def joined_tables(root: Path, parts: Sequence[FilePictures], *, check: bool) -> PictureTables:
    """The `media` and `images` tables of all files."""
    paths = [path for part in parts for path in part.paths]
    sizes = [size for part in parts for size in part.sizes]
    numbers = np.concatenate([np.zeros(0, dtype=np.int64), *[part.numbers for part in parts]])
    names = {name for part in parts for name in part.columns}
    columns = {n: [v for part in parts for v in part.columns.get(n) or [_DEFAULTS.get(n)] * len(part.paths)] for n in sorted(names)}
    return picture_tables(root, paths, ids=numbers.tolist(), sizes=sizes, columns=columns, check=check)


_DEFAULTS: dict[str, Any] = {"frame": 0, "true_frame": 0}


def _file_pictures(
    root: Path, file: tuple[Source, Any], folder: str | None, by_path: Mapping[str, int], taken: Sequence[NDArray[np.int64]]
) -> FilePictures:
    source, rows = file[0], image_rows(file[1])
    names = normal_paths([name or "" for name in values(rows, "file_name")])
    prefix = picture_folder(root, source, names) if folder is None else folder
    paths = [name if name.startswith("/") else prefix + name for name in names] if prefix else names
    local = values(rows, "id")
    fresh = [row for row, path in enumerate(paths) if path not in by_path] if by_path else list(range(len(paths)))
    wanted = identities(rows, "id")
    given = give_ids(wanted.gather(fresh) if by_path else wanted, taken)
    final = dict(zip(fresh, given.ids.tolist(), strict=True))
    ours = [final[row] if row in final else by_path[path] for row, path in enumerate(paths)] if by_path else given.ids.tolist()
    ids = dict(zip(reversed(local), reversed(ours), strict=True))
    wide, high = values(rows, "width"), values(rows, "height")
    kept = extra_objects(raw_lines(rows), {"source_id": _source_ids(wanted)})
    shown = source.path.relative_to(root).as_posix()
    return FilePictures(
        paths=[paths[row] for row in fresh] if by_path else paths,
        numbers=given.ids,
        sizes=[(wide[row], high[row]) if wide[row] and high[row] else None for row in fresh],
        columns=_columns(source, values(rows, "burnish"), fresh),
        ids=ids,
        extras=_renumbered(kept, fresh, given.ids) if by_path else kept.with_columns(row=pl.Series(given.ids[kept["row"].to_numpy()])),
        findings=[
            *_id_findings(shown, fresh, local, given.repeated, given.ids),
            *renumbered_finding(shown, "picture", given.renumbered),
            *[finding("odd_value", "; ".join(said), path=shown, image=final.get(row)) for row, said in rows.odd.items()],
        ],
    )


def _renumbered(extras: pl.DataFrame, fresh: Sequence[int], ids: NDArray[np.int64]) -> pl.DataFrame:
    """Extras of the new pictures alone, by our ids."""
    numbered = pl.DataFrame({"row": pl.Series(fresh, dtype=pl.Int64), "id": ids})
    return extras.join(numbered, on="row", maintain_order="left").select(row="id", value="value")


def renumbered_finding(shown: str, what: str, count: int) -> list[dict[str, Any]]:
    """One finding for all ids of a file that another file has too, or that are no integers."""
    if not count:
        return []
    return [
        finding(
            "renumbered", f"{count} {what} ids are no integers, or taken by another file: they have new ones.", is_issue=False, path=shown
        )
    ]


def _id_findings(
    shown: str, fresh: Sequence[int], local: Sequence[Any], repeated: NDArray[np.bool_], ids: NDArray[np.int64]
) -> list[dict[str, Any]]:
    reason = "The picture id stands in the file before: this picture has a new one, and annotations stay with the first."
    return [
        finding("duplicate_id", reason, path=shown, image=int(ids[at]), given=str(local[fresh[at]]), suggestion=str(ids[at]))
        for at in np.flatnonzero(repeated).tolist()
    ]


def _source_ids(wanted: pl.Series) -> pl.Series | None:
    """Text ids as JSON texts; integers are kept as ids, and need no place among the extras."""
    if wanted.dtype != pl.String:
        return None
    return pl.Series([None if v is None else orjson.dumps(v).decode() for v in wanted.to_list()], dtype=pl.String)


def _columns(source: Source, own: list[Any], fresh: Sequence[int]) -> dict[str, list[Any]]:
    given: dict[str, Any] = {"split": source.split, "subset": source.subset}
    columns: dict[str, list[Any]] = {n: [given[n]] * len(fresh) for n in given if given[n] is not None}
    told = [own[row] or {} for row in fresh] if any(own) else []
    for name in OWN_COLUMNS:
        if any(name in fields for fields in told):
            default = given.get(name, _DEFAULTS.get(name))
            columns[name] = [fields.get(name, default) for fields in told]
    return columns
