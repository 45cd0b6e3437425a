"""Polygons: rings `(n, 2)` of vertices, the last joined to the first; several rings (parts, holes) are filled by the even-odd rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.geometry.arrays import as_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats, Rings

_MIN_VERTICES = 3
# Elements of one temporary array when every side is compared with every point or side.
_BLOCK = 1_000_000


def from_flat(values: ArrayLike, parts: Sequence[int] | None = None) -> Rings:
    """Cut a flat list `x, y, x, y, ...` into rings; `parts` holds the number of vertices of each (one ring without it).

    Raises:
        DataError: There is an odd number of values, or `parts` does not add up.
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    if flat.size % 2:
        raise DataError(f"points: found {flat.size} numbers, expected an even one: x, y, x, y, ...")
    points = flat.reshape(-1, 2)
    if parts is None:
        return [points]
    if sum(parts) != len(points) or min(parts, default=0) < 0:
        raise DataError(f"parts: found {list(parts)}, which add up to {sum(parts)}, expected {len(points)} points.")
    return np.split(points, np.cumsum(parts)[:-1]) if len(parts) else []


def to_flat(rings: Sequence[ArrayLike]) -> tuple[Floats, list[int]]:
    """Return the flat list `x, y, x, y, ...` of all rings, and the number of vertices of each."""
    checked = [as_points(ring, "ring") for ring in rings]
    return np.concatenate([np.zeros(0), *[ring.ravel() for ring in checked]]), [len(ring) for ring in checked]


def signed_area(ring: ArrayLike) -> float:
    """Return the area of one ring in square pixels, positive where it runs clockwise as seen (the shoelace formula)."""
    ring = as_points(ring, "ring")
    return float(signed_areas(ring, [len(ring)])[0])


def signed_areas(points: ArrayLike, counts: Sequence[int]) -> Floats:
    """Return signed areas `(k,)` of many rings at once, given end to end.

    Args:
        points: `(n, 2)`, the vertices of all rings.
        counts: `(k,)`, how many of them belong to each; they add up to `n`.

    Raises:
        DataError: `counts` does not add up.
    """
    points, sizes = as_points(points), np.asarray(counts, dtype=np.int64)
    if sizes.sum() != len(points):
        raise DataError(f"counts: found a sum of {sizes.sum()}, expected {len(points)} points.")
    areas = np.zeros(len(sizes))
    filled = np.flatnonzero(sizes)
    if len(filled) == 0:
        return areas
    starts = (np.cumsum(sizes) - sizes)[filled]
    # From each ring's first vertex: far from the origin the products would lose digits.
    local = points - np.repeat(points[starts], sizes[filled], axis=0)
    following = np.concatenate([local[1:], local[:1]])
    following[starts + sizes[filled] - 1] = 0.0
    doubled = local[:, 0] * following[:, 1] - following[:, 0] * local[:, 1]
    areas[filled] = np.add.reduceat(doubled, starts) / 2
    return areas


def area(rings: Sequence[ArrayLike]) -> float:
    """Return the area of a polygon in square pixels, without its holes; its rings must not cross one another."""
    return float(sum(signed_area(ring) for ring in orient(rings)))


def centroid(rings: Sequence[ArrayLike]) -> Floats:
    """Return the centre of mass `(2,)` of a polygon; of one without area, the mean of its vertices; NaN of no vertices."""
    weights, moments = 0.0, np.zeros(2)
    for ring in orient(rings):
        if len(ring) == 0:
            continue
        local, following = ring - ring[0], np.roll(ring, -1, axis=0) - ring[0]
        cross = local[:, 0] * following[:, 1] - following[:, 0] * local[:, 1]
        weight = cross.sum() / 2
        weights += weight
        moments += ((local + following) * cross[:, None]).sum(axis=0) / 6 + ring[0] * weight
    if weights != 0.0:
        return moments / weights
    points = np.concatenate([np.zeros((0, 2)), *[as_points(ring, "ring") for ring in rings]])
    return points.mean(axis=0) if len(points) else np.full(2, np.nan)


def bounds(rings: Sequence[ArrayLike]) -> Floats:
    """Return the box `(1, 4)` around all rings, or `(0, 4)` where there is no vertex."""
    points = np.concatenate([np.zeros((0, 2)), *[as_points(ring, "ring") for ring in rings]])
    if len(points) == 0:
        return np.zeros((0, 4))
    return np.concatenate([points.min(axis=0), points.max(axis=0)])[None]


