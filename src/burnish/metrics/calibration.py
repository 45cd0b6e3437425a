"""How far confidence is from being right: the expected calibration error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> NDArray[np.float64]:
    """Sums of a reliability diagram; those of parts add up to those of the whole.

    Args:
        confidence: (N,) from 0 to 1, usually the largest probability.
        right: (N,) booleans.
        bins: Number of bins of equal width, closed above; the first holds 0 too.

    Returns:
        (bins, 3): number, sum of the confidences, number of right ones.

    Raises:
        DataError: Lengths differ, or a confidence is outside of 0 to 1.
    """
    values, truth = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    if values.shape != truth.shape or values.ndim != 1:
        raise DataError(f"Confidences have the shape {values.shape}, truths {truth.shape}; both must be lists of the same length.")
    if len(values) and not (values.min() >= 0 and values.max() <= 1):
        row = int(np.flatnonzero(~((values >= 0) & (values <= 1)))[0])
        raise DataError(f"The confidence in row {row} is {values[row]}; expected a probability from 0 to 1.", rows=[row])
    place = np.clip(np.ceil(values * bins).astype(np.int64) - 1, 0, bins - 1)
    columns = [np.ones(len(values)), values, truth.astype(np.float64)]
    return np.stack([np.bincount(place, weights=column, minlength=bins) for column in columns], axis=1).astype(np.float64)


def calibration_error(sums: NDArray[np.float64], norm: float = 1.0) -> float:
    """The mean gap between confidence and accuracy over the bins, weighted by their numbers (Naeini et al., 2015; Guo et al., 2017).

    Args:
        sums: (bins, 3) from `reliability`.
        norm: 1 is the expected calibration error, 2 its root-mean-square form, inf the largest gap of a bin.

    Returns:
        NaN of nothing.
    """
    number = sums[:, 0]
    filled = number > 0
    if not filled.any():
        return float("nan")
    gaps = np.abs(sums[filled, 1] - sums[filled, 2]) / number[filled]
    if np.isinf(norm):
        return float(gaps.max())
    return float((gaps**norm @ number[filled] / number.sum()) ** (1 / norm))
