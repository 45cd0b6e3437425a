"""Distances of pixels to a mask's outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from burnish.geometry.arrays import as_mask

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Floats


def to_mask(mask: ArrayLike) -> Floats:
    """Return how far each pixel's centre is from the nearest pixel centre of a mask, `(height, width)`: 0 inside, `inf` if it is empty.

    Exact (Maurer, Qi and Raghavan, 2003).
    """
    mask = as_mask(mask)
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~mask), dtype=np.float64)


def signed(mask: ArrayLike) -> Floats:
    """Return the signed distance `(height, width)` of pixel centres to a mask's outline: negative inside, positive outside.

    Half a pixel is taken off, so that the outline itself, which runs along pixels' edges, is at 0. The frame of the picture is no
    outline: of an empty mask all is `inf`, of a full one `-inf`.
    """
    mask = as_mask(mask)
    return np.where(mask, 0.5 - to_mask(~mask), to_mask(mask) - 0.5)
