"""Class weights from class frequencies: the usual ways, side by side.

Classes that do not occur have nothing to weigh: their weights are 0, their `pos_weight` 1, and they are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClassWeights:
    """Suggestions, each an array (K,) float64.

    Attributes:
        counts: How often each class occurs.
        inverse: `inverse_frequency`.
        median: `median_frequency`.
        effective: `effective_number`.
        pos_weight: `positive_weight`.
        focal_alpha: `focal_alpha`.
        absent: Classes that do not occur.
    """

    counts: Floats
    inverse: Floats
    median: Floats
    effective: Floats
    pos_weight: Floats
    focal_alpha: Floats
    absent: tuple[int, ...]

    @property
    def table(self) -> pl.DataFrame:
        """One row a class."""
        import polars as pl  # noqa: PLC0415 - only where a table is asked for

        names = ("counts", "inverse", "median", "effective", "pos_weight", "focal_alpha")
        return pl.DataFrame({"class": range(len(self.counts)), **{name: getattr(self, name) for name in names}})


def class_weights(counts: ArrayLike, total: float, *, within: ArrayLike | None = None, beta: float | None = None) -> ClassWeights:
    """All suggestions for some counts.

    Args:
        counts: (K,) how often each class occurs: pictures, boxes or pixels.
        total: How many there are of what is counted; with several classes each, fewer than the counts add up to.
        within: (K,) pixels of the pictures in which a class occurs, for pixels; None is the total for each.
        beta: Of the effective number; None is (N - 1) / N, with the sum of the counts N.

    Raises:
        DataError: A count is negative, no number, or above the total.
    """
    found = _checked(counts, total)
    return ClassWeights(
        counts=found,
        inverse=inverse_frequency(found),
        median=median_frequency(found, np.full(len(found), total) if within is None else within),
        effective=effective_number(found, beta),
        pos_weight=positive_weight(found, total),
        focal_alpha=focal_alpha(found, total),
        absent=tuple(np.flatnonzero(found == 0).tolist()),
    )


def inverse_frequency(counts: ArrayLike) -> Floats:
    """N / (K n) over the K classes that occur: the weights of a balanced class, whose mean over all items is 1 (King and Zeng 2001)."""
    found = np.asarray(counts, np.float64)
    present = found > 0
    return np.divide(found.sum(), max(present.sum(), 1) * found, out=np.zeros_like(found), where=present)


def median_frequency(counts: ArrayLike, within: ArrayLike) -> Floats:
    """The median of the frequencies over each one (Eigen and Fergus 2015, arXiv 1411.4734).

    Args:
        counts: (K,) pixels of each class.
        within: (K,) pixels of all pictures in which the class occurs.
    """
    found = np.asarray(counts, np.float64)
    present = found > 0
    frequency = np.divide(found, np.asarray(within, np.float64), out=np.zeros_like(found), where=present)
    middle = float(np.median(frequency[present])) if present.any() else 0.0
    return np.divide(middle, frequency, out=np.zeros_like(found), where=present)


def effective_number(counts: ArrayLike, beta: float | None = None) -> Floats:
    """(1 - beta) / (1 - beta^n), scaled to add up to the number of classes that occur (Cui et al. 2019, arXiv 1901.05555).

    Args:
        counts: (K,) items of each class.
        beta: In [0, 1): 0 weighs all alike, towards 1 it becomes the inverse frequency. None is (N - 1) / N.
    """
    found = np.asarray(counts, np.float64)
    present, total = found > 0, max(found.sum(), 1.0)
    if beta is not None and not 0 <= beta < 1:
        raise DataError(f"beta of the effective number is {beta:g}; expected at least 0 and below 1.")
    missing = 1 / total if beta is None else 1 - beta  # 1 - beta, which for billions of pixels is lost in 1 - (1 - 1e-10)
    if missing >= 1:
        return present.astype(np.float64)
    numbers = -np.expm1(found * np.log1p(-missing))
    weights = np.divide(missing, numbers, out=np.zeros_like(found), where=present)
    return weights * (present.sum() / weights.sum()) if present.any() else weights


def positive_weight(counts: ArrayLike, total: float) -> Floats:
    """Negatives over positives of each class against the rest: the `pos_weight` of binary cross-entropy."""
    found = np.asarray(counts, np.float64)
    return np.divide(total - found, found, out=np.ones_like(found), where=found > 0)


def focal_alpha(counts: ArrayLike, total: float) -> Floats:
    """The share of negatives: alpha of the focal loss by inverse frequency (Lin et al. 2017, arXiv 1708.02002)."""
    found = np.asarray(counts, np.float64)
    return np.where(found > 0, 1 - found / max(total, 1e-300), 0.0)


def _checked(counts: ArrayLike, total: float) -> Floats:
    found = np.asarray(counts, np.float64)
    bad = np.flatnonzero(~((found >= 0) & (found <= total)))
    if found.ndim != 1 or len(bad):
        told = f"class {bad[0]} has {found.ravel()[bad[0]]:g}" if len(bad) else f"an array of shape {found.shape}"
        raise DataError(f"Counts of classes hold {told}; expected one number a class, from 0 to the total of {total:g}.")
    return found
