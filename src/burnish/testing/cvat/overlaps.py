"""How far two shapes cover one another: intersection over union of boxes and polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.geometry.polygons import drop_repeats, self_intersects, signed_area

if TYPE_CHECKING:
    from burnish.geometry.arrays import Floats
    from burnish.testing.cvat.calls import Json


def shape_overlap(one: Json, two: Json) -> float:
    """IoU of two boxes (their rotation does not count, as in CVAT) or of two polygons; 0 for everything else."""
    if one["type"] != two["type"]:
        return 0.0
    if one["type"] == "rectangle":
        from burnish.geometry.overlap import box_overlaps  # noqa: PLC0415 - what it needs takes longer to load than the server

        boxes = [np.sort(np.reshape(each["points"], (2, 2)).astype(float), axis=0).ravel() for each in (one, two)]
        return float(box_overlaps(boxes[:1], boxes[1:])[0, 0])
    if one["type"] == "polygon":
        return polygon_overlap(*(np.reshape(each["points"], (-1, 2)).astype(float) for each in (one, two)))
    return 0.0


def polygon_overlap(one: Floats, two: Floats) -> float:
    """IoU of two simple polygons with vertices (n, 2) and (m, 2); 0 if one crosses itself or has no area."""
    rings = [drop_repeats(ring) for ring in (one, two)]
    areas = [abs(signed_area(ring)) for ring in rings]
    if not all(areas) or any(self_intersects(ring) for ring in rings):
        return 0.0
    common = _common_area(*rings)
    return common / (sum(areas) - common)


def _common_area(one: Floats, two: Floats) -> float:
    """Area that two simple polygons share.

    A polygon is the signed sum of the areas under its edges. So the area in common is the signed sum, over all pairs of edges, of the area
    under both, which is the integral of the lower of two lines.
    """
    base = min(one[:, 1].min(), two[:, 1].min())
    total = sum(sign_a * sign_b * _under_both(a, b) for a, sign_a in _edges(one, base) for b, sign_b in _edges(two, base))
    # Both signs change with the direction of a ring.
    return abs(float(total))


def _edges(ring: Floats, base: float) -> list[tuple[tuple[float, float, float, float], float]]:
    """Each edge from left to right, above the base, with the sign of its direction; upright ones have nothing under them."""
    edges: list[tuple[tuple[float, float, float, float], float]] = []
    for (x1, y1), (x2, y2) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if x1 < x2:
            edges.append(((x1, y1 - base, x2, y2 - base), 1.0))
        elif x2 < x1:
            edges.append(((x2, y2 - base, x1, y1 - base), -1.0))
    return edges


def _under_both(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    left, right = max(a[0], b[0]), min(a[2], b[2])
    if left >= right:
        return 0.0
    differences = [_height(a, x) - _height(b, x) for x in (left, right)]
    cuts = [left, right]
    if differences[0] * differences[1] < 0:
        cuts.insert(1, left + (right - left) * differences[0] / (differences[0] - differences[1]))
    lower = [min(_height(a, x), _height(b, x)) for x in cuts]
    return sum((cuts[k + 1] - cuts[k]) * (lower[k] + lower[k + 1]) / 2 for k in range(len(cuts) - 1))


def _height(edge: tuple[float, float, float, float], x: float) -> float:
    x1, y1, x2, y2 = edge
    return y1 + (y2 - y1) * (x - x1) / (x2 - x1)
