"""Reading COCO: one JSON file, or all files of a folder brought together."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import polars as pl

from burnish.data import tables
from burnish.data.dataset import Dataset, make_dataset
from burnish.data.findings import findings_table, join_findings
from burnish.data.schema import ANNOTATIONS, CLASSES, EXTRAS
from burnish.engine.collector import collector_paused
from burnish.errors import DataError, FormatError
from burnish.formats.coco.annotations import Names, Placed, place_annotations
from burnish.formats.coco.categories import Gathered, gather_classes
from burnish.formats.coco.columns import Columns, annotation_columns
from burnish.formats.coco.layout import TASKS, Source, sources
from burnish.formats.coco.panoptic import is_panoptic, panoptic_rows
from burnish.formats.coco.pictures import FilePictures, gather_pictures, joined_tables
from burnish.formats.coco.records import annotation_rows, row_texts
from burnish.formats.coco.top import plain, read_tolerantly, read_top

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "coco"
_PARTS: Final = frozenset({"images", "annotations", "categories"})


class _File(NamedTuple):
    source: Source
    top: dict[str, Any]
    shown: str


def read(
    path: Path | str,
    *,
    pictures: Path | str | None = None,
    tasks: Sequence[str] | None = None,
    check_sizes: bool = True,
    reference: Path | str | None = None,
) -> Dataset:
    """Read a COCO file or folder.

    Args:
        path: A JSON file, or a folder with annotations/*.json, */_annotations.coco.json or *.json.
        pictures: The folder that file names are relative to; looked for where not given.
        tasks: Which files of a folder, by what their names begin with (instances, panoptic, captions, ...); all where not given.
        check_sizes: Whether to open the pictures, to compare their sizes with the declared ones.
        reference: The COCO file or folder that a list of results belongs to.

    Returns:
        The dataset. What a file says and cannot be meant is in its notes; fields without a column are in its extras.

    Raises:
        FormatError: No COCO file, no JSON, or a list of results without a reference.
        DataError: An unknown task.
    """
    path = Path(path)
    if unknown := set(tasks or ()) - set(TASKS):
        raise DataError(f"There is no task {sorted(unknown)} of COCO; known are {', '.join(TASKS)}.")
    root, found = sources(path)
    if reference is not None:
        if not path.is_file():
            raise FormatError("With a reference, this must be the file of results.", path=path)
        root, found = sources(Path(reference))
    folder = None if pictures is None else os.path.relpath(pictures, root)
    wanted = [source for source in found if tasks is None or source.task in tasks]
    with collector_paused():
        files = [_file(root, source) for source in wanted]
        results = None if reference is None else _results(path)
        return _dataset(root, files, results, (folder, check_sizes), path)


def _file(root: Path, source: Source) -> _File:
    top = read_top(source.path)
    if isinstance(top, list):
        advice = "This is a list of results without pictures and classes; name the dataset that it belongs to: reference=PATH."
        raise FormatError(advice, path=source.path)
    if "images" not in top:
        raise FormatError(f"It has no 'images'; found the keys {', '.join(top) or 'none'}.", path=source.path)
    return _File(source, top, source.path.relative_to(root).as_posix())


def _results(path: Path) -> list[Any]:
    top = read_top(path)
    if not isinstance(top, list):
        raise FormatError("With a reference, this must be a list of results: [{image_id, category_id, bbox, score}, ...].", path=path)
    return top


def _dataset(root: Path, files: list[_File], results: list[Any] | None, options: tuple[str | None, bool], path: Path) -> Dataset:
    classes = gather_classes([(file.shown, plain(file.top.get("categories"))) for file in files])
    parts = gather_pictures(root, [(file.source, file.top["images"]) for file in files], options[0])
    pictures = joined_tables(root, parts, check=options[1])
    sets = _lists_of_files(files, parts, classes) if results is None else [(results, _names_of_results(parts, classes, path))]
    placed: list[Placed] = []
    for undecoded, names in sets:
        given, columns = _decoded(undecoded, path if results is not None else files[len(placed)].source.path)
        placed.append(place_annotations(columns, names, [p.ids for p in placed], pictures.images, partial(row_texts, given)))
    return make_dataset(
        root,
        media=pictures.media,
        images=pictures.images,
        annotations=_joined([p.table for p in placed]),
        classes=tables.from_rows(CLASSES, classes.rows.values()),
        attributes=pl.concat([p.attributes for p in placed]) if placed else None,
        extras=_extras(files, classes, parts, placed),
        notes=join_findings(
            pictures.findings,
            findings_table([*classes.findings, *(row for part in parts for row in part.findings)]),
            *[p.findings for p in placed],
        ),
        origin={"format": NAME, "path": str(path)},
    )


def _decoded(given: Any, path: Path) -> tuple[Any, Columns]:
    """Annotations as columns; a file that is no strict JSON in their midst (it may hold NaN) is read again, tolerantly."""
    try:
        return given, annotation_columns(annotation_rows(given))
    except msgspec.DecodeError:
        top = read_tolerantly(path)
        again = top if isinstance(top, list) else top.get("annotations")
        return again, annotation_columns(annotation_rows(again))


def _joined(parts: list[pl.DataFrame]) -> pl.DataFrame | None:
    """One table; where only some rows say something of a column, the others have its default."""
    if not parts:
        return None
    whole = pl.concat(parts, how="diagonal")
    return whole.with_columns(pl.col(c.name).fill_null(c.default) for c in ANNOTATIONS if c.default is not None and c.name in whole.columns)


def _lists_of_files(files: list[_File], parts: list[FilePictures], classes: Gathered) -> list[tuple[Any, Names]]:
    """Each file's annotations, not yet decoded, and what its ids stand for."""
    lists = [_annotations(file, part) for file, part in zip(files, parts, strict=True)]
    names = [Names(part.ids, ids, file.shown) for file, part, ids in zip(files, parts, classes.ids, strict=True)]
    return list(zip(lists, names, strict=True))


