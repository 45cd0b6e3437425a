"""Models compared on pictures with hand-drawn masks: overlap of each picture, and what of a difference is noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.media.endings import why_incomplete
from burnish.media.images import read_image
from burnish.refine.sets import read_mask, read_provenance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools
    from burnish.refine.flips import Predictor

_DRAWS = 10_000
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over pictures, and between which numbers it lies with 95 % certainty (percentile bootstrap over pictures).

    Attributes:
        mean: The mean.
        low: None of a single picture, which says nothing of others.
        high: Likewise.
    """

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.mean:.4f} (one picture)"
        return f"{self.mean:.4f} ({self.low:.4f} to {self.high:.4f})"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a model scores on each picture of a set.

    Attributes:
        names: N pictures.
        iou: (N,) mean over the classes that either mask shows; 1 where neither shows any.
        dice: Likewise.
    """

    names: tuple[str, ...]
    iou: NDArray[np.float64]
    dice: NDArray[np.float64]


def score_set(predict: Predictor, folder: Path, provenance: Mapping[str, Any] | None = None) -> Scores:
    """Compare predictions with the hand-drawn masks of a set; augmented copies, and pictures that cannot be read, are left out.

    Args:
        predict: Gives probabilities.
        folder: The set.
        provenance: What it would say of itself, where it does not.
    """
    told = provenance or read_provenance(folder)
    classes = tuple(told["classes"])
    rows = [row for row in told["pictures"] if row["copy_of"] is None and not why_incomplete(folder / row["file"])]
    found = [_judged(predict, folder, row, classes) for row in rows]
    names = tuple(row["name"] for row in rows)
    return Scores(names, np.array([iou for iou, _ in found]), np.array([dice for _, dice in found]))


def interval(values: NDArray[np.float64], *, seed: int = 0) -> Interval:
    """Mean of numbers (N,) with its 95 % percentile bootstrap interval (Efron, 1979)."""
    if len(values) == 1:
        return Interval(float(values[0]), None, None)
    draws = np.random.default_rng(seed).integers(0, len(values), (_DRAWS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def _judged(predict: Predictor, folder: Path, row: dict[str, str], classes: tuple[str, ...]) -> tuple[float, float]:
    maps = predict([read_image(folder / row["file"])])[0]
    return overlaps(maps > _HALF, read_mask(folder, row["name"], classes) > 0)


def overlaps(found: Bools, given: Bools) -> tuple[float, float]:
    """IoU and Dice of (K, H, W) masks, the mean over the classes that either shows; 1 where neither shows any."""
    common, sums = (found & given).sum(axis=(1, 2)), found.sum(axis=(1, 2)) + given.sum(axis=(1, 2))
    there = sums > 0
    if not there.any():
        return 1.0, 1.0
    common, sums = common[there], sums[there]
    return float((common / (sums - common)).mean()), float((2 * common / sums).mean())
