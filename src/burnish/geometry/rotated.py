"""Rotated boxes: `(n, 5)` of cx, cy, width, height, degrees clockwise as seen about the centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.geometry.arrays import as_boxes, as_points, as_rotated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats

_CORNERS = 4
# Upper left, upper right, lower right, lower left, as halves of the sides: clockwise as seen.
_UNIT_SQUARE = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
# Points that are this near to an edge (as a share of the boxes' size) count as lying on it.
_ON_EDGE = 1e-9


def from_boxes(boxes: ArrayLike, degrees: ArrayLike = 0.0) -> Floats:
    """Turn boxes `(n, 4)` about their centres by `degrees` (a number or `(n,)`): the form that tables and CVAT keep."""
    x1, y1, x2, y2 = as_boxes(boxes).T
    turns = np.broadcast_to(np.asarray(degrees, dtype=np.float64), x1.shape)
    return np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, turns], axis=1)


def to_boxes(rotated: ArrayLike) -> tuple[Floats, Floats]:
    """Return the boxes `(n, 4)` as they were before the turn, and the turns `(n,)` in degrees, from 0 up to 360."""
    cx, cy, width, height, degrees = as_rotated(rotated).T
    boxes = np.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], axis=1)
    return boxes, np.mod(degrees, 360.0)


def corners(rotated: ArrayLike) -> Floats:
    """Return corners `(n, 4, 2)`, clockwise as seen, starting with the one that is the upper left before the turn."""
    rotated = as_rotated(rotated)
    offsets = _UNIT_SQUARE * rotated[:, None, 2:4]
    cosine, sine = _cos_sin(rotated[:, 4])
    x = offsets[..., 0] * cosine[:, None] - offsets[..., 1] * sine[:, None]
    y = offsets[..., 0] * sine[:, None] + offsets[..., 1] * cosine[:, None]
    return np.stack([x, y], axis=2) + rotated[:, None, :2]


def from_corners(points: ArrayLike) -> Floats:
    """Return the rotated boxes whose corners `(n, 4, 2)` are given in turn, as YOLO's OBB lists them.

    The width runs from the first corner to the second. Corners that are not quite a rectangle give the mean of opposite sides;
    corners that go the other way round are reversed first.

    Raises:
        DataError: The array has another shape.
    """
    quads = np.asarray(points, dtype=np.float64)
    if quads.size == 0:
        return np.zeros((0, 5))
    if quads.ndim != 3 or quads.shape[1:] != (_CORNERS, 2):  # noqa: PLR2004 - boxes, corners, coordinates
        raise DataError(f"corners: found shape {quads.shape}, expected (n, 4, 2) of x, y.")
    quads = np.where((_quad_areas(quads) < 0)[:, None, None], quads[:, [1, 0, 3, 2]], quads)
    across = (quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]) / 2
    down = (quads[:, 3] - quads[:, 0] + quads[:, 2] - quads[:, 1]) / 2
    flat = np.hypot(across[:, 0], across[:, 1]) == 0
    degrees = np.where(flat, np.arctan2(-down[:, 0], down[:, 1]), np.arctan2(across[:, 1], across[:, 0]))
    sides = [np.hypot(across[:, 0], across[:, 1]), np.hypot(down[:, 0], down[:, 1])]
    return np.stack([*quads.mean(axis=1).T, *sides, np.mod(np.degrees(degrees), 360.0)], axis=1)


def bounds(rotated: ArrayLike) -> Floats:
    """Return the upright boxes `(n, 4)` around rotated ones."""
    points = corners(rotated)
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def around(points: ArrayLike) -> Floats:
    """Return the rotated box `(1, 5)` of least area around points `(n, 2)`, its turn from 0 up to 90 degrees; `(0, 5)` of no points.

    One side of it lies along a side of the convex hull (Freeman and Shapira, 1975), so each of those is tried.
    """
    points = as_points(points)
    if len(points) == 0:
        return np.zeros((0, 5))
    centre = points.mean(axis=0)
    hull = _hull(points - centre)
    cosine, sine = _cos_sin(np.degrees(_directions(hull)))
    # In each candidate's own frame (k, h): along the side, and across it.
    x, y = hull.T
    along = cosine[:, None] * x + sine[:, None] * y
    across = -sine[:, None] * x + cosine[:, None] * y
    low = np.stack([along.min(axis=1), across.min(axis=1)], axis=1)
    high = np.stack([along.max(axis=1), across.max(axis=1)], axis=1)
    best = int(np.argmin(np.prod(high - low, axis=1)))
    u, v = (low[best] + high[best]) / 2
    middle = centre + np.array([cosine[best] * u - sine[best] * v, sine[best] * u + cosine[best] * v])
    degrees = np.degrees(np.arctan2(sine[best], cosine[best]))
    return np.concatenate([middle, high[best] - low[best], [degrees]])[None]


def intersection_areas(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the areas `(n,)` common to the rotated boxes of each row: exact, by the convex polygon of their corners and crossings.

    Args:
        first: `(n, 5)`.
        second: `(n, 5)`, as many rows.
    """
    first, second = as_rotated(first, "first"), as_rotated(second, "second")
    # Near the origin and at unit size there are more digits left for the crossings.
    centre = (first[:, :2] + second[:, :2]) / 2
    size = np.maximum(first[:, 2:4].max(axis=1, initial=0.0), second[:, 2:4].max(axis=1, initial=0.0))
    size = np.where(size > 0, size, 1.0)
    one = (corners(first) - centre[:, None]) / size[:, None, None]
    two = (corners(second) - centre[:, None]) / size[:, None, None]
    crossings, crossed = _crossings(one, two)
    points = np.concatenate([one, two, crossings], axis=1)
    inside = np.concatenate([_inside(one, two), _inside(two, one), crossed], axis=1)
    areas = [np.prod(np.maximum(boxes[:, 2:4], 0.0), axis=1) for boxes in (first, second)]
    return np.minimum(_convex_areas(points, inside) * size**2, np.minimum(*areas))


