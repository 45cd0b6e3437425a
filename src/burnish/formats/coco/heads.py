"""What every kind of COCO file begins with: its name, info, categories and pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.dataset import extra_fields
from burnish.engine.names import safe_name
from burnish.formats.coco.categories import category_of
from burnish.formats.coco.pictures import OWN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.dataset import Dataset

NAME: Final = "coco"


def split_file(task: str, split: str | None) -> str:
    """Name of the file of a task and split."""
    return f"{task}.json" if split is None else f"{task}_{safe_name(split)}.json"


def splits_of(dataset: Dataset) -> list[str | None]:
    """The splits that there are, in the order of their pictures; None for pictures without."""
    return dataset.images["split"].unique(maintain_order=True).to_list() or [None]


def top_fields(dataset: Dataset) -> dict[str, Any]:
    """What every file begins with: info, licences, categories."""
    extras = extra_fields(dataset, NAME, "classes")
    rows = dataset.classes.iter_rows(named=True)
    whole = dataset.extras.filter((pl.col("format") == NAME) & (pl.col("table") == "dataset"))["value"].to_list()
    merged = {key: value for text in reversed(whole) for key, value in json.loads(text).items()}
    return {"info": {}, "licenses": [], **merged, "categories": [category_of(row, extras.get(row["id"], {})) for row in rows]}


def picture_records(dataset: Dataset, images: pl.DataFrame, names: Mapping[int, str], split: str | None) -> list[dict[str, Any]]:
    """Records of some pictures; `split` is the one that the file's name tells already."""
    extras = extra_fields(dataset, NAME, "images")
    usual = {"split": split, "frame": 0, "true_frame": 0}
    rows: list[dict[str, Any]] = []
    for row in images.select("id", "width", "height", *OWN_COLUMNS).iter_rows(named=True):
        own = {name: row[name] for name in OWN_COLUMNS if row[name] != usual.get(name)}
        picture = {"id": row["id"], "file_name": names[row["id"]], "width": row["width"], "height": row["height"]}
        rows.append(picture | extras.get(row["id"], {}) | ({"burnish": own} if own else {}))
    return rows
