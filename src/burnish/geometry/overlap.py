"""How much things overlap: matrices over every pair, and the few pairs over a threshold of very many.

A measure says what the common area is divided by:

- `iou`: the area of the union (Jaccard);
- `dice`: the mean of both areas;
- `smaller`: the smaller area (the overlap coefficient of Szymkiewicz and Simpson);
- `first`: the area of the first (COCO's rule against crowd regions: a detection inside a crowd is no false alarm).

Values lie from 0 to 1. Where the divisor is zero, as for two empty things, the value is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from burnish.errors import DataError
from burnish.geometry import boxes as upright
from burnish.geometry import masks, rle, rotated
from burnish.geometry.arrays import as_boxes, as_rotated, require_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats, Ints

Measure: TypeAlias = Literal["iou", "dice", "smaller", "first"]

# Elements of one temporary matrix: 2 million doubles are 16 MB, and a handful of them are alive at once.
_BLOCK = 2_000_000
# A rotated pair needs about this many numbers while it is computed.
_ROTATED_COST = 400


def box_overlaps(first: ArrayLike, second: ArrayLike, *, measure: Measure = "iou", crowd: ArrayLike | None = None) -> Floats:
    """Return the overlaps `(n, m)` of boxes `(n, 4)` with boxes `(m, 4)`.

    The result takes `8 * n * m` bytes (3 GB for 20,000 by 20,000: see `box_pairs`); what is needed beside it stays under 200 MB.

    Args:
        first: `(n, 4)`.
        second: `(m, 4)`.
        measure: What the common area is divided by.
        crowd: `(m,)` booleans; columns that are True are measured as `first`.

    Raises:
        DataError: An array has the wrong shape or holds NaN or infinity.
    """
    one, two = _finite_boxes(first, "first"), _finite_boxes(second, "second")
    divide = _divider(upright.area(two), measure, crowd)
    areas, values = upright.area(one), np.empty((len(one), len(two)))
    for rows in _blocks(len(one), len(two)):
        values[rows] = divide(_common(one[rows], two), areas[rows])
    return values


def box_giou(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the generalised IoU `(n, m)`, from -1 to 1: IoU less the share of the hull that neither covers (Rezatofighi et al., 2019)."""
    one, two = _finite_boxes(first, "first"), _finite_boxes(second, "second")
    areas, others = upright.area(one), upright.area(two)
    divide = _divider(others, "iou", None)
    values = np.empty((len(one), len(two)))
    for rows in _blocks(len(one), len(two)):
        common = _common(one[rows], two)
        union = areas[rows, None] + others - common
        hulls = _hulls(one[rows], two)
        values[rows] = divide(common, areas[rows]) - _ratio(np.maximum(hulls - union, 0.0), hulls)
    return values


def box_pairs(first: ArrayLike, second: ArrayLike, *, above: float = 0.0, measure: Measure = "iou") -> tuple[Ints, Ints, Floats]:
    """Return only the pairs that overlap more than `above`: rows of `first` `(k,)`, rows of `second` `(k,)`, values `(k,)`.

    Pairs come in the order of `first`, then of `second`. Boxes are swept from left to right, so that memory follows the number of
    pairs found, not `n * m`.

    Raises:
        DataError: An array has the wrong shape, holds NaN or infinity, or `above` is negative (each pair would count).
    """
    if not above >= 0:
        raise DataError(f"above: found {above}, expected 0 or more: pairs that do not meet are not listed.")
    one, two = _finite_boxes(first, "first"), _finite_boxes(second, "second")
    found = list(_sweep(one, two, above, measure))
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *[row for row, _, _ in found]])
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *[column for _, column, _ in found]])
    values = np.concatenate([np.zeros(0), *[value for _, _, value in found]])
    order = np.lexsort([columns, rows])
    return rows[order], columns[order], values[order]


