"""Shapes between two key frames, as CVAT draws them.

CVAT moves boxes, ellipses and cuboids in a straight line, turns them the shorter way round, and matches the vertices of polygons and
polylines by their relative distance along the curve. The behaviour follows CVAT 2.73 (`cvat/apps/dataset_manager/annotation.py`, MIT),
measured on its own exports; oddities are kept, because an annotation must look the same in both places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats, Ints

_HALF_TURN: Final = 180.0
_BLOCK: Final = 4096
"""Polygons that are worked on together: arrays of some megabytes, which stay in the cache."""


class Curves(NamedTuple):
    """Many polylines in one array.

    Attributes:
        points: (p, 2) the vertices of all, one polyline after the other.
        starts: (n + 1,) where each begins, and the end of the last.
    """

    points: Floats
    starts: Ints


def moved(left: ArrayLike, right: ArrayLike, weights: ArrayLike) -> Floats:
    """Return the numbers `(n, k)` on the straight way from left to right, at weights `(n,)` from 0 to 1."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    return left + (right - left) * np.asarray(weights, dtype=np.float64)[:, None]


def turned(left: ArrayLike, right: ArrayLike, weights: ArrayLike) -> Floats:
    """Return rotations `(n,)` in degrees, from 0 up to 360, on the shorter way from left to right.

    A difference of exactly half a turn goes by one degree only and jumps at the key frame, as in CVAT.
    """
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    difference = np.mod(right - left + _HALF_TURN, 2 * _HALF_TURN) - _HALF_TURN
    difference = np.where(np.abs(difference) >= _HALF_TURN, 1.0, difference)
    return np.mod(left + difference * np.asarray(weights, dtype=np.float64) + 2 * _HALF_TURN, 2 * _HALF_TURN)


def morphed(left: Curves, right: Curves, pairs: ArrayLike, weights: ArrayLike, *, closed: ArrayLike) -> Curves:
    """Return polylines or polygons between two key frames.

    Each vertex on the left goes to the one on the right that is nearest in relative distance along the curve, and vertices on the
    right that none goes to come from their nearest on the left. Of vertices that fall together, those nearer than half of
    the mean side between them are dropped or averaged; so the number of vertices changes from frame to frame.

    Args:
        left: n polylines.
        right: n polylines, one for each on the left.
        pairs: (m,) which of the n each result lies between.
        weights: (m,) from 0 (left) to 1 (right).
        closed: (n,) whether the last vertex is joined with the first: a polygon.

    Returns:
        m polylines.
    """
    pairs, weights = np.asarray(pairs, dtype=np.int64), np.asarray(weights, dtype=np.float64)
    closed = np.asarray(closed, dtype=np.bool_)
    sizes = np.maximum(np.diff(left.starts), np.diff(right.starts))
    # Pairs of like size are worked on together, so that little of the arrays is padding.
    order = np.argsort(sizes[pairs], kind="stable")
    points: list[Floats] = []
    counts = np.zeros(len(pairs), dtype=np.int64)
    for start in range(0, len(order), _BLOCK):
        chosen = order[start : start + _BLOCK]
        distinct, places = np.unique(pairs[chosen], return_inverse=True)
        block = _match(left, right, distinct, closed[distinct])
        found, counts[chosen] = _morph(block, places, weights[chosen], closed[pairs[chosen]])
        points.append(found)
    return _in_order(points, counts, order)


class _Matched(NamedTuple):
    """Pairs of vertices of q pairs of curves, padded to w columns, in the order along the curve.

    A segment is a run of vertices of one side that meet one vertex of the other, or a single pair. `first` and `last` mark the ends of
    segments; both at once, a single pair. `reach` is the distance below which vertices within a segment fall together.
    """

    start: Floats  # (q, w, 2) position on the left
    stop: Floats  # (q, w, 2) position on the right
    used: Bools  # (q, w)
    first: Bools  # (q, w)
    last: Bools  # (q, w)
    reach: Floats  # (q, w)


