"""Axis-aligned boxes: `(n, 4)` of x1, y1, x2, y2 in absolute pixels, half-open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.geometry.arrays import as_boxes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats, Ints


def from_xywh(boxes: ArrayLike) -> Floats:
    """Turn COCO's `(n, 4)` of left, top, width, height into boxes."""
    left, top, width, height = as_boxes(boxes).T
    return np.stack([left, top, left + width, top + height], axis=1)


def to_xywh(boxes: ArrayLike) -> Floats:
    """Turn boxes into COCO's `(n, 4)` of left, top, width, height."""
    x1, y1, x2, y2 = as_boxes(boxes).T
    return np.stack([x1, y1, x2 - x1, y2 - y1], axis=1)


def from_cxcywh(boxes: ArrayLike) -> Floats:
    """Turn `(n, 4)` of centre x, centre y, width, height into boxes."""
    cx, cy, width, height = as_boxes(boxes).T
    return np.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], axis=1)


def to_cxcywh(boxes: ArrayLike) -> Floats:
    """Turn boxes into `(n, 4)` of centre x, centre y, width, height."""
    x1, y1, x2, y2 = as_boxes(boxes).T
    return np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], axis=1)


def from_yolo(boxes: ArrayLike, width: ArrayLike, height: ArrayLike) -> Floats:
    """Turn YOLO's `(n, 4)` of centre, width, height as shares of the picture into boxes.

    Args:
        boxes: `(n, 4)`.
        width: Width of the picture in pixels, or `(n,)` of them where the rows lie on different pictures.
        height: Its height, likewise.
    """
    boxes = as_boxes(boxes)
    return from_cxcywh(boxes * _sizes(width, height, len(boxes)))


def to_yolo(boxes: ArrayLike, width: ArrayLike, height: ArrayLike) -> Floats:
    """Turn boxes into YOLO's shares of the picture; arguments as in `from_yolo`. Nothing is clipped: see `clip`."""
    boxes = as_boxes(boxes)
    return to_cxcywh(boxes) / _sizes(width, height, len(boxes))


def area(boxes: ArrayLike) -> Floats:
    """Return areas `(n,)` in square pixels; 0 where a box is empty or inside out."""
    x1, y1, x2, y2 = as_boxes(boxes).T
    return np.maximum(x2 - x1, 0.0) * np.maximum(y2 - y1, 0.0)


def valid(boxes: ArrayLike, *, min_size: float = 0.0) -> Bools:
    """Say which boxes `(n,)` are finite, the right way round, and have sides longer than `min_size` pixels."""
    boxes = as_boxes(boxes)
    finite = np.all(np.isfinite(boxes), axis=1)
    x1, y1, x2, y2 = np.where(finite[:, None], boxes, 0.0).T
    return finite & (x2 - x1 > min_size) & (y2 - y1 > min_size)


def straighten(boxes: ArrayLike) -> Floats:
    """Exchange corners where a box is inside out, so that `x1 <= x2` and `y1 <= y2`."""
    boxes = as_boxes(boxes)
    return np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)


def clip(boxes: ArrayLike, width: ArrayLike, height: ArrayLike) -> Floats:
    """Cut boxes at the edges of their picture; one that lies outside becomes a line or a point on the edge."""
    boxes = as_boxes(boxes)
    return np.clip(boxes, 0.0, _sizes(width, height, len(boxes)))


def intersection(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return what is common to the boxes of each row, `(n, 4)`; `first` or `second` may be a single row.

    Where they do not meet the result has no area: its right or lower edge is drawn back to the left or upper one.
    """
    first, second = as_boxes(first, "first"), as_boxes(second, "second")
    low = np.maximum(first[:, :2], second[:, :2])
    return np.concatenate([low, np.maximum(np.minimum(first[:, 2:], second[:, 2:]), low)], axis=1)


def hull(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the smallest box around both boxes of each row, `(n, 4)` (the union of two boxes is seldom a box)."""
    first, second = as_boxes(first, "first"), as_boxes(second, "second")
    return np.concatenate([np.minimum(first[:, :2], second[:, :2]), np.maximum(first[:, 2:], second[:, 2:])], axis=1)


def around(boxes: ArrayLike) -> Floats:
    """Return the smallest box `(1, 4)` around all boxes, or `(0, 4)` of none."""
    boxes = as_boxes(boxes)
    if len(boxes) == 0:
        return boxes
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])[None]


def shift(boxes: ArrayLike, dx: ArrayLike, dy: ArrayLike) -> Floats:
    """Move boxes by pixels; `dx` and `dy` are numbers or `(n,)`."""
    boxes = as_boxes(boxes)
    return boxes + _sizes(dx, dy, len(boxes))


def scale(boxes: ArrayLike, sx: ArrayLike, sy: ArrayLike) -> Floats:
    """Scale boxes with the picture they lie on; `sx` and `sy` are numbers or `(n,)`."""
    boxes = as_boxes(boxes)
    return boxes * _sizes(sx, sy, len(boxes))


def to_pixels(boxes: ArrayLike) -> Ints:
    """Return the whole pixels that boxes touch, int64 `(n, 4)`: rounded outwards, ready for slicing."""
    boxes = as_boxes(boxes)
    # A corner that arithmetic has moved by less than a millionth of a pixel must not claim a whole new row.
    low, high = np.floor(boxes[:, :2] + 1e-6), np.ceil(boxes[:, 2:] - 1e-6)
    return np.concatenate([low, np.maximum(low, high)], axis=1).astype(np.int64)


def _sizes(width: ArrayLike, height: ArrayLike, count: int) -> Floats:
    """Lay two numbers or columns out as `(count, 4)`: width, height, width, height."""
    columns = [np.broadcast_to(np.asarray(side, dtype=np.float64), (count,)) for side in (width, height)]
    return np.stack([*columns, *columns], axis=1)