def rotated_overlaps(first: ArrayLike, second: ArrayLike, *, measure: Measure = "iou") -> Floats:
    """Return the overlaps `(n, m)` of rotated boxes `(n, 5)` with `(m, 5)`, exact; only pairs whose upright bounds meet are computed.

    Raises:
        DataError: An array has the wrong shape or holds NaN or infinity.
    """
    one, two = as_rotated(first, "first"), as_rotated(second, "second")
    require_finite(one, "first")
    require_finite(two, "second")
    rows, columns, _ = box_pairs(rotated.bounds(one), rotated.bounds(two), measure="smaller")
    common = np.zeros((len(one), len(two)))
    for pairs in _blocks(len(rows), _ROTATED_COST):
        common[rows[pairs], columns[pairs]] = rotated.intersection_areas(one[rows[pairs]], two[columns[pairs]])
    areas, others = (np.prod(np.maximum(boxes[:, 2:4], 0.0), axis=1) for boxes in (one, two))
    return _divider(others, measure, None)(common, areas)


def mask_overlaps(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    *,
    height: int | None = None,
    measure: Measure = "iou",
    crowd: ArrayLike | None = None,
) -> Floats:
    """Return the overlaps `(n, m)` of masks of one picture, computed on run lengths without making pixels of them.

    Args:
        first: Each a mask `(height, width)`, or run lengths `(k,)` with `height` given.
        second: Likewise.
        height: Of the picture; needed for run lengths alone.
        measure: What the common area is divided by.
        crowd: `(m,)` booleans; columns that are True are measured as `first`.

    Raises:
        DataError: Masks have different sizes, or there are run lengths and no height.
    """
    one, two, rows = _as_runs([*first], [*second], height)
    areas = np.array([rle.area(runs) for runs in one], dtype=np.float64)
    others = np.array([rle.area(runs) for runs in two], dtype=np.float64)
    candidates = _common(_run_bounds(one, rows), _run_bounds(two, rows)) > 0
    return _divider(others, measure, crowd)(_common_runs(one, two, candidates), areas)


def boundary_overlaps(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], *, width: int | None = None, measure: Measure = "iou"
) -> Floats:
    """Return the overlaps `(n, m)` of the bands along the masks' outlines: boundary IoU (Cheng et al., 2021).

    The paper's own evaluation takes the lesser of this and of the masks' IoU.

    Args:
        first: Masks `(height, width)`.
        second: Likewise.
        width: Of the band in pixels; without it 2 % of the picture's diagonal.
        measure: What the common area is divided by.
    """
    one = [masks.boundary(mask, width) for mask in first]
    two = [masks.boundary(mask, width) for mask in second]
    return mask_overlaps(one, two, measure=measure)


def _finite_boxes(boxes: ArrayLike, name: str) -> Floats:
    checked = as_boxes(boxes, name)
    require_finite(checked, name)
    return checked


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of the rows, such that a block of them by all columns stays small."""
    step = max(1, _BLOCK // max(1, columns))
    for start in range(0, rows, step):
        yield slice(start, min(rows, start + step))


def _common(first: Floats, second: Floats) -> Floats:
    """Areas `(n, m)` common to boxes."""
    width = np.minimum(first[:, None, 2], second[:, 2])
    width -= np.maximum(first[:, None, 0], second[:, 0])
    height = np.minimum(first[:, None, 3], second[:, 3])
    height -= np.maximum(first[:, None, 1], second[:, 1])
    return np.multiply(np.maximum(width, 0.0, out=width), np.maximum(height, 0.0, out=height), out=width)


def _hulls(first: Floats, second: Floats) -> Floats:
    """Areas `(n, m)` of the smallest boxes around both; an inside-out box counts as its first corner."""
    one, two = (np.concatenate([boxes[:, :2], np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1) for boxes in (first, second))
    width = np.maximum(one[:, None, 2], two[:, 2]) - np.minimum(one[:, None, 0], two[:, 0])
    return width * (np.maximum(one[:, None, 3], two[:, 3]) - np.minimum(one[:, None, 1], two[:, 1]))


def _divider(others: Floats, measure: Measure, crowd: ArrayLike | None) -> Callable[[Floats, Floats], Floats]:
    """The function from common areas `(n, m)` and areas `(n,)` to values `(n, m)`; `others` are the areas `(m,)` of the columns."""
    if measure not in get_args(Measure):
        raise DataError(f"measure: found {measure!r}, expected one of {', '.join(get_args(Measure))}.")
    columns = _as_crowd(crowd, len(others))

    def divide(common: Floats, areas: Floats) -> Floats:
        if measure == "iou":
            divisor = areas[:, None] + others - common
        elif measure == "dice":
            divisor = (areas[:, None] + others) / 2
        elif measure == "smaller":
            divisor = np.minimum(areas[:, None], others)
        else:
            divisor = np.broadcast_to(areas[:, None], common.shape)
        if columns.any():
            divisor = np.where(columns, areas[:, None], divisor)
        return _ratio(common, divisor)

    return divide


def _as_crowd(crowd: ArrayLike | None, count: int) -> Bools:
    if crowd is None:
        return np.zeros(count, dtype=np.bool_)
    columns = np.asarray(crowd).astype(np.bool_)
    if columns.shape != (count,):
        raise DataError(f"crowd: found shape {columns.shape}, expected ({count},), one for each of the second.")
    return columns


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Shares, 0 where the whole is nothing; rounding never lifts one above 1."""
    return np.minimum(np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0), 1.0)