def _match(left: Curves, right: Curves, chosen: Ints, closed: Bools) -> _Matched:
    one, one_count = _padded(left, chosen, closed)
    two, two_count = _padded(right, chosen, closed)
    along_one, sides_one = _along(one, one_count)
    along_two, sides_two = _along(two, two_count)
    gaps = np.abs(along_one[:, :, None] - along_two[:, None, :])
    meets = _links(gaps, one_count, two_count)
    # Row by row, so that the pairs come in the order of the left vertices and, within one, of the right ones.
    rows, i, j = np.nonzero(meets)
    counts = meets.sum(axis=(1, 2))
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (len(chosen), int(counts.max(initial=0)))
    start, stop = np.zeros((*shape, 2)), np.zeros((*shape, 2))
    start[rows, columns], stop[rows, columns] = one[rows, i], two[rows, j]
    used = np.zeros(shape, dtype=np.bool_)
    used[rows, columns] = True
    first, last, reach = _segments(meets, rows, i, j, (sides_one, sides_two))
    ends = np.zeros((2, *shape), dtype=np.bool_)
    ends[:, rows, columns] = first, last
    reaches = np.zeros(shape)
    reaches[rows, columns] = reach
    return _Matched(start, stop, used, ends[0], ends[1], reaches)


def _padded(curves: Curves, chosen: Ints, closed: Bools) -> tuple[Floats, Ints]:
    """Vertices (q, k, 2) and their numbers (q,); polygons end with their first vertex again."""
    starts, ends = curves.starts[chosen], curves.starts[chosen + 1]
    sizes = ends - starts
    counts = sizes + (closed & (sizes > 0))
    steps = np.arange(int(counts.max(initial=0)))
    inside = steps < counts[:, None]
    index = np.where(steps < sizes[:, None], starts[:, None] + steps, starts[:, None])
    return np.where(inside[..., None], curves.points[np.where(inside, index, 0)], 0.0), counts


