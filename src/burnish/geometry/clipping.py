"""Cut polygons at the edges of a box, exactly: a shape that falls apart becomes several rings, and holes stay holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.geometry.arrays import as_box, as_points
from burnish.geometry.polygons import drop_repeats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats, Rings

_MIN_VERTICES = 3


def clip(rings: Sequence[ArrayLike], box: ArrayLike) -> Rings:
    """Return the part of a polygon (even-odd) that lies in a box `(4,)` of x1, y1, x2, y2.

    Rings of the result do not run along one another; what has no area is left out, so the list may be empty. Which way round a ring
    goes is not kept: see `polygons.orient`.
    """
    x1, y1, x2, y2 = as_box(box)
    kept: Rings = [as_points(ring, "ring") for ring in rings]
    for axis, sign, edge in ((0, 1.0, x1), (1, 1.0, y1), (0, -1.0, x2), (1, -1.0, y2)):
        kept = _clip_half_plane(kept, axis, sign, edge)
    return kept


def _clip_half_plane(rings: Rings, axis: int, sign: float, edge: float) -> Rings:
    """Keep what lies where `sign * coordinate >= sign * edge`."""
    whole: Rings = []
    chains: Rings = []
    for ring in rings:
        inside = sign * (ring[:, axis] - edge) >= 0
        if inside.all():
            whole.append(ring)
        elif inside.any():
            chains += _chains_inside(ring, inside, axis, edge)
    closed = (drop_repeats(ring) for ring in _link(chains, 1 - axis))
    return [ring for ring in [*whole, *closed] if len(ring) >= _MIN_VERTICES and (np.ptp(ring, axis=0) > 0).all()]


def _chains_inside(ring: Floats, inside: Bools, axis: int, edge: float) -> Rings:
    """Runs of vertices inside, each with the crossing before its first and after its last one."""
    # Start at a vertex that lies inside and follows one that does not, so that no run is broken by the end of the list.
    start = int(np.flatnonzero(inside & ~np.roll(inside, 1))[0])
    ring, inside = np.roll(ring, -start, axis=0), np.roll(inside, -start)
    firsts = np.flatnonzero(inside & ~np.roll(inside, 1))
    lasts = np.flatnonzero(inside & ~np.roll(inside, -1))
    chains: Rings = []
    for first, last in zip(firsts, lasts, strict=True):
        entry = _crossing(ring[first], ring[first - 1], axis, edge)
        leave = _crossing(ring[last], ring[(last + 1) % len(ring)], axis, edge)
        chains.append(np.concatenate([[entry], ring[first : last + 1], [leave]]))
    return chains


def _crossing(inner: Floats, outer: Floats, axis: int, edge: float) -> Floats:
    share = (edge - inner[axis]) / (outer[axis] - inner[axis])
    point = inner + share * (outer - inner)
    point[axis] = edge
    return point


def _link(chains: Rings, along: int) -> Rings:
    """Close chains along the edge: between an odd crossing and the next even one the polygon's inside meets the edge."""
    if not chains:
        return []
    # Crossing 2c is the first point of chain c, 2c + 1 its last.
    positions = np.array([[chain[0, along], chain[-1, along]] for chain in chains]).ravel()
    order = np.argsort(positions, kind="stable")
    partner = np.empty(len(order), dtype=np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    free = np.ones(len(chains), dtype=np.bool_)
    rings: Rings = []
    for start in range(len(chains)):
        if not free[start]:
            continue
        pieces: Rings = []
        entry = 2 * start
        while free[entry // 2]:
            chain = chains[entry // 2]
            free[entry // 2] = False
            pieces.append(chain if entry % 2 == 0 else chain[::-1])
            entry = int(partner[entry ^ 1])
        rings.append(np.concatenate(pieces))
    return rings
