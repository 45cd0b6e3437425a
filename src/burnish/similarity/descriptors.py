"""Pictures' prints as frequency descriptors, in which flips and turns are sign changes and a transposition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.fft import dctn

if TYPE_CHECKING:
    from numpy.typing import NDArray

TURNS: Final = ("same", "mirrored", "upside down", "turned by 180", "transposed", "turned right", "turned left", "transposed across")
"""The eight ways to lay a picture: what is done to the second of a pair to make it look like the first."""


def frequencies(prints: NDArray[Any], count: int) -> NDArray[np.float32]:
    """The lowest frequencies of grey prints, without the mean.

    Args:
        prints: (n, height, width) grey values.
        count: Frequencies kept each way.

    Returns:
        (n, count, count) float32 coefficients of the orthonormal DCT-II; the mean brightness, at [0, 0], is set to 0.
    """
    transformed = dctn(prints.astype(np.float32), axes=(1, 2), norm="ortho")[:, :count, :count]
    transformed[:, 0, 0] = 0
    return np.ascontiguousarray(transformed, dtype=np.float32)


def spread(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """Typical size (count, count) of each frequency in a dataset, the same for every turn of its pictures."""
    power = np.mean(np.square(coefficients, dtype=np.float64), axis=0)
    symmetric = np.sqrt((power + power.T) / 2)
    return np.maximum(symmetric, symmetric.max(initial=0.0) * 1e-6 + 1e-9).astype(np.float32)


def whitened(coefficients: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Descriptors of unit length (n, count, count): every frequency weighs the same, so that the product of two is their correlation.

    Natural pictures all share large slow waves; without whitening any two landscapes correlate.
    """
    even = coefficients / scale
    length = np.sqrt(np.einsum("nij,nij->n", even, even))
    return even / np.maximum(length, 1e-12)[:, None, None]


def turned(descriptors: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """Descriptors (n, count, count) of the same pictures, laid another way; `turn` is an index of `TURNS`."""
    laid = descriptors.swapaxes(1, 2) if turn >= 4 else descriptors  # noqa: PLR2004 - the last four transpose
    odd = np.where(np.arange(laid.shape[1]) % 2 == 1, np.float32(-1), np.float32(1))
    if turn & 1:
        laid = laid * odd[None, None, :]
    if turn & 2:
        laid = laid * odd[None, :, None]
    return laid


def turn_prints(prints: NDArray[Any], turns: NDArray[np.int64]) -> NDArray[Any]:
    """Lay each of n prints (n, side, side) in its own way."""
    laid = np.array(prints)
    laid[turns >= 4] = laid[turns >= 4].swapaxes(1, 2)  # noqa: PLR2004 - the last four transpose
    laid[(turns & 1) > 0] = laid[(turns & 1) > 0][:, :, ::-1]
    laid[(turns & 2) > 0] = laid[(turns & 2) > 0][:, ::-1]
    return laid