def _cos_sin(degrees: Floats) -> tuple[Floats, Floats]:
    """Cosine and sine of angles, exact at quarter turns: a box that is turned by 90 degrees stays on whole pixels."""
    quarters = np.mod(degrees / 90.0, 4.0)
    radians = np.radians(degrees)
    whole = quarters == np.floor(quarters)
    # A turn of next to nothing the other way comes out of the modulo as four quarters.
    index = np.where(whole, quarters, 0).astype(np.int64) % 4
    cosine = np.where(whole, np.array([1.0, 0.0, -1.0, 0.0])[index], np.cos(radians))
    sine = np.where(whole, np.array([0.0, 1.0, 0.0, -1.0])[index], np.sin(radians))
    return cosine, sine


def _hull(points: Floats) -> Floats:
    """Corners of the convex hull in turn (Andrew's monotone chain, 1979); of points on one line its two ends."""
    rows: list[list[float]] = points[np.lexsort(points.T[::-1])].tolist()
    if len(rows) < 3:  # noqa: PLR2004 - a triangle is the least polygon
        return np.array(rows)
    return np.array(_chain(rows)[:-1] + _chain(rows[::-1])[:-1])


def _chain(rows: list[list[float]]) -> list[list[float]]:
    """The hull's corners from the first to the last of sorted points, on the side to which the path always turns."""
    chain: list[list[float]] = []
    for x, y in rows:
        while len(chain) > 1:
            (x0, y0), (x1, y1) = chain[-2], chain[-1]
            if (x1 - x0) * (y - y0) > (y1 - y0) * (x - x0):
                break
            chain.pop()
        chain.append([x, y])
    return chain


def _directions(hull: Floats) -> Floats:
    """Directions of a convex hull's sides in radians, folded to a quarter turn."""
    sides = np.roll(hull, -1, axis=0) - hull
    sides = sides[(sides != 0).any(axis=1)]
    if len(sides) == 0:
        return np.zeros(1)
    directions = np.mod(np.arctan2(sides[:, 1], sides[:, 0]), np.pi / 2)
    # A side that is upright but for rounding just below zero would come out as a quarter turn.
    return np.unique(np.where(directions > np.pi / 2 - 1e-12, 0.0, directions))


def _quad_areas(quads: Floats) -> Floats:
    following = np.roll(quads, -1, axis=1)
    return (quads[..., 0] * following[..., 1] - following[..., 0] * quads[..., 1]).sum(axis=1) / 2


def _inside(points: Floats, quads: Floats) -> Bools:
    """Say which points `(n, p, 2)` lie in or on the clockwise quads `(n, 4, 2)` of their row."""
    sides = np.roll(quads, -1, axis=1) - quads
    offsets = points[:, :, None] - quads[:, None]
    turn = sides[:, None, :, 0] * offsets[..., 1] - sides[:, None, :, 1] * offsets[..., 0]
    return np.all(turn >= -_ON_EDGE, axis=2)


def _crossings(one: Floats, two: Floats) -> tuple[Floats, Bools]:
    """Crossings `(n, 16, 2)` of every side of one quad with every side of the other, and which of them exist."""
    start, other = one[:, :, None], two[:, None]
    along = (np.roll(one, -1, axis=1) - one)[:, :, None]
    side = (np.roll(two, -1, axis=1) - two)[:, None]
    cross = along[..., 0] * side[..., 1] - along[..., 1] * side[..., 0]
    gap = other - start
    parallel = np.abs(cross) < 1e-14  # noqa: PLR2004 - sides are at most 1 long; parallel ones meet in corners
    safe = np.where(parallel, 1.0, cross)
    t = (gap[..., 0] * side[..., 1] - gap[..., 1] * side[..., 0]) / safe
    u = (gap[..., 0] * along[..., 1] - gap[..., 1] * along[..., 0]) / safe
    exists = ~parallel & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
    points = start + np.where(exists, t, 0.0)[..., None] * along
    return points.reshape(len(one), _CORNERS**2, 2), exists.reshape(len(one), _CORNERS**2)


def _convex_areas(points: Floats, taken: Bools) -> Floats:
    """Areas `(n,)` of the convex polygons through the taken points `(n, p, 2)`, which come in any order and may repeat."""
    count = taken.sum(axis=1)
    centre = np.where(taken[..., None], points, 0.0).sum(axis=1) / np.maximum(count, 1)[:, None]
    # Points that are not taken move onto the first that is: a repeated vertex adds no area.
    first = np.take_along_axis(points, taken.argmax(axis=1)[:, None, None], axis=1)
    around_centre = np.where(taken[..., None], points, first) - centre[:, None]
    order = np.argsort(np.arctan2(around_centre[..., 1], around_centre[..., 0]), axis=1)
    ring = np.take_along_axis(around_centre, order[..., None], axis=1)
    following = np.roll(ring, -1, axis=1)
    doubled = (ring[..., 0] * following[..., 1] - following[..., 0] * ring[..., 1]).sum(axis=1)
    return np.where(count > 2, np.maximum(doubled / 2, 0.0), 0.0)  # noqa: PLR2004 - a polygon has three corners
