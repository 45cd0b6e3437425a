"""Where to cut a ranking of suspects: the number of flags with the largest expected F1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def expected_f1_count(posterior: NDArray[np.float64]) -> int:
    """How many of the likeliest to flag so that the expected F1 is largest.

    With posteriors sorted downwards, flagging the first n has expected true positives S_n = sum of the first n, and the F1 of expectations
    is 2 S_n / (n + S_N). The best threshold is half of the F1 reached (Z. Lipton, C. Elkan, B. Naryanaswamy, "Optimal Thresholding of
    Classifiers to Maximize F1 Measure", 2014), not one half.

    Args:
        posterior: Probability that each label is wrong, `(N,)`.
    """
    if not len(posterior):
        return 0
    gained = np.cumsum(np.sort(posterior)[::-1])
    if gained[-1] <= 0:
        return 0
    return int(np.argmax(gained / (np.arange(1, len(gained) + 1) + gained[-1]))) + 1


def highest(score: NDArray[np.float64], number: int, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask of the `number` highest scores among those allowed; among equals the earlier row comes first."""
    rows = np.flatnonzero(among)
    mask = np.zeros(len(score), dtype=np.bool_)
    mask[rows[np.argsort(-score[rows], kind="stable")[:number]]] = True
    return mask
