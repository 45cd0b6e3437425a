"""How good a ranking of suspects is: average precision, area under the ROC curve, F1 of a set of flags.

`score` is `(N,)`, high is suspicious; `wrong` is `(N,)` of bool, what is really wrong. Equal scores are taken together, so that the order
of the rows never matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.stats import rankdata

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Curve: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]


def average_precision(score: ArrayLike, wrong: ArrayLike) -> float:
    """Mean over the recall steps of the precision reached there, without interpolation; 1 is perfect, the share of wrong ones is chance.

    Raises:
        DataError: Different lengths, a NaN score, or nothing wrong.
    """
    caught, flagged = _caught(*_checked(score, wrong))
    return float((np.diff(caught, prepend=0) * (caught / flagged)).sum() / caught[-1])


def auroc(score: ArrayLike, wrong: ArrayLike) -> float:
    """Probability that a wrong one scores above a right one, ties counted half (Mann and Whitney 1947).

    Raises:
        DataError: Different lengths, a NaN score, or all or nothing wrong.
    """
    values, truth = _checked(score, wrong)
    bad, good = int(truth.sum()), int((~truth).sum())
    if not good:
        raise DataError("everything is wrong; the area under the ROC curve needs right ones too.")
    return float((rankdata(values)[truth].sum() - bad * (bad + 1) / 2) / (bad * good))


def f1(flagged: ArrayLike, wrong: ArrayLike) -> float:
    """F1 of a set of flags, `(N,)` of bool; 1 where nothing is wrong and nothing flagged.

    Raises:
        DataError: Different lengths.
    """
    flags, truth = np.asarray(flagged, dtype=np.bool_), np.asarray(wrong, dtype=np.bool_)
    if flags.shape != truth.shape:
        raise DataError(f"{flags.shape} flags, but {truth.shape} truths; they must be equally many.")
    total = int(flags.sum()) + int(truth.sum())
    return 2 * int((flags & truth).sum()) / total if total else 1.0


def best_f1(score: ArrayLike, wrong: ArrayLike) -> float:
    """The F1 of the best threshold on `score`: what no cut-off can beat.

    Raises:
        DataError: Different lengths, a NaN score, or nothing wrong.
    """
    caught, flagged = _caught(*_checked(score, wrong))
    return float((2 * caught / (flagged + caught[-1])).max())


def precision_recall_curve(score: ArrayLike, wrong: ArrayLike) -> NDArray[np.float64]:
    """Threshold, precision and recall (T, 3) at each distinct score, from the highest down: what flags all scores from the threshold on.

    Raises:
        DataError: Different lengths, a NaN score, or nothing wrong.
    """
    values, truth = _checked(score, wrong)
    caught, flagged = _caught(values, truth)
    return np.stack([np.sort(values)[::-1][flagged - 1], caught / flagged, caught / caught[-1]], axis=1)


def roc_curve(score: ArrayLike, wrong: ArrayLike) -> NDArray[np.float64]:
    """Threshold, false positive rate and true positive rate (T, 3) at each distinct score, from the highest down.

    Raises:
        DataError: Different lengths, a NaN score, or all or nothing wrong.
    """
    values, truth = _checked(score, wrong)
    caught, flagged = _caught(values, truth)
    if caught[-1] == len(truth):
        raise DataError("everything is wrong; the ROC curve needs right ones too.")
    thresholds = np.sort(values)[::-1][flagged - 1]
    return np.stack([thresholds, (flagged - caught) / (len(truth) - caught[-1]), caught / caught[-1]], axis=1)


def _checked(score: ArrayLike, wrong: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, truth = np.asarray(score, dtype=np.float64), np.asarray(wrong, dtype=np.bool_)
    if values.shape != truth.shape or values.ndim != 1:
        raise DataError(f"scores of shape {values.shape}, truths of shape {truth.shape}; both must be lists of the same length.")
    if np.isnan(values).any():
        raise DataError(f"the score in row {int(np.isnan(values).argmax())} is NaN; a ranking needs numbers.")
    if not truth.any():
        raise DataError("nothing is wrong; a ranking can only be judged where something is to be found.")
    return values, truth


def _caught(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> Curve:
    """True positives and flags at each distinct threshold, from the highest down."""
    order = np.argsort(-values, kind="stable")
    last_of_equals = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    return np.cumsum(truth[order], dtype=np.int64)[last_of_equals], last_of_equals + 1
