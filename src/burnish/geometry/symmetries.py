"""The eight ways to lay a picture down: mirrored or not, then turned clockwise by quarters; labels go along and come back.

A symmetry is `(mirrored, turns)`: the mirror (left to right) comes first, then `turns` quarter turns clockwise as seen. Test-time
augmentation predicts under each of `ALL` and takes the answers back with `inverse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from burnish.geometry.arrays import as_boxes, as_mask, as_points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Floats

Symmetry: TypeAlias = tuple[bool, int]

SAME: Final[Symmetry] = (False, 0)
MIRROR: Final[Symmetry] = (True, 0)
UPSIDE_DOWN: Final[Symmetry] = (True, 2)
"""Upper and lower edge exchanged, left stays left."""
ALL: Final[tuple[Symmetry, ...]] = tuple((mirrored, turns) for mirrored in (False, True) for turns in range(4))


def inverse(symmetry: Symmetry) -> Symmetry:
    """Return the symmetry that undoes another. A mirrored one undoes itself, however it is turned."""
    mirrored, turns = symmetry
    return (True, turns % 4) if mirrored else (False, -turns % 4)


def of_size(width: int, height: int, symmetry: Symmetry) -> tuple[int, int]:
    """Return the width and height of a picture laid down anew."""
    return (height, width) if symmetry[1] % 2 else (width, height)


def of_mask(mask: ArrayLike, symmetry: Symmetry) -> Bools:
    """Return a mask `(height, width)` laid down anew."""
    mirrored, turns = symmetry
    checked = as_mask(mask)
    return np.ascontiguousarray(np.rot90(checked[:, ::-1] if mirrored else checked, -turns))


def of_points(points: ArrayLike, width: float, height: float, symmetry: Symmetry) -> Floats:
    """Return points `(n, 2)` of a picture of `width x height` laid down anew."""
    mirrored, turns = symmetry
    x, y = as_points(points).T
    if mirrored:
        x = width - x
    for _ in range(turns % 4):
        x, y = height - y, x
        width, height = height, width
    return np.stack([x, y], axis=1)


def of_boxes(boxes: ArrayLike, width: float, height: float, symmetry: Symmetry) -> Floats:
    """Return boxes `(n, 4)` of a picture of `width x height` laid down anew."""
    checked = as_boxes(boxes)
    one = of_points(checked[:, :2], width, height, symmetry)
    two = of_points(checked[:, 2:], width, height, symmetry)
    return np.concatenate([np.minimum(one, two), np.maximum(one, two)], axis=1)