def _annotations(file: _File, part: FilePictures) -> Any:
    given = file.top.get("annotations")
    if not is_panoptic(given):
        return given
    made = panoptic_rows(given, file.source.path, file.shown)
    part.findings.extend(made.findings)
    return made.rows


def _names_of_results(parts: list[FilePictures], classes: Gathered, path: Path) -> Names:
    pictures = {old: new for part in reversed(parts) for old, new in part.ids.items()}
    return Names(pictures, {old: new for each in reversed(classes.ids) for old, new in each.items()}, path.name)


def _extras(files: list[_File], classes: Gathered, parts: list[FilePictures], placed: list[Placed]) -> pl.DataFrame:
    of_files = {json.dumps(rest, ensure_ascii=False): None for file in files if (rest := _rest(file))}
    whole = pl.DataFrame({"row": [None] * len(of_files), "value": list(of_files)}, schema={"row": pl.Int64, "value": pl.String})
    of_classes = pl.DataFrame(
        [(number, json.dumps(fields, ensure_ascii=False)) for number, fields in classes.extras.items()],
        schema={"row": pl.Int64, "value": pl.String},
        orient="row",
    )
    found = {"dataset": [whole], "classes": [of_classes], "images": [p.extras for p in parts], "annotations": [p.extras for p in placed]}
    frames = [frame.lazy().select("row", "value", table=pl.lit(table)) for table, several in found.items() for frame in several]
    return tables.conform(EXTRAS, pl.concat(frames).with_columns(format=pl.lit(NAME)).collect())


def _rest(file: _File) -> dict[str, Any]:
    """The other keys at the top (info, licences), where they say anything."""
    rest = {key: plain(value) for key, value in file.top.items() if key not in _PARTS}
    return {key: value for key, value in rest.items() if value not in ({}, [], None)}
