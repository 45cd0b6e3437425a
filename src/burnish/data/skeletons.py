"""Skeletons whose elements are rows of their own, as in CVAT, and skeletons in one row, as in COCO."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.data.dataset import Dataset


def in_one_row(dataset: Dataset) -> Dataset:
    """Put the elements of each skeleton into its own row: points in the order of its class, and which of them are visible.

    An element that is outside counts as not labelled (0), an occluded one as hidden (1), any other as visible (2). What only
    an element can carry, such as attributes of its own, is lost, and so are their classes: this is for formats that know skeletons
    as rows of points.
    """
    wholes = dataset.annotations.filter((pl.col("kind") == "skeleton") & pl.col("points").is_null())
    elements = dataset.annotations.filter(pl.col("parent").is_in(wholes["id"].implode()))
    if elements.is_empty():
        classes = _without_elements(dataset, dataset.annotations)
        return dataset if classes.height == dataset.classes.height else dataset.with_tables(classes=classes)
    names = {row: json.loads(text)["points"] for row, text in dataset.classes.select("id", "skeleton").iter_rows() if text}
    own_names = {row: name.rpartition("/")[2] for row, name in dataset.class_names().items()}
    by_parent = elements.partition_by("parent", as_dict=True, maintain_order=True)
    rows = [_joined(row, by_parent, names, own_names) for row in wholes.select("id", "class").to_dicts()]
    schema = {"id": pl.Int64, "new_points": pl.List(pl.Float64), "new_visibility": pl.List(pl.UInt8), **dict.fromkeys(_BOX, pl.Float64)}
    joined = dataset.annotations.join(pl.DataFrame(rows, schema=schema), on="id", how="left", maintain_order="left")
    changed = joined.with_columns(
        points=pl.coalesce("new_points", "points"),
        visibility=pl.coalesce("new_visibility", "visibility"),
        **{name.removeprefix("new_"): pl.coalesce(name, name.removeprefix("new_")) for name in _BOX},
    )
    kept = changed.filter(~pl.col("id").is_in(elements["id"].implode())).drop("new_points", "new_visibility", *_BOX)
    attributes = dataset.attributes.filter(~pl.col("annotation").is_in(elements["id"].implode()))
    return dataset.with_tables(annotations=kept, attributes=attributes, classes=_without_elements(dataset, kept))


def _without_elements(dataset: Dataset, kept: pl.DataFrame) -> pl.DataFrame:
    """The classes without those of elements, which are points of a row now, unless something else has them."""
    told = dataset.classes.select("name", "skeleton").drop_nulls("skeleton").iter_rows()
    points = [f"{name}/{point}" for name, text in told for point in json.loads(text)["points"]]
    return dataset.classes.filter(~pl.col("name").is_in(points) | pl.col("id").is_in(kept["class"].unique().implode()))


_BOX = ("new_x1", "new_y1", "new_x2", "new_y2")


def _joined(
    row: Mapping[str, int], elements: Mapping[tuple[object, ...], pl.DataFrame], names: Mapping[int, Sequence[str]], own: Mapping[int, str]
) -> dict[str, object]:
    part = elements.get((row["id"],))
    if part is None:
        return {"id": row["id"]}
    told = {
        own[number]: (points, outside, occluded)
        for number, points, outside, occluded in part.select("class", "points", "outside", "occluded").iter_rows()
    }
    points: list[float] = []
    visibility: list[int] = []
    for name in names.get(row["class"], list(told)):
        place, outside, occluded = told.get(name, ([0.0, 0.0], True, False))
        points += place
        visibility.append(0 if outside else 1 if occluded else 2)
    seen = [(x, y) for x, y, v in zip(points[::2], points[1::2], visibility, strict=True) if v]
    box = (min(x for x, _ in seen), min(y for _, y in seen), max(x for x, _ in seen), max(y for _, y in seen)) if seen else (None,) * 4
    return {"id": row["id"], "new_points": points, "new_visibility": visibility, **dict(zip(_BOX, box, strict=True))}
