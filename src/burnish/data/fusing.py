"""Shapes of one picture with the same group number, fused into one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.data.shown import with_annotations
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burnish.data.dataset import Dataset

_FUSED: Final = ("polygon", "mask")


def fuse_groups(dataset: Dataset) -> Dataset:
    """Join polygons of one picture, class and group into one polygon with several rings, and masks into their union.

    The first of the shapes keeps its id, track and attributes; scores give their mean. Other kinds stay as they are, and so does
    what has no group.
    """
    rows = dataset.annotations.with_columns(name=pl.col("kind").cast(pl.String))
    grouped = rows.filter((pl.col("group") > 0) & pl.col("name").is_in(_FUSED))
    sets = [part for part in grouped.partition_by("image", "class", "group", "name", maintain_order=True) if part.height > 1]
    if not sets:
        return dataset
    fused = {int(part["id"][0]): _fused(part) for part in sets}
    gone = [row for part in sets for row in part["id"].to_list()[1:]]
    kept = dataset.annotations.filter(~pl.col("id").is_in(gone))
    changed = pl.DataFrame(list(fused.values()), schema={name: kept.schema[name] for name in _CHANGED})
    merged = kept.update(changed, on="id", maintain_order="left")
    return with_annotations(dataset, merged)


_CHANGED: Final = ("id", "x1", "y1", "x2", "y2", "points", "parts", "mask", "score")


def _fused(part: pl.DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = {"id": part["id"][0], "score": part["score"].mean()}
    row |= {name: part[name].min() for name in ("x1", "y1")} | {name: part[name].max() for name in ("x2", "y2")}
    if part["name"][0] == "mask":
        runs = rle.union([rle.decompress(mask) for mask in part["mask"].to_list()])
        return {**row, "mask": rle.compress(np.asarray(runs)), "points": None, "parts": None}
    points: list[float] = []
    parts: list[int] = []
    for ring, counts in part.select("points", "parts").iter_rows():
        points += ring
        parts += _counts(ring, counts)
    return {**row, "points": points, "parts": parts, "mask": None}


def _counts(ring: Sequence[float], counts: Sequence[int] | None) -> list[int]:
    return list(counts) if counts else [len(ring) // 2]