def _sweep(first: Floats, second: Floats, above: float, measure: Measure) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Pairs found by taking `first` in blocks from left to right, each against the part of `second` that reaches into its columns."""
    order, others = np.argsort(first[:, 0], kind="stable"), np.argsort(second[:, 0], kind="stable")
    lefts = second[others, 0]
    for block in _blocks(len(order), len(others)):
        rows = order[block]
        mine = first[rows]
        reach = int(np.searchsorted(lefts, mine[:, 2].max()))
        columns = others[:reach]
        columns = columns[second[columns, 2] > mine[:, 0].min()]
        theirs = second[columns]
        values = _divider(upright.area(theirs), measure, None)(_common(mine, theirs), upright.area(mine))
        at, to = np.nonzero(values > above)
        yield rows[at], columns[to], values[at, to]


def _as_runs(first: list[ArrayLike], second: list[ArrayLike], height: int | None) -> tuple[list[rle.Counts], list[rle.Counts], int]:
    """Run lengths of all masks, and the height of their picture."""
    arrays = [np.asarray(mask) for mask in (*first, *second)]
    shapes = {array.shape for array in arrays if array.ndim != 1}
    heights = {shape[0] for shape in shapes} | ({height} if height is not None else set())
    if len(shapes) > 1 or len(heights) > 1:
        raise DataError(f"masks: found sizes {sorted(shapes)} and height {height}, expected masks of one picture.")
    if not heights and arrays:
        raise DataError("masks: found run lengths without the picture's height, which their form does not hold. Give height=...")
    runs = [rle.as_counts(array) if array.ndim == 1 else rle.encode(array) for array in arrays]
    totals = {int(counts.sum(dtype=np.int64)) for counts in runs}
    if len(totals) > 1:
        raise DataError(f"masks: found {sorted(totals)} pixels, expected masks of one picture.")
    return runs[: len(first)], runs[len(first) :], heights.pop() if heights else 0


def _run_bounds(masks_: list[rle.Counts], height: int) -> Floats:
    """Boxes `(n, 4)` around masks; an empty one has the box 0, 0, 0, 0."""
    found = [rle.bounds(runs, height) for runs in masks_]
    return np.concatenate([np.zeros((0, 4)), *[box if len(box) else np.zeros((1, 4)) for box in found]])


def _common_runs(first: list[rle.Counts], second: list[rle.Counts], candidates: Bools) -> Floats:
    """Numbers of pixels `(n, m)` common to masks, of the candidate pairs.

    The pixels of one mask before each position rise in straight lines between its run ends, so the pixels that it has in common with a run
    of another are a difference of two interpolated values, exact in doubles.
    """
    common = np.zeros(candidates.shape)
    spans = [rle.intervals(runs) for runs in second]
    owners = np.repeat(np.arange(len(spans)), [len(starts) for starts, _ in spans])
    starts = np.concatenate([np.zeros(0, dtype=np.int64), *[start for start, _ in spans]])
    ends = np.concatenate([np.zeros(0, dtype=np.int64), *[end for _, end in spans]])
    for row in np.flatnonzero(candidates.any(axis=1)):
        chosen = np.flatnonzero(candidates[row][owners])
        places = np.stack(rle.intervals(first[row]), axis=1).ravel()
        before = np.concatenate([[0], np.cumsum(np.where(np.arange(len(places) - 1) % 2 == 0, np.diff(places), 0))])
        shared = np.interp(ends[chosen], places, before) - np.interp(starts[chosen], places, before)
        common[row] = np.bincount(owners[chosen], weights=shared, minlength=len(spans))
    return common
