"""Metrics of classified pictures: accuracy among the highest k, confusion matrix, calibration, curves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.metrics import classification, ranking
from burnish.metrics.calibration import calibration_error, reliability
from burnish.metrics.metric import Metric
from burnish.metrics.segmentation import labels_of
from burnish.metrics.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from burnish.metrics.settings import AccuracyConfig, AurocConfig, AveragePrecisionConfig, ConfusionConfig, EceConfig


def accuracy(config: AccuracyConfig) -> Metric:
    """`accuracy`, `accuracy_top5`, ... of scores (N, K) against classes (N,); equal scores rank the lower class first."""
    return Metric(config, partial(_top_state, config), partial(_top_result, config))


def confusion(config: ConfusionConfig) -> Metric:
    """`accuracy`, `balanced_accuracy` and `weighted_f1` of the matrix, which is the state's sum `confusion`.

    Of scores (N, K, ...) or labels (N, ...) against labels (N, ...).
    """
    return Metric(config, partial(_confusion_state, config), _confusion_result)


def ece(config: EceConfig) -> Metric:
    """`ece` and `ece_max` of probabilities (N, K) against classes (N,), or (N,) of yes against 0 and 1."""
    return Metric(config, partial(_reliability_state, config), _reliability_result)


def area_under_roc(config: AurocConfig) -> Metric:
    """`auroc` of scores (N,) against 0 and 1, or (N, K) against classes (N,): the mean over classes that can be judged."""
    return Metric(config, _ranking_state, partial(_ranking_result, "auroc", ranking.auroc))


def area_under_precision_recall(config: AveragePrecisionConfig) -> Metric:
    """`average_precision`, arguments as `area_under_roc`."""
    return Metric(config, _ranking_state, partial(_ranking_result, "average_precision", ranking.average_precision))


def ranks(scores: ArrayLike, given: ArrayLike) -> NDArray[np.int64]:
    """How many classes stand before the given one, (N,), of scores (N, K); equal scores rank the lower class first.

    Raises:
        DataError: Shapes do not fit or a class is none of K.
    """
    values, true = np.asarray(scores), np.asarray(given)
    if values.ndim != 2 or true.shape != values.shape[:1]:  # noqa: PLR2004 - pictures and classes
        raise DataError(f"Scores have the shape {values.shape}, classes {true.shape}; expected (N, K) and (N,).")
    bad = np.flatnonzero((true < 0) | (true >= values.shape[1]))
    if len(bad):
        raise DataError(f"Row {bad[0]} has the class {true[bad[0]]}; expected 0 to {values.shape[1] - 1}.", rows=bad.tolist())
    own = np.take_along_axis(values, true[:, None].astype(np.int64), axis=1)
    earlier = np.arange(values.shape[1]) < true[:, None]
    return ((values > own) | ((values == own) & earlier)).sum(axis=1)


def _top_state(config: AccuracyConfig, predicted: ArrayLike, given: ArrayLike) -> State:
    values, true = np.asarray(predicted), np.asarray(given)
    if config.ignore_index is not None:
        kept = true != config.ignore_index
        values, true = values[kept], true[kept]
    before = ranks(values, true)
    right = np.array([np.count_nonzero(before < top) for top in config.top], dtype=np.int64)
    return State(sums={"right": right, "number": np.array(len(before))})


def _top_result(config: AccuracyConfig, state: State) -> dict[str, float]:
    number = int(state.sums.get("number", 0))
    right = state.sums.get("right", np.zeros(len(config.top)))
    names = ["accuracy" if top == 1 else f"accuracy_top{top}" for top in config.top]
    return {name: int(hits) / number if number else float("nan") for name, hits in zip(names, right, strict=True)}


def _confusion_state(config: ConfusionConfig, predicted: ArrayLike, given: ArrayLike) -> State:
    true = np.asarray(given)
    labels, classes = labels_of(config, np.asarray(predicted), true)
    kept = np.ones(true.shape, np.bool_) if config.ignore_index is None else true != config.ignore_index
    return State(sums={"confusion": classification.confusion_matrix(true[kept], labels[kept], classes)})


def _confusion_result(state: State) -> dict[str, float]:
    matrix = state.sums.get("confusion", np.zeros((0, 0), np.int64))
    return {
        "accuracy": classification.accuracy(matrix),
        "balanced_accuracy": classification.balanced_accuracy(matrix),
        "weighted_f1": classification.weighted_f1(matrix),
    }


def _reliability_state(config: EceConfig, predicted: ArrayLike, given: ArrayLike) -> State:
    chances, true = np.asarray(predicted, dtype=np.float64), np.asarray(given)
    if chances.ndim == 1:
        chances = np.stack([1 - chances, chances], axis=1)
    if chances.ndim != 2 or true.shape != chances.shape[:1]:  # noqa: PLR2004 - pictures and classes
        raise DataError(f"Probabilities have the shape {chances.shape}, classes {true.shape}; expected (N, K) or (N,), and (N,).")
    return State(sums={"reliability": reliability(chances.max(axis=1, initial=0.0), chances.argmax(axis=1) == true, config.bins)})


def _reliability_result(state: State) -> dict[str, float]:
    sums = state.sums.get("reliability", np.zeros((1, 3)))
    return {"ece": calibration_error(sums), "ece_max": calibration_error(sums, np.inf)}


def _ranking_state(predicted: ArrayLike, given: ArrayLike) -> State:
    scores, true = np.asarray(predicted, dtype=np.float64), np.asarray(given)
    if true.shape != scores.shape[:1] or scores.ndim not in {1, 2}:
        raise DataError(f"Scores have the shape {scores.shape}, targets {true.shape}; expected (N,) or (N, K), and (N,).")
    return State(rows={"scores": scores, "given": true})


def _ranking_result(name: str, measure: Callable[[ArrayLike, ArrayLike], float], state: State) -> dict[str, float]:
    scores, true = state.rows.get("scores", np.zeros(0)), state.rows.get("given", np.zeros(0))
    if scores.ndim == 1:
        return {name: _judged(measure, scores, true > 0)}
    values = [_judged(measure, column, true == label) for label, column in enumerate(scores.T)]
    kept = [value for value in values if not np.isnan(value)]
    return {name: float(np.mean(kept)) if kept else float("nan")}


def _judged(measure: Callable[[ArrayLike, ArrayLike], float], scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """NaN where there is nothing to find or nothing else."""
    return measure(scores, truth) if truth.any() and not truth.all() else float("nan")
