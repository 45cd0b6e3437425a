"""COCO's average precision of pictures that count more or less often: what intervals are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OVERLAPS: Final = tuple(step / 100 for step in range(50, 100, 5))
"""Least overlaps, 0.5 to 0.95, over which COCO takes the mean."""

_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The predictions of all pictures, the surest first.

    Attributes:
        given: (N,) true objects of each picture.
        pictures: (n,) number of each prediction's picture.
        hits: (T, n) whether it found something, at each least overlap.
    """

    given: NDArray[np.int64]
    pictures: NDArray[np.int64]
    hits: NDArray[np.bool_]

    @classmethod
    def of(cls, given: Sequence[int], scores: Sequence[NDArray[np.float64]], hits: Sequence[NDArray[np.bool_]]) -> Ranked:
        """Put the predictions of pictures in order.

        Args:
            given: True objects of each picture.
            scores: (n,) of each.
            hits: (T, n) of each.
        """
        order = np.argsort(-np.concatenate(scores), kind="stable")
        numbers = np.repeat(np.arange(len(scores)), [len(one) for one in scores])
        return cls(np.array(given, np.int64), numbers[order], np.concatenate(hits, axis=1)[:, order])

    def precisions(self, weights: NDArray[np.int64]) -> NDArray[np.float64]:
        """Average precision (T,) at each least overlap: means of the highest precision from 101 recalls on; NaN of nothing to find.

        Args:
            weights: (N,) how often each picture counts.
        """
        total = int(weights @ self.given)
        if not total:
            return np.full(len(self.hits), np.nan)
        heavy = weights[self.pictures]
        found = np.cumsum(self.hits * heavy, axis=1)
        precision = found / np.maximum(np.cumsum(heavy), 1)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        return np.array([_mean(recalls, highest) for recalls, highest in zip(found / total, best, strict=True)])


def _mean(recalls: NDArray[np.float64], best: NDArray[np.float64]) -> float:
    places = np.searchsorted(recalls, _RECALLS, side="left")
    return float(best[places[places < len(best)]].sum() / len(_RECALLS))
