"""Polylines: open curves through points `(n, 2)`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from burnish.geometry.arrays import as_box, as_points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Floats, Rings


def length(line: ArrayLike) -> float:
    """Return the length of a polyline in pixels."""
    return float(np.hypot(*np.diff(as_points(line, "line"), axis=0).T).sum())


def clip(line: ArrayLike, box: ArrayLike) -> Rings:
    """Return the pieces of a polyline that lie in a box `(4,)`, in their order; each has at least two points.

    Every side is cut by the edges' parameters along it (Liang and Barsky, 1984). A piece that only touches the box is left out.
    """
    points, (x1, y1, x2, y2) = as_points(line, "line"), as_box(box)
    pieces: list[list[Floats]] = []
    joined = False
    for start, end in pairwise(points):
        span = _span(start, end - start, np.array([x1, y1]), np.array([x2, y2]))
        if span is None:
            joined = False
            continue
        enter, leave = span
        # Ends are taken as they are, for start + 1 * (end - start) may miss the end by a digit.
        first = start if enter == 0 else start + enter * (end - start)
        last = end if leave == 1 else start + leave * (end - start)
        if joined and enter == 0:
            pieces[-1].append(last)
        else:
            pieces.append([first, last])
        joined = leave == 1
    return [np.array(piece) for piece in pieces]


def _span(start: Floats, way: Floats, low: Floats, high: Floats) -> tuple[float, float] | None:
    """From where to where along a side, 0 to 1, it lies in the box; None where that is no more than a point."""
    enter, leave = 0.0, 1.0
    for axis in (0, 1):
        if way[axis] == 0:
            if not low[axis] <= start[axis] <= high[axis]:
                return None
            continue
        near, far = sorted([(low[axis] - start[axis]) / way[axis], (high[axis] - start[axis]) / way[axis]])
        enter, leave = max(enter, near), min(leave, far)
    return (float(enter), float(leave)) if enter < leave else None
