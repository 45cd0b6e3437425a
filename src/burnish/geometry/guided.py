"""Edge-aware smoothing: maps of numbers that follow the edges of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from burnish.geometry.arrays import Floats


def guided_filter(values: ArrayLike, guide: NDArray[np.uint8], *, radius: int = 4, epsilon: float = 1e-3) -> Floats:
    """Smooth a map so that in each window it is a linear function of the picture's colours: it gets the picture's edges.

    He, Sun and Tang, Guided Image Filtering, IEEE TPAMI 35(6), 2013, equations 19 to 21 (colour guide). Runs in linear time whatever the
    radius; windows at the frame see the picture mirrored.

    Args:
        values: `(height, width)`, for instance probabilities.
        guide: `(height, width, 3)` picture of the same size.
        radius: Half the side of the windows, in pixels.
        epsilon: Variance of colours (each from 0 to 1) below which a window is taken for flat, and smoothed.

    Raises:
        DataError: Sizes differ.
    """
    wanted = np.asarray(values, dtype=np.float64)
    if wanted.shape != guide.shape[:2]:
        raise DataError(f"The map has shape {wanted.shape} and the guiding picture {guide.shape}; expected one height and width.")
    colours = guide.astype(np.float64) / 255
    means, mean = _windowed(colours, radius), _windowed(wanted, radius)
    covariance = _windowed(colours * wanted[..., None], radius) - means * mean[..., None]
    products = _windowed(colours[..., :, None] * colours[..., None, :], radius) - means[..., :, None] * means[..., None, :]
    slopes = np.linalg.solve(products + epsilon * np.eye(3), covariance[..., None])[..., 0]
    offsets = mean - (slopes * means).sum(axis=-1)
    return (_windowed(slopes, radius) * colours).sum(axis=-1) + _windowed(offsets, radius)


def _windowed(array: NDArray[np.floating], radius: int) -> Floats:
    """The mean in the window around each pixel."""
    rows = ndimage.uniform_filter1d(array, 2 * radius + 1, axis=0, mode="reflect")
    return np.asarray(ndimage.uniform_filter1d(rows, 2 * radius + 1, axis=1, mode="reflect"), dtype=np.float64)
