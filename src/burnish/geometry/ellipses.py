"""Ellipses: `(n, 5)` of cx, cy, rx, ry (the half axes), degrees clockwise as seen about the centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.geometry import masks, rotated
from burnish.geometry.arrays import as_boxes, as_mask, as_rotated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Floats


def from_cvat(points: ArrayLike, degrees: ArrayLike = 0.0) -> Floats:
    """Turn CVAT's `(n, 4)` of centre x, centre y, rightmost x, topmost y (positions, not radii) into ellipses."""
    cx, cy, right, top = as_boxes(points, "ellipse points").T
    return np.stack([cx, cy, right - cx, cy - top, np.broadcast_to(np.asarray(degrees, dtype=np.float64), cx.shape)], axis=1)


def to_cvat(ellipses: ArrayLike) -> tuple[Floats, Floats]:
    """Return CVAT's points `(n, 4)` and turns `(n,)` in degrees, from 0 up to 360."""
    cx, cy, rx, ry, degrees = as_rotated(ellipses, "ellipses").T
    return np.stack([cx, cy, cx + rx, cy - ry], axis=1), np.mod(degrees, 360.0)


def area(ellipses: ArrayLike) -> Floats:
    """Return areas `(n,)` in square pixels."""
    ellipses = as_rotated(ellipses, "ellipses")
    return np.pi * ellipses[:, 2] * ellipses[:, 3]


def bounds(ellipses: ArrayLike) -> Floats:
    """Return the upright boxes `(n, 4)` around ellipses."""
    cx, cy, rx, ry, degrees = as_rotated(ellipses, "ellipses").T
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    across, down = np.hypot(rx * cosine, ry * sine), np.hypot(rx * sine, ry * cosine)
    return np.stack([cx - across, cy - down, cx + across, cy + down], axis=1)


def box_around(ellipses: ArrayLike) -> Floats:
    """Return the rotated boxes `(n, 5)` that touch ellipses on four sides."""
    return as_rotated(ellipses, "ellipses") * [1.0, 1.0, 2.0, 2.0, 1.0]


def to_rings(ellipses: ArrayLike, vertices: int = 64) -> Floats:
    """Return polygons `(n, vertices, 2)` whose vertices lie on the ellipses, clockwise as seen."""
    ellipses = as_rotated(ellipses, "ellipses")
    angles = np.arange(vertices) * (2 * np.pi / vertices)
    turns = np.radians(ellipses[:, 4:5])
    x, y = ellipses[:, 2:3] * np.cos(angles), ellipses[:, 3:4] * np.sin(angles)
    turned = np.stack([x * np.cos(turns) - y * np.sin(turns), x * np.sin(turns) + y * np.cos(turns)], axis=2)
    return turned + ellipses[:, None, :2]


def fit(mask: ArrayLike) -> Floats:
    """Return the ellipse `(1, 5)` with a mask's centre and second moments, its longer axis first; `(0, 5)` of an empty mask.

    For a mask that is an ellipse that is the ellipse itself: its variance along an axis is a quarter of the half axis squared. Each pixel
    adds the variance of a unit square, 1/12, so that a single pixel has an ellipse too.
    """
    mask = as_mask(mask)
    y, x = np.nonzero(mask)
    if len(x) == 0:
        return np.zeros((0, 5))
    centre = masks.centroid(mask)
    offsets = np.stack([x + 0.5, y + 0.5]) - centre[:, None]
    variances, axes = np.linalg.eigh(offsets @ offsets.T / len(x) + np.eye(2) / 12)
    degrees = np.mod(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])), 180.0)
    return np.array([[*centre, 2 * np.sqrt(variances[1]), 2 * np.sqrt(variances[0]), degrees]])


def fit_points(points: ArrayLike) -> Floats:
    """Return the ellipse `(1, 5)` inside the smallest rotated box around points `(n, 2)`; `(0, 5)` of none."""
    return rotated.around(points) * [1.0, 1.0, 0.5, 0.5, 1.0]
