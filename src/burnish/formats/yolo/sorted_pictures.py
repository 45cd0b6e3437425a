"""YOLO's classification layout: SPLIT/CLASS/picture, or CLASS/picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from burnish.data.dataset import Dataset, make_dataset
from burnish.data.findings import finding, findings_table, join_findings
from burnish.engine.names import natural_key, original_name
from burnish.errors import FormatError
from burnish.formats.reading import class_table, list_pictures, picture_tables
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from pathlib import Path


def read_sorted(path: Path, form: str) -> Dataset:
    """Read pictures that lie in folders named as their classes.

    Raises:
        FormatError: There are no pictures.
    """
    names = list_pictures(path)
    if not names:
        raise FormatError("There are no pictures below this folder; expected SPLIT/CLASS/picture or CLASS/picture.", path=path)
    places = [_place(name) for name in names]
    pictures = picture_tables(path, names, columns={"split": [split for split, _ in places]})
    folders = {folder for _, folder in places if folder is not None}
    folders |= {split_and_class[1] for d in path.glob("*/*/") if (split_and_class := _place(d.relative_to(path).as_posix() + "/x"))[1]}
    classes = sorted((original_name(folder) for folder in folders if folder), key=natural_key)
    number = {name: index for index, name in enumerate(classes)}
    rows = [(i, number[original_name(folder)]) for i, (_, folder) in zip(pictures.images["id"], places, strict=True) if folder]
    loose = [
        finding("no_class", "The picture lies in no class's folder, so it has no label.", path=name, image=i)
        for name, i, (_, folder) in zip(names, pictures.images["id"], places, strict=True)
        if folder is None
    ]
    annotations = pl.DataFrame(rows, schema={"image": pl.Int64, "class": pl.Int32}, orient="row").with_columns(kind=pl.lit("tag"))
    return make_dataset(
        path,
        media=pictures.media,
        images=pictures.images,
        annotations=annotations.with_row_index("id", 1),
        classes=class_table(classes),
        notes=join_findings(pictures.findings, findings_table(loose)),
        origin={"format": form, "path": str(path)},
    )


def _place(name: str) -> tuple[str | None, str | None]:
    """Split and class folder of a path."""
    folders = name.split("/")[:-1]
    split = split_named(folders[0]) if folders else None
    inner = folders[1:] if split else folders
    return split, inner[0] if inner else None