def contains(rings: Sequence[ArrayLike], points: ArrayLike) -> Bools:
    """Say which points `(n,)` lie inside a polygon by the even-odd rule; on the border either answer may come."""
    points = as_points(points)
    starts, ends = sides(rings)
    inside = np.zeros(len(points), dtype=np.bool_)
    step = max(1, _BLOCK // max(1, len(starts)))
    for first in range(0, len(points), step):
        x, y = points[first : first + step, None, :].transpose(2, 0, 1)
        spans = (starts[:, 1] <= y) != (ends[:, 1] <= y)
        rise = np.where(starts[:, 1] == ends[:, 1], 1.0, ends[:, 1] - starts[:, 1])
        crossing = starts[:, 0] + (y - starts[:, 1]) * (ends[:, 0] - starts[:, 0]) / rise
        inside[first : first + step] = (spans & (crossing > x)).sum(axis=1) % 2 == 1
    return inside


def orient(rings: Sequence[ArrayLike]) -> Rings:
    """Turn rings so that outer ones have positive area and holes negative; a ring inside an odd number of others is a hole."""
    checked = [as_points(ring, "ring") for ring in rings]
    surrounding = _boxes_around(checked)
    oriented: Rings = []
    for index, ring in enumerate(checked):
        depth = sum(_lies_in(ring, checked[at]) for at in np.flatnonzero(surrounding[index]))
        clockwise = signed_area(ring) >= 0
        oriented.append(ring if clockwise == (depth % 2 == 0) else ring[::-1])
    return oriented


def drop_repeats(ring: ArrayLike) -> Floats:
    """Leave out vertices that equal the one before them, the last that equals the first too."""
    ring = as_points(ring, "ring")
    if len(ring) == 0:
        return ring
    keep = (ring != np.roll(ring, 1, axis=0)).any(axis=1)
    return ring[keep] if keep.any() else ring[:1]


def simplify(ring: ArrayLike, tolerance: float = 1.5) -> Floats:
    """Leave out vertices that lie within `tolerance` pixels of the line that remains (Douglas and Peucker, 1973).

    What remains are vertices of the ring, to the last digit, in their order, and at least three where there were three. A tolerance
    of 0 leaves out only those on a straight line.
    """
    ring = drop_repeats(ring)
    if len(ring) <= _MIN_VERTICES:
        return ring
    # A ring has no ends: cut it in two at a vertex far from the middle, and at the one farthest from that.
    start = int(np.argmax(((ring - ring.mean(axis=0)) ** 2).sum(axis=1)))
    turned = np.roll(ring, -start, axis=0)
    far = int(np.argmax(((turned - turned[0]) ** 2).sum(axis=1)))
    closed = np.concatenate([turned, turned[:1]])
    keep = np.zeros(len(closed), dtype=np.bool_)
    keep[[0, far]] = True
    _keep_far(closed, keep, [(0, far), (far, len(ring))], tolerance)
    if keep.sum() < _MIN_VERTICES:
        keep[int(np.argmax(_line_distances(closed, 0, far, turned)))] = True
    return ring[np.roll(keep[:-1], start)]


def self_intersects(ring: ArrayLike) -> bool:
    """Say whether two sides of a ring cross in their inside; touching in a vertex, or running along one another, is no crossing."""
    vertices = drop_repeats(ring)
    following = np.roll(vertices, -1, axis=0)
    step = max(1, _BLOCK // max(1, len(vertices)))
    for first in range(0, len(vertices), step):
        block = slice(first, first + step)
        # Two sides cross where each has its ends on different sides of the other.
        mine = _turns(vertices[block], following[block], vertices) * _turns(vertices[block], following[block], following) < 0
        other = _turns(vertices, following, vertices[block]) * _turns(vertices, following, following[block]) < 0
        if (mine & other.T).any():
            return True
    return False


def sides(rings: Sequence[ArrayLike]) -> tuple[Floats, Floats]:
    """Return the two ends `(n, 2)`, `(n, 2)` of every side of every ring."""
    checked = [as_points(ring, "ring") for ring in rings]
    starts = np.concatenate([np.zeros((0, 2)), *checked])
    ends = np.concatenate([np.zeros((0, 2)), *[np.roll(ring, -1, axis=0) for ring in checked]])
    return starts, ends


def _boxes_around(rings: Rings) -> Bools:
    """Whose box (columns) lies around whose (rows): the few pairs of rings of which one can be inside the other, `(k, k)`."""
    nowhere = np.full((1, 4), np.nan)
    boxes = np.concatenate([np.zeros((0, 4)), *[bounds([ring]) if len(ring) else nowhere for ring in rings]])
    low, high = boxes[:, :2], boxes[:, 2:]
    inside = (low[:, None] >= low).all(axis=2) & (high[:, None] <= high).all(axis=2)
    return inside & ~np.eye(len(rings), dtype=np.bool_)


def _lies_in(ring: Floats, other: Floats) -> bool:
    """Say whether most of a ring lies inside another; rings may touch, so that a single vertex cannot tell."""
    middles = (ring + np.roll(ring, -1, axis=0)) / 2
    inside = contains([other], np.concatenate([ring, middles]))
    return bool(len(inside)) and bool(inside.mean() > 0.5)  # noqa: PLR2004 - most of it


def _keep_far(points: Floats, keep: Bools, spans: list[tuple[int, int]], tolerance: float) -> None:
    """Mark in `keep`, span by span, the vertices that are farther than `tolerance` from the line through the span's ends."""
    while spans:
        first, last = spans.pop()
        if last - first < 2:  # noqa: PLR2004 - nothing lies between neighbours
            continue
        distances = _line_distances(points, first, last, points[first + 1 : last])
        farthest = int(np.argmax(distances))
        if distances[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]


def _line_distances(points: Floats, first: int, last: int, of: Floats) -> Floats:
    """Distances of points to the stretch between two vertices."""
    along, offsets = points[last] - points[first], of - points[first]
    length = float(along @ along)
    share = np.clip(offsets @ along / length, 0.0, 1.0) if length > 0 else np.zeros(len(of))
    gaps = offsets - share[:, None] * along
    return np.hypot(gaps[:, 0], gaps[:, 1])


def _turns(starts: Floats, ends: Floats, points: Floats) -> Floats:
    """On which side of each line (rows) each point (columns) lies: the sign of `(rows, columns)`, exactly 0 for the line's own ends."""
    (x, y), (dx, dy) = starts.T[:, :, None], (ends - starts).T[:, :, None]
    return np.sign(dx * (points[:, 1] - y) - dy * (points[:, 0] - x))
