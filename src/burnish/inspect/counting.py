"""Count shapes, pictures and tracks of each class, in all and in each part, in one pass over four columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset

_NEAR = 65_536
"""Class ids that lie nearer to one another than this are numbered by their distance, which is quickest."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often classes and pictures occur.

    Attributes:
        in_all: Columns class (null for shapes without one), pictures, shapes, tracks.
        parts: The same for each part, by its name.
        on_pictures: (p,) number of shapes on each picture of the dataset that has some.
    """

    in_all: pl.DataFrame
    parts: Mapping[str, pl.DataFrame]
    on_pictures: NDArray[np.int64]


def count_shapes(dataset: Dataset, by: str | None = None) -> Counts:
    """Count what is visible; elements of a skeleton are not counted beside it.

    Args:
        dataset: Whose annotations are counted.
        by: Column of `images` that names the parts.
    """
    tracked = "track" in dataset.frames["annotations"].collect_schema().names()
    rows = _visible(dataset, "image", "class", *(["track"] if tracked else []))
    on_image, images = _numbered(rows["image"])
    of_class, classes = _class_numbers(rows["class"])
    part_of, names = _parts(dataset, by, images)
    part = part_of[on_image]
    shapes = _table(part, of_class, len(names), len(classes))
    pictures = _table(*_on_pictures(on_image, of_class, part_of, len(classes)), len(names), len(classes))
    counted = [
        _class_rows(classes, p, s) for p, s in zip((pictures.sum(axis=0), *pictures[1:]), (shapes.sum(axis=0), *shapes[1:]), strict=True)
    ]
    placed = rows.lazy().with_columns(pl.Series("part", part)) if tracked else None
    in_all, *parts = (_with_tracks(table, placed, number or None) for number, table in enumerate(counted))
    known = images.is_in(dataset.scan("images", "id").collect()["id"].implode()).to_numpy()
    return Counts(in_all, dict(zip(names, parts, strict=True)), np.bincount(on_image, minlength=len(images))[known])


def _visible(dataset: Dataset, *columns: str) -> pl.DataFrame:
    rows = dataset.scan("annotations", *columns, "outside", "parent")
    visible = rows.filter(~pl.col("outside") & pl.col("parent").is_null()).select(columns)
    return visible.with_columns(pl.col("image").fill_null(-1)).collect(engine="streaming")


def _numbered(ids: pl.Series) -> tuple[NDArray[np.uint32], pl.Series]:
    """(n,) number of each row's picture from 0, and the pictures by their numbers. Most tables stand picture by picture."""
    if ids.is_sorted():
        return ids.rle_id().to_numpy(), ids.unique().sort()
    return (ids.rank("dense") - 1).to_numpy(), ids.unique().sort()


def _class_numbers(classes: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    """(n,) number of each row's class, 0 for none, and the classes by their numbers; some of these may not occur."""
    values = classes.drop_nulls().unique().sort().to_numpy().astype(np.int64)
    if len(values) and values[-1] - values[0] < _NEAR:
        values = np.arange(values[0], values[-1] + 1)
        numbers = (classes.cast(pl.Int64) - (int(values[0]) - 1)).fill_null(0).to_numpy()
    else:
        places = np.searchsorted(values, classes.fill_null(0).to_numpy()) + 1
        numbers = np.where(classes.is_null().to_numpy(), 0, places)
    return numbers, pl.Series([None, *values.tolist()], dtype=pl.Int32)


def _parts(dataset: Dataset, by: str | None, images: pl.Series) -> tuple[NDArray[np.int32], list[str]]:
    """(p,) number of each picture's part from 1, 0 for none, and the names of the parts in the order of their first picture."""
    part_of = np.zeros(len(images), dtype=np.int32)
    if by is None or len(dataset) == 0:
        return part_of, []
    table = dataset.scan("images", "id", by).collect()
    names = table[by].drop_nulls().unique(maintain_order=True).to_list()
    numbered = table[by].replace_strict(names, range(1, len(names) + 1), default=0, return_dtype=pl.Int32)
    placed = table.select("id", numbered.alias("part")).sort("id", maintain_order=True)
    known = placed["id"].to_numpy()
    at = np.minimum(np.searchsorted(known, images.to_numpy()), len(known) - 1)
    found = known[at] == images.to_numpy()
    part_of[found] = placed["part"].to_numpy()[at[found]]
    return part_of, names


def _on_pictures(
    on_image: NDArray[np.uint32], of_class: NDArray[np.int64], part_of: NDArray[np.int32], classes: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Part and class of each picture and class on it. Sorting packed pairs needs little memory, grouping them much."""
    bits = classes.bit_length()
    keys = on_image.astype(np.int64)
    keys <<= bits
    keys |= of_class
    keys.sort()
    if len(keys):
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    return part_of[keys >> bits], keys & ((1 << bits) - 1)


def _table(part: NDArray[np.int32], of_class: NDArray[np.int64], parts: int, classes: int) -> NDArray[np.int64]:
    """(parts + 1, classes) how often each part, 0 for none, and class come together."""
    cells = part * np.int64(classes)
    cells += of_class
    return np.bincount(cells, minlength=(parts + 1) * classes).reshape(parts + 1, classes)


def _class_rows(classes: pl.Series, pictures: NDArray[np.int64], shapes: NDArray[np.int64]) -> pl.DataFrame:
    numbers = {"pictures": pl.Series(pictures).cast(pl.UInt32), "shapes": pl.Series(shapes).cast(pl.UInt32)}
    return pl.DataFrame({"class": classes, **numbers}).filter(pl.col("shapes") > 0)


def _with_tracks(counted: pl.DataFrame, rows: pl.LazyFrame | None, part: int | None) -> pl.DataFrame:
    """Add the number of tracks in one part, or in all; a shape without one counts as an object of its own."""
    if rows is None:
        return counted.with_columns(pl.col("shapes").alias("tracks"))
    inside = rows if part is None else rows.filter(pl.col("part") == part)
    distinct = inside.group_by("class").agg((pl.col("track").drop_nulls().n_unique() + pl.col("track").null_count()).alias("tracks"))
    return counted.join(distinct.collect(engine="streaming"), on="class", how="left", nulls_equal=True, maintain_order="left")
