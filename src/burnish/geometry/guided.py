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
    colours = np.moveaxis(guide, -1, 0).astype(np.float64) / 255
    red, green, blue = colours
    pairs = [red * red, red * green, red * blue, green * green, green * blue, blue * blue]
    found = _windowed(np.stack([wanted, *colours, *(colours * wanted), *pairs]), radius)
    mean, means = found[0], found[1:4]
    covariance = found[4:7] - means * mean
    one, two, three = means
    own = found[7:] - np.stack([one * one, one * two, one * three, two * two, two * three, three * three])
    own[[0, 3, 5]] += epsilon
    slopes = _solved(own, covariance)
    smooth = _windowed(np.stack([*slopes, mean - (slopes * means).sum(axis=0)]), radius)
    return np.asarray((smooth[:3] * colours).sum(axis=0) + smooth[3], dtype=np.float64)


def _solved(matrices: Floats, right: Floats) -> Floats:
    """(3, ...) solutions of systems with symmetric positive matrices (6, ...), their upper triangles row by row, by factors L D L'.

    A loop over pixels inside LAPACK takes several times as long for so small matrices.
    """
    a, b, c, d, e, f = matrices
    lower_b, lower_c = b / a, c / a
    second = d - lower_b * b
    lower_e = (e - lower_c * b) / second
    third = f - lower_c * c - lower_e * lower_e * second
    y = right[1] - lower_b * right[0]
    z = (right[2] - lower_c * right[0] - lower_e * y) / third
    y = y / second - lower_e * z
    return np.stack([right[0] / a - lower_b * y - lower_c * z, y, z])


def _windowed(planes: Floats, radius: int) -> Floats:
    """The mean in the window around each pixel of each plane."""
    rows = ndimage.uniform_filter1d(planes, 2 * radius + 1, axis=1, mode="reflect")
    return np.asarray(ndimage.uniform_filter1d(rows, 2 * radius + 1, axis=2, mode="reflect"), dtype=np.float64)
