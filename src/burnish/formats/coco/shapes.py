"""COCO's coordinates and the tables' columns: boxes, rings and keypoints as whole columns, and areas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.errors import DataError
from burnish.geometry import polygons, rle

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DECIMALS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14)
_AREA_TOLERANCE = 1e-9


def corners_of(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n, 4)` of x, y, width, height to x1, y1, x2, y2."""
    corners = boxes.copy()
    corners[:, 2:] += boxes[:, :2]
    return corners


def boxes_of(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n, 4)` of x1, y1, x2, y2 to x, y, width, height such that `corners_of` gives the same corners bit for bit wherever a width does.

    x1 + (x2 - x1) may miss x2 by the last bit. Of the widths near x2 - x1 the one with the fewest decimals that does not miss is
    taken, so that a number that came as 5.3 leaves as 5.3. One box in many thousands has none (x1 lies half way between two numbers
    of the size of x2, or is far below zero); it gets the nearest.
    """
    boxes = corners.copy()
    for side in (0, 1):
        boxes[:, side + 2] = _widths(corners[:, side], corners[:, side + 2])
    return boxes


def areas(annotations: pl.DataFrame) -> NDArray[np.float64]:
    """Area of each annotation as COCO's `area` has it, in square pixels: of the rings, of the mask, else of the box.

    Rings are summed by their size (the shoelace formula): COCO knows no holes.
    """
    width, height = (annotations["x2"] - annotations["x1"]), (annotations["y2"] - annotations["y1"])
    result = (width * height).abs().fill_null(0.0).to_numpy().copy()
    if "points" in annotations.columns:
        rings = annotations.with_row_index("at").filter((pl.col("kind") == "polygon") & pl.col("points").is_not_null())
        if len(rings):
            result[rings["at"].to_numpy()] = _ring_areas(rings)
    if "mask" in annotations.columns:
        masks = annotations.with_row_index("at").filter(pl.col("mask").is_not_null())
        for row, mask in masks.select("at", "mask").iter_rows():
            result[row] = _mask_area(mask, float(result[row]))
    return result


def differs(given: NDArray[np.float64], derived: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a declared area is not the derived one; the last digits do not count, and NaN means that none is declared."""
    return ~np.isnan(given) & (np.abs(given - derived) > _AREA_TOLERANCE * np.maximum(1.0, np.abs(derived)))


def _widths(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    plain = high - low
    chosen = np.full_like(plain, np.nan)
    exact = np.isnan(plain)
    near = (plain, np.nextafter(plain, np.inf), np.nextafter(plain, -np.inf))
    for decimals in _DECIMALS:
        exact = _take(np.round(plain, decimals), low, high, chosen, exact)
        if exact.all():
            return chosen
    for candidate in near:
        exact = _take(candidate, low, high, chosen, exact)
    return np.where(exact, chosen, plain)


def _take(
    candidate: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    chosen: NDArray[np.float64],
    done: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    fits = ~done & (low + candidate == high)
    chosen[fits] = candidate[fits]
    return done | fits


def _ring_areas(rows: pl.DataFrame) -> NDArray[np.float64]:
    alone = pl.concat_list((pl.col("points").list.len() // 2).cast(pl.Int32))
    parts = rows.select(pl.coalesce("parts", alone) if "parts" in rows.columns else alone).to_series()
    counts = parts.explode().to_numpy()
    each = np.abs(polygons.signed_areas(rows["points"].explode().to_numpy().reshape(-1, 2), counts.tolist()))
    owner = np.repeat(np.arange(rows.height), parts.list.len().to_numpy())
    return np.bincount(owner, weights=each, minlength=rows.height).astype(np.float64)


def _mask_area(mask: bytes, otherwise: float) -> float:
    try:
        return float(rle.area(rle.decompress(mask)))
    except DataError:
        return otherwise
