"""Polygons and run-length masks of one file, as columns."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from burnish.errors import DataError
from burnish.formats.lists import list_column
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MIN_NUMBERS = 6


class Segmentations(NamedTuple):
    """What the segmentations of n annotations hold.

    Attributes:
        polygon: (n,) bool, rows whose rings are sound.
        masked: (n,) bool, rows whose run lengths are sound.
        bounds: (n, 4) float64 corners of the box around it; NaN where there is nothing.
        columns: points, parts and mask, those that occur.
        mask_sizes: Row -> width and height that its run lengths are for.
        bad: Row -> what is wrong with it.
    """

    polygon: NDArray[np.bool_]
    masked: NDArray[np.bool_]
    bounds: NDArray[np.float64]
    columns: dict[str, pl.Series]
    mask_sizes: dict[int, tuple[int, int]]
    bad: dict[int, str]


def segmentations(given: Sequence[Any], count: int) -> Segmentations:
    """Turn segmentations (lists of rings, run lengths, or nothing) into columns.

    Args:
        given: One entry an annotation; empty where the file has no such field.
        count: Number of annotations.
    """
    result = Segmentations(np.zeros(count, bool), np.zeros(count, bool), np.full((count, 4), np.nan), {}, {}, {})
    present = [row for row, value in enumerate(given) if value]
    rings = [row for row in present if isinstance(given[row], list)]
    lengths = {row: list(map(len, given[row])) for row in rings}
    result.bad.update({row: reason for row in rings if (reason := _why_bad(lengths[row]))})
    sound = [row for row in rings if row not in result.bad]
    if sound:
        _fill_polygons(result, [given[row] for row in sound], sound, [lengths[row] for row in sound])
    masks = [row for row in present if not isinstance(given[row], list)]
    if masks:
        _fill_masks(result, given, masks)
    for row in result.bad:
        result.bounds[row] = _bounds_of_bad(given[row])
    return result


def _why_bad(lengths: Sequence[int]) -> str:
    shortest = min(lengths)
    if shortest < _MIN_NUMBERS:
        return f"A ring of its polygon has {shortest // 2} points; three are needed."
    if any(length % 2 for length in lengths):
        return "A ring of its polygon has an odd number of coordinates."
    return ""


def _fill_polygons(result: Segmentations, rings: list[Any], rows: list[int], lengths: list[list[int]]) -> None:
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(rings)), dtype=np.float64)
    per_row = np.fromiter(map(sum, lengths), dtype=np.int64, count=len(rows))
    starts = (np.cumsum(per_row) - per_row) // 2
    points = flat.reshape(-1, 2)
    result.polygon[rows] = True
    result.bounds[rows] = np.hstack([np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)])
    sizes = np.zeros(len(result.polygon), dtype=np.int64)
    sizes[rows] = per_row
    result.columns["points"] = list_column(flat, sizes, pl.Float64)
    several = {row: each for row, each in zip(rows, lengths, strict=True) if len(each) > 1}
    if several:
        numbers = np.zeros(len(result.polygon), dtype=np.int64)
        numbers[list(several)] = [len(each) for each in several.values()]
        counts = np.fromiter(chain.from_iterable(several.values()), dtype=np.int64) // 2
        result.columns["parts"] = list_column(counts, numbers, pl.Int32)


def _fill_masks(result: Segmentations, given: Sequence[Any], rows: list[int]) -> None:
    masks: list[bytes | None] = [None] * len(result.masked)
    for row in rows:
        height, width = given[row].size
        try:
            runs = _runs(given[row].counts, height * width)
        except DataError as error:
            result.bad[row] = f"Its mask cannot be read: {error}"
            continue
        masks[row] = given[row].counts.encode() if isinstance(given[row].counts, str) else rle.compress(runs)
        result.masked[row] = True
        result.mask_sizes[row] = (width, height)
        bounds = rle.bounds(runs, height)
        result.bounds[row] = bounds[0] if len(bounds) else 0.0
    result.columns["mask"] = pl.Series(masks, dtype=pl.Binary)


def _runs(counts: str | list[int], pixels: int) -> NDArray[np.uint32]:
    runs = rle.decompress(counts) if isinstance(counts, str) else rle.as_counts(counts)
    total = int(runs.sum(dtype=np.int64))
    if total != pixels:
        raise DataError(f"its runs add up to {total} pixels; expected {pixels}.")
    return runs


def _bounds_of_bad(value: Any) -> NDArray[np.float64]:
    """The box around what can be taken for points, so that the object keeps a place in the picture."""
    numbers = [n for ring in value for n in ring[: len(ring) // 2 * 2]] if isinstance(value, list) else []
    if not numbers:
        return np.full(4, np.nan)
    points = np.asarray(numbers, dtype=np.float64).reshape(-1, 2)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
