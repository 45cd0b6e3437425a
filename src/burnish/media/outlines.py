"""Shapes on pictures: anti-aliased outlines and translucent fills, with corners between pixels where they are.

A line covers a pixel by how far the pixel's centre is from it, which is smooth at every angle, and round at ends and corners, without
drawing anything larger than it is. The edge of a fill is hidden by the line upon it and needs no such care.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.geometry import masks, rasters
from burnish.media.blending import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.media.colours import Colour

_FAR: Final = 100_000.0  # no picture reaches this far; what does is cut off
_WHITE: Final = (255, 255, 255)
_PIECE: Final = 16.0  # pixels: slanting lines are cut into pieces of about this size, whose surroundings are small


@dataclass(frozen=True, slots=True)
class Pen:
    """How a shape is drawn: colour, line width in pixels, opacity of the fill."""

    colour: Colour
    width: int
    fill: float


def draw_rings(pixels: NDArray[np.uint8], rings: Sequence[NDArray[np.float64]], pen: Pen, *, fill: bool = True) -> None:
    """Draw closed rings (k, 2) in place, filled where an odd number of them lie over one another, so that inner rings are holes."""
    finite = [_finite(ring) for ring in rings if len(ring)]
    if not finite:
        return
    if fill and pen.fill > 0:
        _fill(pixels, finite, pen)
    if len(finite) == 1 and _is_upright(finite[0]):
        _frame(pixels, finite[0], pen)
        return
    _stroke(pixels, np.concatenate(finite), np.concatenate([np.roll(ring, -1, axis=0) for ring in finite]), pen)


def draw_path(pixels: NDArray[np.uint8], points: NDArray[np.float64], pen: Pen) -> None:
    """Draw an open line through points (k, 2), in place."""
    if len(points):
        finite = _finite(points)
        _stroke(pixels, finite[:-1] if len(finite) > 1 else finite, finite[1:] if len(finite) > 1 else finite, pen)


def draw_mask(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], pen: Pen) -> None:
    """Draw a mask (height, width) in place: its fill, and its edge as a line."""
    around = masks.box(mask).astype(np.int64)
    if len(around) == 0:
        return
    x1, y1, x2, y2 = around[0].tolist()
    inside = mask[y1:y2, x1:x2]
    if pen.fill > 0:
        blend(pixels, inside * _opacity(pen.fill), (x1, y1), pen.colour)
    reach = pen.width // 2 + 1
    blend(pixels, _edge_cover(inside, reach, pen.width), (x1 - reach, y1 - reach), pen.colour)


def draw_dots(pixels: NDArray[np.uint8], points: NDArray[np.float64], pen: Pen, hollow: NDArray[np.bool_] | None = None) -> None:
    """Draw points (k, 2) as discs with a white rim, in place; hollow ones as rings."""
    radius = 1.5 * pen.width + 1.0
    for index, point in enumerate(_finite(points)):
        _disc(pixels, point, 0.0, radius + max(1.0, pen.width / 2), _WHITE)
        half = max(1, pen.width // 2) / 2
        is_hollow = hollow is not None and bool(hollow[index])
        _disc(pixels, point, radius - half if is_hollow else 0.0, radius + half if is_hollow else radius, pen.colour)


def _finite(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.nan_to_num(points, nan=0.0, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)


def _opacity(share: float) -> np.uint8:
    return np.uint8(round(255 * share))


def _covered(depth: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Cover of pixels whose centres lie `depth` pixels inside an edge: half on the edge itself."""
    return (np.clip(depth + 0.5, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


def _fill(pixels: NDArray[np.uint8], rings: list[NDArray[np.float64]], pen: Pen) -> None:
    points = np.concatenate(rings)
    low = np.maximum(np.floor(points.min(axis=0)), 0).astype(np.int64)
    high = np.minimum(np.ceil(points.max(axis=0)), pixels.shape[1::-1]).astype(np.int64)
    width, height = np.maximum(high - low, 0).tolist()
    inside = rasters.fill([ring - low for ring in rings], height, width)
    blend(pixels, inside * _opacity(pen.fill), (int(low[0]), int(low[1])), pen.colour)


def _is_upright(ring: NDArray[np.float64]) -> bool:
    """Whether a ring is a box that is not turned."""
    (x, y), around = ring[0], ring.tolist()
    other_x, other_y = ring[len(ring) // 2]
    return around in ([[x, y], [other_x, y], [other_x, other_y], [x, other_y]], [[x, y], [x, other_y], [other_x, other_y], [other_x, y]])


def _frame(pixels: NDArray[np.uint8], ring: NDArray[np.float64], pen: Pen) -> None:
    """Draw an upright box with sharp corners: each pixel is covered by the area that the line takes of it."""
    half = pen.width / 2
    ends = np.clip(ring, -pen.width - 1, np.array(pixels.shape[1::-1]) + pen.width + 1)  # what is clipped is out of sight
    low, high = ends.min(axis=0), ends.max(axis=0)
    left, top = (int(value) for value in np.floor(low - half))
    right, bottom = (int(value) for value in np.ceil(high + half))
    outer_x, inner_x = _overlap(left, right, low[0] - half, high[0] + half), _overlap(left, right, low[0] + half, high[0] - half)
    outer_y, inner_y = _overlap(top, bottom, low[1] - half, high[1] + half), _overlap(top, bottom, low[1] + half, high[1] - half)
    width, height, line = right - left, bottom - top, pen.width + 1
    first_x, last_x = min(line, width), max(width - line, min(line, width))
    first_y, last_y = min(line, height), max(height - line, min(line, height))
    strips = (
        (slice(first_y), slice(width)),
        (slice(last_y, height), slice(width)),
        (slice(first_y, last_y), slice(first_x)),
        (slice(first_y, last_y), slice(last_x, width)),
    )
    for rows, columns in strips:
        cover = outer_y[rows, None] * outer_x[columns] - inner_y[rows, None] * inner_x[columns]
        corner = left + (columns.start or 0), top + (rows.start or 0)
        blend(pixels, (cover * 255 + 0.5).astype(np.uint8), corner, pen.colour)


def _overlap(first: int, last: int, low: float, high: float) -> NDArray[np.float64]:
    """Length that each pixel from the first to before the last has in common with the range from low to high."""
    left = np.arange(first, last)
    return np.maximum(np.minimum(left + 1, high) - np.maximum(left, low), 0.0)


def _disc(pixels: NDArray[np.uint8], centre: NDArray[np.float64], inner: float, outer: float, colour: Colour) -> None:
    """A disc, or the ring between two radii."""
    x, y = (int(value) for value in np.floor(centre - outer - 1))
    side = np.arange(int(2 * outer) + 4) + 0.5
    distance = np.hypot(side[None, :] + (x - centre[0]), side[:, None] + (y - centre[1]))
    depth = outer - distance if inner <= 0 else np.minimum(outer - distance, distance - inner)
    blend(pixels, _covered(depth), (x, y), colour)


def _edge_cover(inside: NDArray[np.bool_], reach: int, width: int) -> NDArray[np.uint8]:
    """Cover of a line along the pixels at a mask's edge, `reach` pixels wider than the mask on every side: a disc around each of them."""
    rows, columns = np.nonzero(masks.edges(inside))
    cover = np.zeros((inside.shape[0] + 2 * reach, inside.shape[1] + 2 * reach), np.uint8)
    offsets = np.arange(2 * reach + 1)
    disc = _covered(width / 2 - np.hypot(offsets[:, None] - reach, offsets - reach))
    places = rows * cover.shape[1] + columns
    flat = cover.reshape(-1)
    for down, across in np.argwhere(disc).tolist():
        there = places + (down * cover.shape[1] + across)
        flat[there] = np.maximum(flat[there], disc[down, across])
    return cover


def _stroke(pixels: NDArray[np.uint8], starts: NDArray[np.float64], ends: NDArray[np.float64], pen: Pen) -> None:
    """Draw the lines from each start to its end, all at once: where they meet, the one that covers more counts."""
    starts, ends = _pieces(starts, ends)
    reach = pen.width / 2 + 1
    low = np.clip(np.floor(np.minimum(starts, ends) - reach), 0, pixels.shape[1::-1]).astype(np.int64)
    high = np.clip(np.ceil(np.maximum(starts, ends) + reach), 0, pixels.shape[1::-1]).astype(np.int64)
    seen = (high > low).all(axis=1)
    if not seen.any():
        return
    starts, ends, low, high = starts[seen], ends[seen], low[seen], high[seen]
    piece, x, y = _surroundings(low, high)
    depth = pen.width / 2 - _distances(x, y, starts[piece] - 0.5, ends[piece] - 0.5)
    touched = depth > -0.5  # noqa: PLR2004 - half a pixel outside nothing is covered any more
    _blend_thin(pixels, x[touched], y[touched], _covered(depth[touched]), pen.colour)


def _pieces(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lines, the slanting ones cut: upright and level ones have small surroundings at any length."""
    counts = np.maximum(np.ceil(np.abs(ends - starts).min(axis=1) / _PIECE), 1).astype(np.int64)
    line = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
    step = ((ends - starts) / counts[:, None])[line]
    return starts[line] + step * number[:, None], starts[line] + step * (number[:, None] + 1)


def _surroundings(low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every pixel of every box: the box's number, x and y."""
    width, height = (high - low).T
    counts = width * height
    box = np.repeat(np.arange(len(low)), counts)
    down, across = np.divmod(np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts), width[box])
    return box, low[box, 0] + across, low[box, 1] + down


def _distances(x: NDArray[np.int64], y: NDArray[np.int64], starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each point to the line from its start to its end; a line of no length is a point."""
    along_x, along_y = (ends - starts).T
    from_x, from_y = x - starts[:, 0], y - starts[:, 1]
    squared = along_x * along_x + along_y * along_y
    share = np.clip((from_x * along_x + from_y * along_y) / np.where(squared > 0, squared, 1.0), 0.0, 1.0)
    return np.hypot(from_x - share * along_x, from_y - share * along_y)


def _blend_thin(pixels: NDArray[np.uint8], x: NDArray[np.int64], y: NDArray[np.int64], cover: NDArray[np.uint8], colour: Colour) -> None:
    """Lay a colour over some pixels; of one that is named more than once the greatest cover counts."""
    width = pixels.shape[1]
    greatest = np.zeros(pixels.shape[0] * width, np.uint8)
    places = y * width + x
    np.maximum.at(greatest, places, cover)
    below = pixels[y, x].astype(np.float32)
    share = greatest[places, None] * np.float32(1 / 255)
    # All are read before any is written, so that the same pixel gets the same colour each time.
    pixels[y, x] = (below + (np.array(colour, np.float32) - below) * share + np.float32(0.5)).astype(np.uint8)
