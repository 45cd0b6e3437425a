"""From polygons to masks and back: both along the edges of pixels, so that nothing is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from burnish.geometry.arrays import as_mask, require_finite
from burnish.geometry.masks import labelled
from burnish.geometry.polygons import sides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats, Ints, Rings


def fill(rings: Sequence[ArrayLike], height: int, width: int) -> Bools:
    """Return the mask `(height, width)` of the pixels whose centres lie inside a polygon, by the even-odd rule.

    Parts outside the picture are cut off. Polygons that share an edge share no pixel and leave none out.

    Raises:
        DataError: A vertex is NaN or infinite.
    """
    mask = np.zeros((height, width), dtype=np.bool_)
    starts, ends = sides(rings)
    require_finite(starts, "rings")
    rows, columns = _row_crossings(starts, ends, height, width)
    if len(rows) == 0:
        return mask
    top, left = rows.min(), columns.min()
    toggles = np.zeros((rows.max() - top + 1, columns.max() - left + 1), dtype=np.uint8)
    np.add.at(toggles, (rows - top, columns - left), 1)
    # Bytes wrap around, which leaves odd numbers odd.
    inside = np.cumsum(toggles, axis=1, dtype=np.uint8)[:, :-1] & 1
    mask[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return mask


def trace(mask: ArrayLike, *, connectivity: Literal[4, 8] = 8) -> list[Rings]:
    """Return the polygons of a mask, one for each connected component: its outer ring, then its holes.

    Rings run along the edges of pixels (only corners are kept): outer ones have positive area, holes negative, and
    `fill` of them is the mask again. A single pixel is a square of four vertices.

    Args:
        mask: `(height, width)`.
        connectivity: Whether pixels that touch at a corner are one component (8) or two (4).
    """
    mask = as_mask(mask)
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return []
    top, left = rows[0], columns[0]
    framed = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    y, x, along, down = _corners(framed, connectivity)
    loops = _loops(along, down)
    starts = np.array([loop[0] for loop in loops])
    is_single = np.count_nonzero(framed[y[starts] + 1, x[starts] + 1]) == 1
    labels = framed.astype(np.int32) if is_single else labelled(framed, connectivity)[0]
    polygons: dict[int, Rings] = {}
    holes: list[tuple[int, Floats]] = []
    for loop in loops:
        ring = np.stack([x[loop] + left, y[loop] + top], axis=1).astype(np.float64)
        # Every loop starts at its upper left corner and goes right: below that first side lies its inside.
        above, below = labels[y[loop[0]] : y[loop[0]] + 2, x[loop[0]] + 1]
        if below:
            polygons[int(below)] = [ring]
        else:
            holes.append((int(above), ring[::-1]))
    for label, ring in holes:
        polygons[label].append(ring)
    return list(polygons.values())


def _row_crossings(starts: Floats, ends: Floats, height: int, width: int) -> tuple[Ints, Ints]:
    """Rows and first columns at which a line through the centres of a row of pixels enters or leaves the polygon."""
    # The lower end first, always: two polygons compute the side that they share from the same numbers.
    swap = starts[:, 1] > ends[:, 1]
    low, high = np.where(swap[:, None], ends, starts), np.where(swap[:, None], starts, ends)
    first = np.clip(np.ceil(low[:, 1] - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(high[:, 1] - 0.5), 0, height).astype(np.int64)
    count = last - first
    side = np.repeat(np.arange(len(count)), count)
    rows = np.arange(len(side)) - np.repeat(np.cumsum(count) - count, count) + first[side]
    slope = (high[side, 0] - low[side, 0]) / (high[side, 1] - low[side, 1])
    x = low[side, 0] + (rows + 0.5 - low[side, 1]) * slope
    return rows, np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)


def _corners(framed: Bools, connectivity: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Corners of the mask's outline: `y`, `x`, and for each the corner at the other end of its level and of its upright side.

    A corner where two pixels touch diagonally is two corners in the same place; which sides each of the two has decides whether
    the outline runs through between the pixels or around each.
    """
    upper_left, upper_right = framed[:-1, :-1], framed[:-1, 1:]
    lower_left, lower_right = framed[1:, :-1], framed[1:, 1:]
    diagonal = (upper_left == lower_right) & (upper_right == lower_left) & (upper_left != upper_right)
    copies = (upper_left ^ upper_right ^ lower_left ^ lower_right) + 2 * diagonal.astype(np.uint8)
    flat = np.repeat(np.flatnonzero(copies), copies[copies > 0])
    y, x = np.divmod(flat, copies.shape[1])
    # Left to right corners take turns to begin and to end a side; so they do from top to bottom.
    along = np.arange(len(flat)) ^ 1
    second = np.concatenate([[False], flat[1:] == flat[:-1]])
    double = diagonal.ravel()[flat]
    crosswise = double & (upper_left[y, x] == (connectivity == 8))  # noqa: PLR2004 - the eight neighbours
    order = np.lexsort([second ^ crosswise, y, x])
    down = np.empty(len(flat), dtype=np.int64)
    down[order[0::2]], down[order[1::2]] = order[1::2], order[0::2]
    return y, x, along, down


def _loops(along: Ints, down: Ints) -> list[Ints]:
    """Corners of each closed outline in order, from its upper left corner clockwise."""
    level, upright = along.tolist(), down.tolist()
    free = [True] * len(level)
    loops: list[Ints] = []
    for start in range(len(level)):
        if not free[start]:
            continue
        loop: list[int] = []
        here = start
        while free[here]:
            other = level[here]
            free[here] = free[other] = False
            loop += [here, other]
            here = upright[other]
        loops.append(np.array(loop, dtype=np.int64))
    return loops
