"""Cut large pictures into overlapping tiles, and take labels into a tile and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.geometry import boxes as upright
from burnish.geometry import clipping, polygons
from burnish.geometry.arrays import as_box, as_boxes, as_mask, as_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats, Ints, Rings


def cut(width: int, height: int, *, tile_width: int = 1920, tile_height: int = 1080, overlap: int = 0) -> Ints:
    """Return the fewest tiles that cover a picture, int64 `(n, 4)` of x1, y1, x2, y2, row by row.

    All tiles have the same size (smaller than asked for only where the picture is) and stand in equal steps, to within a pixel.

    Args:
        width: Of the picture.
        height: Of the picture.
        tile_width: The greatest width of a tile.
        tile_height: The greatest height.
        overlap: Pixels that neighbours share at least.

    Raises:
        DataError: A size is not positive, or the overlap is negative or not smaller than a tile.
    """
    if min(width, height, tile_width, tile_height) < 1 or not 0 <= overlap < min(tile_width, tile_height):
        raise DataError(
            f"tiles: found a picture of {width} x {height}, tiles of {tile_width} x {tile_height} and an overlap of {overlap} pixels, "
            "expected positive sizes and an overlap smaller than a tile."
        )
    lefts, tops = _starts(width, tile_width, overlap), _starts(height, tile_height, overlap)
    x, y = np.tile(lefts, len(tops)), np.repeat(tops, len(lefts))
    return np.stack([x, y, x + min(width, tile_width), y + min(height, tile_height)], axis=1)


def boxes_into(boxes: ArrayLike, tile: ArrayLike, *, min_visible: ArrayLike = 0.5) -> tuple[Floats, Ints]:
    """Return the boxes that a tile shows, cut at its edges, in its own pixels `(k, 4)`, and the rows they come from `(k,)`.

    Args:
        boxes: `(n, 4)`.
        tile: `(4,)`.
        min_visible: The share of its area that a box must keep, a number or `(n,)`; what shows nothing is never taken. Of a box without
            area the centre must lie in the tile.
    """
    boxes, x1, y1, x2, y2 = as_boxes(boxes), *as_box(tile, "tile")
    inside = upright.intersection(boxes, [[x1, y1, x2, y2]])
    shown = _visible(boxes, inside, (x1, y1, x2, y2))
    rows = np.flatnonzero((shown > 0) & (shown >= np.asarray(min_visible, dtype=np.float64)))
    return upright.shift(inside[rows], -x1, -y1), rows


def boxes_out(boxes: ArrayLike, tile: ArrayLike) -> Floats:
    """Return boxes `(n, 4)` of a tile in the pixels of its picture."""
    x1, y1, _, _ = as_box(tile, "tile")
    return upright.shift(boxes, x1, y1)


def polygon_into(rings: Sequence[ArrayLike], tile: ArrayLike, *, min_visible: float = 0.5) -> Rings:
    """Return the part of a polygon that a tile shows, in the tile's pixels; no ring where less than `min_visible` of its area is left."""
    x1, y1, x2, y2 = as_box(tile, "tile")
    shown = clipping.clip(rings, [x1, y1, x2, y2])
    whole, left = polygons.area(rings), polygons.area(shown)
    if left <= 0 or left < min_visible * whole:
        return []
    return [ring - [x1, y1] for ring in shown]


def polygon_out(rings: Sequence[ArrayLike], tile: ArrayLike) -> Rings:
    """Return a polygon of a tile in the pixels of its picture."""
    x1, y1, _, _ = as_box(tile, "tile")
    return [as_points(ring, "ring") + np.array([x1, y1]) for ring in rings]


def mask_into(mask: ArrayLike, tile: ArrayLike, *, min_visible: float = 0.5) -> Bools | None:
    """Return the part of a mask that a tile shows, or None where less than `min_visible` of its pixels, or nothing, is left."""
    checked = as_mask(mask)
    x1, y1, x2, y2 = (int(edge) for edge in as_box(tile, "tile"))
    shown = checked[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    left = np.count_nonzero(shown)
    return None if left == 0 or left < min_visible * np.count_nonzero(checked) else shown.copy()


def mask_out(mask: ArrayLike, tile: ArrayLike, height: int, width: int) -> Bools:
    """Return a mask of a tile as a mask `(height, width)` of its picture.

    Raises:
        DataError: The mask does not have the tile's size, or the tile does not lie in the picture.
    """
    checked = as_mask(mask)
    x1, y1, x2, y2 = (int(edge) for edge in as_box(tile, "tile"))
    if checked.shape != (y2 - y1, x2 - x1) or x1 < 0 or y1 < 0 or x2 > width or y2 > height:
        raise DataError(f"mask: found shape {checked.shape} for the tile {x1}, {y1}, {x2}, {y2} of a picture of {width} x {height} pixels.")
    whole = np.zeros((height, width), dtype=np.bool_)
    whole[y1:y2, x1:x2] = checked
    return whole


def _starts(length: int, tile: int, overlap: int) -> Ints:
    if length <= tile:
        return np.zeros(1, dtype=np.int64)
    count = -(-(length - overlap) // (tile - overlap))
    # Rounding down all steps alike keeps neighbours at most one rounded-up step apart, which the count leaves room for.
    return np.arange(count, dtype=np.int64) * (length - tile) // (count - 1)


def _visible(boxes: Floats, inside: Floats, tile: tuple[float, float, float, float]) -> Floats:
    """Shares `(n,)` of boxes that are left; of one without area 1 or 0, as its centre lies in the tile or not."""
    areas = upright.area(boxes)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    centred = (x >= tile[0]) & (x < tile[2]) & (y >= tile[1]) & (y < tile[3])
    shares = np.divide(upright.area(inside), areas, out=np.zeros(len(boxes)), where=areas > 0)
    return np.where(areas > 0, shares, centred)
