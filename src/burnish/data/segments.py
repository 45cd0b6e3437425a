"""Segments that do not overlap: every pixel of a picture, or every labelled one, belongs to one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.data.fusing import fuse_groups
from burnish.data.shown import with_annotations
from burnish.data.windows import BOX
from burnish.geometry import masks, polygons, rasters, rle
from burnish.geometry.mask_sets import FitMasks

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Bools

_SEGMENTS: Final = ("mask", "polygon")


def fit_segments(dataset: Dataset, *, fill: bool = False, fuse: bool = False) -> Dataset:
    """Mend overlaps between the masks and polygons of each picture (`burnish.geometry.mask_sets.FitMasks`).

    Shapes that change become masks; those that nobody touches stay as they are, also as polygons. What has no pixel left goes.

    Args:
        dataset: Its pictures must have sizes; of others nothing is changed.
        fill: Also give pixels without an object to the nearest.
        fuse: First join shapes of one group and class (`burnish.data.fusing.fuse_groups`).
    """
    whole = fuse_groups(dataset) if fuse else dataset
    sizes = whole.images.select("width", "height", image="id")
    wanted = pl.col("kind").cast(pl.String).is_in(_SEGMENTS) & pl.col("width").is_not_null() & pl.col("height").is_not_null()
    segments = whole.annotations.join(sizes, on="image", how="left", maintain_order="left").filter(wanted & ~pl.col("outside"))
    changed: list[dict[str, Any]] = []
    empty: list[int] = []
    for part in segments.partition_by("image", maintain_order=True):
        rows = part.to_dicts()
        before = [_pixels(row) for row in rows]
        for row, old, new in zip(rows, before, FitMasks(fill=fill)(before), strict=True):
            if not new.any():
                empty.append(row["id"])
            elif not np.array_equal(old, new):
                changed.append(_as_mask(row["id"], new))
    return _replaced(whole, changed, empty)


def _pixels(row: dict[str, Any]) -> Bools:
    height, width = row["height"], row["width"]
    if row["kind"] == "polygon":
        return rasters.fill(polygons.from_flat(row["points"] or [], row["parts"]), height, width)
    return np.zeros((height, width), dtype=np.bool_) if row["mask"] is None else rle.decode(rle.decompress(row["mask"]), height, width)


def _as_mask(number: int, pixels: Bools) -> dict[str, Any]:
    corners = masks.box(pixels)[0].tolist()
    return {"id": number, "new_mask": rle.compress(rle.encode(pixels)), **{f"new_{n}": v for n, v in zip(BOX, corners, strict=True)}}


def _replaced(dataset: Dataset, changed: list[dict[str, Any]], empty: list[int]) -> Dataset:
    schema = {"id": pl.Int64, "new_mask": pl.Binary, **dict.fromkeys((f"new_{name}" for name in BOX), pl.Float64)}
    rows = dataset.annotations.join(pl.DataFrame(changed, schema=schema), on="id", how="left", maintain_order="left")
    is_new = pl.col("new_mask").is_not_null()
    kind = rows.schema["kind"]
    rows = rows.with_columns(
        pl.when(is_new).then(pl.lit("mask", dtype=kind)).otherwise("kind").alias("kind"),
        pl.when(is_new).then(None).otherwise("points").alias("points"),
        pl.when(is_new).then(None).otherwise("parts").alias("parts"),
        *(pl.coalesce(f"new_{name}", name).alias(name) for name in ("mask", *BOX)),
    )
    return with_annotations(dataset, rows.filter(~pl.col("id").is_in(empty)).select(dataset.annotations.columns))
