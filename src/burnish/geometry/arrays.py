"""The kinds of arrays that this room speaks of, and the checks at its door."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from burnish.errors import DataError

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.uint32]
Rings: TypeAlias = list[Floats]


def as_boxes(boxes: ArrayLike, name: str = "boxes") -> Floats:
    """Return boxes as float64 `(n, 4)`; an empty list is `(0, 4)`.

    Raises:
        DataError: The array has another shape.
    """
    return _as_rows(boxes, 4, name, "x1, y1, x2, y2")


def as_box(box: ArrayLike, name: str = "box") -> tuple[float, float, float, float]:
    """Return the edges x1, y1, x2, y2 of one box, given as `(4,)` or `(1, 4)`.

    Raises:
        DataError: The array has another shape.
    """
    array = np.asarray(box, dtype=np.float64)
    if array.shape not in {(4,), (1, 4)}:
        raise DataError(f"{name}: found shape {array.shape}, expected (4,) of x1, y1, x2, y2.")
    x1, y1, x2, y2 = array.ravel().tolist()
    return x1, y1, x2, y2


def as_rotated(rotated: ArrayLike, name: str = "rotated boxes") -> Floats:
    """Return rotated boxes as float64 `(n, 5)`; an empty list is `(0, 5)`.

    Raises:
        DataError: The array has another shape.
    """
    return _as_rows(rotated, 5, name, "cx, cy, width, height, degrees")


def as_points(points: ArrayLike, name: str = "points") -> Floats:
    """Return points as float64 `(n, 2)`; an empty list is `(0, 2)`.

    Raises:
        DataError: The array has another shape.
    """
    return _as_rows(points, 2, name, "x, y")


def as_scores(scores: ArrayLike, count: int, name: str = "scores") -> Floats:
    """Return scores as float64 `(count,)`.

    Raises:
        DataError: There are more or fewer than `count`, or some are not finite numbers.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.shape != (count,):
        raise DataError(f"{name}: found shape {array.shape}, expected ({count},), one for each row.")
    require_finite(array[:, None], name)
    return array


def as_mask(mask: ArrayLike, name: str = "mask") -> Bools:
    """Return a mask as booleans `(height, width)`; of integers, all but 0 is inside.

    Raises:
        DataError: The array is not two-dimensional, or holds floats, whose threshold only the caller knows.
    """
    array = np.asarray(mask)
    if array.dtype.kind == "f":
        raise DataError(f"{name}: found {array.dtype}, expected booleans. Say the threshold, for instance: {name} > 0.5")
    if array.dtype.kind not in "bui":
        raise DataError(f"{name}: found {array.dtype}, expected booleans or integers.")
    if array.ndim != 2:  # noqa: PLR2004 - a picture has two dimensions
        raise DataError(f"{name}: found shape {array.shape}, expected (height, width): one channel, one mask at a time.")
    return array if array.dtype == np.bool_ else array != 0


def require_finite(array: Floats, name: str) -> None:
    """Refuse NaN and infinity, naming the rows.

    Raises:
        DataError: With `rows` set to those that hold them.
    """
    if np.isfinite(array).all():
        return
    rows = [int(row) for row in np.flatnonzero(~np.isfinite(array).all(axis=1))]
    shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")  # noqa: PLR2004 - enough to find them
    raise DataError(f"{name}: found NaN or infinity in {len(rows)} rows ({shown}), expected finite numbers. Leave them out.", rows=rows)


def _as_rows(values: ArrayLike, width: int, name: str, meaning: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0 and array.ndim <= 1:
        return np.zeros((0, width))
    if array.ndim != 2 or array.shape[1] != width:  # noqa: PLR2004 - rows and columns
        hint = f" For one row, wrap it: [{name}]." if array.shape == (width,) else ""
        raise DataError(f"{name}: found shape {array.shape}, expected (n, {width}) of {meaning}.{hint}")
    return array
