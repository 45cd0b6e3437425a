"""Write a polygon of several rings as one ring with bridges of no width, as YOLO's segment files want it, and take it apart again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from burnish.geometry.arrays import as_points
from burnish.geometry.polygons import drop_repeats, orient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Floats, Rings

_MIN_VERTICES = 3


def join(rings: Sequence[ArrayLike]) -> Floats:
    """Return one ring `(n, 2)` through all rings, over the shortest bridges between their vertices.

    Bridges are the shortest tree that connects the rings (Prim, 1957), each walked there and back, so that they enclose nothing.
    Holes run against their parts: the ring's area is that of the polygon under any filling rule.
    """
    parts = [ring for ring in map(drop_repeats, orient(rings)) if len(ring)]
    if not parts:
        return np.zeros((0, 2))
    walks: list[dict[int, list[Floats]]] = [{} for _ in parts]
    # Rings that were reached last have nothing hanging on them that is still open.
    for child, parent, on_child, on_parent in reversed(_shortest_tree(parts)):
        walk = _walk(parts[child], walks[child], on_child)
        walks[parent].setdefault(on_parent, []).append(np.concatenate([walk, walk[:1]]))
    return _walk(parts[0], walks[0], 0)


def split(ring: ArrayLike) -> Rings:
    """Take a joined ring apart: every side that is also walked backwards is a bridge, and is left out.

    A ring without bridges comes back alone, unchanged but for repeated vertices; spikes of no width disappear. Rings of fewer than three
    vertices are left out, so the list may be empty.
    """
    points = drop_repeats(as_points(ring, "ring"))
    if len(points) == 0:
        return []
    numbers = np.unique(points, axis=0, return_inverse=True)[1].ravel().tolist()
    open_pieces, done = [list(range(len(points)))], []
    while open_pieces:
        piece = open_pieces.pop()
        bridge = _first_bridge([numbers[at] for at in piece])
        if bridge is None:
            done.append(piece)
            continue
        there, back = bridge
        open_pieces += [piece[there + 1 : back], piece[: there + 1] + piece[back + 2 :]]
    loops = [drop_repeats(points[piece]) for piece in done]
    return [loop for loop in loops if len(loop) >= _MIN_VERTICES]


def _shortest_tree(parts: Rings) -> list[tuple[int, int, int, int]]:
    """Bridges `(child, parent, vertex of child, vertex of parent)` in the order in which rings are reached from the first."""
    sizes = np.array([len(part) for part in parts])
    starts = np.cumsum(sizes) - sizes
    points = np.concatenate(parts)
    distances = np.full(len(points), np.inf)
    nearest = np.zeros((len(points), 2), dtype=np.int64)
    waiting = np.ones(len(parts), dtype=np.bool_)
    bridges: list[tuple[int, int, int, int]] = []
    reached = 0
    for _ in range(len(parts) - 1):
        waiting[reached] = False
        far = np.repeat(waiting, sizes)
        gaps, vertices = KDTree(parts[reached]).query(points[far])
        nearer = gaps < distances[far]
        better = np.flatnonzero(far)[nearer]
        nearest[better, 0], nearest[better, 1] = reached, np.asarray(vertices)[nearer]
        distances[better] = np.asarray(gaps)[nearer]
        at = int(np.argmin(np.where(far, distances, np.inf)))
        reached = int(np.searchsorted(starts, at, side="right")) - 1
        bridges.append((reached, int(nearest[at, 0]), at - int(starts[reached]), int(nearest[at, 1])))
    return bridges


def _walk(ring: Floats, detours: dict[int, list[Floats]], start: int) -> Floats:
    """The ring from vertex `start` once around, with a walk there and back wherever a detour hangs on a vertex."""
    pieces: Rings = []
    for at in (*range(start, len(ring)), *range(start)):
        pieces.append(ring[at : at + 1])
        for detour in detours.get(at, []):
            pieces += [detour, ring[at : at + 1]]
    return np.concatenate(pieces)


def _first_bridge(numbers: list[int]) -> tuple[int, int] | None:
    """Positions of a side and of the same side walked backwards, the earliest such pair to be closed."""
    seen: dict[tuple[int, int], int] = {}
    for at, here in enumerate(numbers):
        following = numbers[(at + 1) % len(numbers)]
        if (following, here) in seen:
            return seen[following, here], at
        seen[here, following] = at
    return None