def _along(points: Floats, counts: Ints) -> tuple[Floats, Floats]:
    """Relative distance (q, k) of each vertex along its curve, NaN behind its end, and the lengths of its sides (q, k - 1)."""
    steps = _norm(np.diff(points, axis=1))
    behind = np.arange(points.shape[1]) >= counts[:, None]
    sides = np.where(behind[:, 1:], 0.0, steps)
    length = np.concatenate([np.zeros((len(points), 1)), np.cumsum(sides, axis=1)], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.concatenate([length[:, :1], length[:, 1:] / length[:, -1:]], axis=1)
    relative[behind] = np.nan
    return relative, sides


def _norm(steps: Floats) -> Floats:
    """Lengths of steps (..., 2); not hypot, whose last digit differs, because CVAT compares these lengths with each other."""
    return np.sqrt(steps[..., 0] ** 2 + steps[..., 1] ** 2)


def _links(gaps: Floats, one_count: Ints, two_count: Ints) -> Bools:
    """Which left vertex (q, k, l) goes to which right one."""
    there_one = np.arange(gaps.shape[1]) < one_count[:, None]
    there_two = np.arange(gaps.shape[2]) < two_count[:, None]
    # A curve without length has no relative distances: its vertices then all go to the first.
    known = np.where(np.isnan(gaps), np.inf, gaps)
    meets = np.zeros(gaps.shape, dtype=np.bool_)
    np.put_along_axis(meets, known.argmin(axis=2)[:, :, None], there_one[:, :, None], axis=2)
    lonely = there_two & ~meets.any(axis=1)
    back = np.zeros(gaps.shape, dtype=np.bool_)
    np.put_along_axis(back, known.argmin(axis=1)[:, None, :], lonely[:, None, :], axis=1)
    return meets | back


def _segments(meets: Bools, rows: Ints, i: Ints, j: Ints, sides: tuple[Floats, Floats]) -> tuple[Bools, Bools, Floats]:
    """Ends of segments and how near vertices may come, for each pair (left vertex i, right vertex j) of each row."""
    fans_out = meets.sum(axis=2)[rows, i] > 1  # one left vertex to several right ones
    same_row = np.concatenate([[False], rows[1:] == rows[:-1]])
    with_before = same_row & np.where(
        fans_out, np.concatenate([[False], i[1:] == i[:-1]]), np.concatenate([[False], (j[1:] == j[:-1]) & ~fans_out[:-1]])
    )
    first = ~with_before
    last = np.concatenate([~with_before[1:], [True]]) if len(rows) else first
    heads, tails = np.flatnonzero(first), np.flatnonzero(last)
    low = np.where(fans_out[heads], j[heads], i[heads])
    high = np.where(fans_out[heads], j[tails], i[tails])
    spans = np.where(fans_out[heads], *(_span(side, rows[heads], low, high) for side in (sides[1], sides[0])))
    members = high - low + 1
    return first, last, np.repeat(spans / (2 * members), tails - heads + 1)


def _span(sides: Floats, rows: Ints, low: Ints, high: Ints) -> Floats:
    """Length of a piece of a curve, added up side by side: a difference of running sums has other last digits, and they decide ties."""
    steps = np.arange(int((high - low).max(initial=0)))
    if not len(steps):
        return np.zeros(len(rows))
    index = np.minimum(low[:, None] + steps, sides.shape[1] - 1)
    parts = np.where(low[:, None] + steps < high[:, None], sides[rows[:, None], index], 0.0)
    return np.cumsum(parts, axis=1)[:, -1]


def _morph(block: _Matched, places: Ints, weights: Floats, closed: Bools) -> tuple[Floats, Ints]:
    """The polylines at some weights, one after the other, and the number of vertices of each."""
    between = block.start[places] + (block.stop - block.start)[places] * weights[:, None, None]
    kept = _thinned(between, block, places)
    counts = kept.sum(axis=1)
    # A polygon ends with its first vertex again, which is not told twice.
    behind = closed & (counts > 0)
    final = kept.shape[1] - 1 - kept[:, ::-1].argmax(axis=1) if kept.shape[1] else np.zeros(len(kept), dtype=np.int64)
    kept[np.flatnonzero(behind), final[behind]] = False
    return between[kept], counts - behind


def _thinned(between: Floats, block: _Matched, places: Ints) -> Bools:
    """Which vertices (m, w) stay; where a segment shrinks to one, its last vertex is moved, in place, to the middle of its ends."""
    kept = np.zeros(between.shape[:2], dtype=np.bool_)
    everyone = np.arange(len(between))
    latest = np.zeros(len(between), dtype=np.int64)
    head = np.zeros(len(between), dtype=np.int64)
    for column in range(between.shape[1]):
        used, first, last = (mark[places, column] for mark in (block.used, block.first, block.last))
        here = between[:, column]
        gap = _norm(here - between[everyone, latest])
        far = gap >= block.reach[places, column]
        inner = used & ~first & ~last
        head[first] = column
        ends = used & last & ~first
        merges = ends & (latest == head) & ~far
        kept[:, column] = used & (first | last | (inner & far))
        if merges.any():
            at = np.flatnonzero(merges)
            between[at, column] = (between[at, head[at]] + between[at, column]) / 2
            kept[at, head[at]] = False
        moves = first | (inner & far)
        latest[moves] = column
    return kept


def _in_order(points: list[Floats], counts: Ints, order: Ints) -> Curves:
    """Put the results of all blocks, which come in another order, where they belong."""
    starts = np.concatenate([[0], np.cumsum(counts)])
    gathered = np.concatenate(points) if points else np.zeros((0, 2))
    result = np.empty_like(gathered)
    sorted_counts = counts[order]
    within = np.arange(len(gathered)) - np.repeat(np.cumsum(sorted_counts) - sorted_counts, sorted_counts)
    result[np.repeat(starts[:-1][order], sorted_counts) + within] = gathered
    return Curves(result, starts)
