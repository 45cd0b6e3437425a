"""Judges classes of whole pictures: rates of each class, ranking, calibration, and what was taken for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.errors import ConfigError
from burnish.metrics import classification as rates
from burnish.metrics.calibration import calibration_error, reliability
from burnish.metrics.counts import averaged, confusion_counts, mask_counts, measured
from burnish.metrics.ranking import auroc, average_precision, precision_recall_curve, roc_curve
from burnish.train.judging.judge import Confusion, Curve, Figures
from burnish.train.judging.thresholds import ProbabilityCounts, sweep
from burnish.train.policies.classification import Classification, class_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from burnish.metrics.counts import Measure
    from burnish.train.judging.bootstrap import Statistics
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import EvaluateConfig
    from burnish.train.target import Target
    from burnish.train.trained import Trained

_BINS = 15
_KEPT = 8
_HALF = 0.5
_RATES: Final[tuple[Measure, ...]] = ("f", "precision", "recall", "iou")
_OF_CLASSES: Final[tuple[tuple[Measure, str], ...]] = (("precision", "precision"), ("recall", "recall"), ("f", "f1"))
_TOP = 5


def judge(trained: Trained, policy: Policy, config: EvaluateConfig) -> ClassificationJudge:
    """The judge of a network's classes."""
    if not isinstance(policy, Classification):  # pragma: no cover - the task decides both
        raise ConfigError("Classes are judged by the classes of a dataset's pictures.")
    return ClassificationJudge(trained, policy, config)


@dataclass(slots=True, eq=False)
class ClassificationJudge:
    """Compares classes.

    Attributes:
        trained: The network.
        policy: The examples with their classes.
        config: What is measured.
        rows: Places of the pictures in the examples.
        found: Probabilities (n, K) of each batch.
        given: (n, K) booleans of each batch.
    """

    trained: Trained
    policy: Classification
    config: EvaluateConfig
    rows: list[int] = field(default_factory=list[int])
    found: list[NDArray[np.float32]] = field(default_factory=list)
    given: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, rows: Sequence[int], pictures: Sequence[NDArray[np.uint8]]) -> None:
        """Predict and compare pictures."""
        self.rows.extend(rows)
        self.found.append(class_probabilities(self.trained, pictures, flips=self.config.flips))
        given = np.zeros((len(rows), len(self.trained.classes)), np.bool_)
        for place, row in enumerate(rows):
            given[place, [self.policy.examples.numbers[one["class"]] for one in self.policy.examples.rows_of(row)]] = True
        self.given.append(given)

    def statistics(self) -> Statistics:
        """Rates of right answers."""
        found, given = np.concatenate(self.found), np.concatenate(self.given)
        if self.trained.mode == "multilabel":
            counts = _decisions(found, given)
            return lambda weights: {f"{name}_dataset": float(averaged(np.tensordot(weights, counts, 1), name)) for name in _RATES}
        return _single_statistics(found, given.argmax(1))

    def figures(self, target: Target | None) -> Figures:
        """All numbers."""
        found, given = np.concatenate(self.found).astype(np.float64), np.concatenate(self.given)
        single = self.trained.mode == "multiclass"
        classes = _classes(found, given, self.trained.names, single=single)
        bins = _reliability(found, given, single=single)
        means = {name: _mean(classes[name]) for name in ("average_precision", "auroc")}
        metrics = {**self.statistics()(np.ones(len(self.rows), np.int64)), **means, "ece": calibration_error(bins)}
        swept, notes = (pl.DataFrame(), ()) if single else self._sweep(target)
        return Figures(
            metrics=metrics,
            pictures=_pictures(self.rows, found, given, self.trained.names, single=single),
            score="given_probability" if single else "iou",
            classes=classes,
            sweep=swept,
            curves=_curves(found, given, self.trained.names),
            confusion=_confusion(self.rows, found, given, self.trained.names) if single else None,
            reliability=bins,
            notes=notes,
        )

    def _sweep(self, target: Target | None) -> tuple[pl.DataFrame, tuple[str, ...]]:
        counted = ProbabilityCounts.empty(self.trained.names)
        for found, given in zip(self.found, self.given, strict=True):
            counted.add(found.T, given.T)
        return sweep(counted, target)


def _single_statistics(found: NDArray[np.float32], true: NDArray[np.int64]) -> Statistics:
    """Of pictures with one class each."""
    classes = found.shape[1]
    cells = true * classes + found.argmax(1)
    own = np.take_along_axis(found, true[:, None], 1)[:, 0].astype(np.float64)
    losses = -np.log(np.maximum(own, np.finfo(np.float32).tiny))
    near = _within(found, true, _TOP) if classes > _TOP else None

    def weighted(weights: NDArray[np.int64]) -> dict[str, float]:
        matrix = np.bincount(cells, weights=weights, minlength=classes**2).astype(np.int64).reshape(classes, classes)
        total = weights.sum()
        return {
            "accuracy": rates.accuracy(matrix),
            "balanced_accuracy": rates.balanced_accuracy(matrix),
            "weighted_f1": rates.weighted_f1(matrix),
            **({} if near is None else {f"accuracy_top{_TOP}": float(weights @ near / total)}),
            "log_loss": float(weights @ losses / total),
        }

    return weighted


def _decisions(found: NDArray[np.floating], given: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Counts (N, K, 4) of yes and no."""
    return mask_counts((found > _HALF)[..., None], given[..., None])


def _within(found: NDArray[np.floating], true: NDArray[np.int64], top: int) -> NDArray[np.bool_]:
    """Whether the given class is among the likeliest; equal ones rank the lower class first."""
    order = np.argsort(-found, axis=1, kind="stable")[:, :top]
    return (order == true[:, None]).any(axis=1)


def _reliability(found: NDArray[np.float64], given: NDArray[np.bool_], *, single: bool) -> NDArray[np.float64]:
    if single:
        return reliability(np.clip(found.max(1), 0, 1), found.argmax(1) == given.argmax(1), _BINS)
    return reliability(np.clip(np.maximum(found, 1 - found), 0, 1).ravel(), ((found > _HALF) == given).ravel(), _BINS)


def _pictures(
    rows: Sequence[int], found: NDArray[np.float64], given: NDArray[np.bool_], names: Sequence[str], *, single: bool
) -> pl.DataFrame:
    if not single:
        chosen = found > _HALF
        counts = _decisions(found, given).sum(axis=1)
        columns: dict[str, Any] = {"iou": measured(counts, "iou"), "precision": measured(counts, "precision")}
        columns |= {"recall": measured(counts, "recall"), "given": _joined(given, names), "predicted": _joined(chosen, names)}
        return pl.DataFrame({"row": rows, **columns}).fill_nan(None)
    true, best = given.argmax(1), found.argmax(1)
    own = np.take_along_axis(found, true[:, None], 1)[:, 0]
    return pl.DataFrame(
        {
            "row": rows,
            "given": [names[int(place)] for place in true],
            "predicted": [names[int(place)] for place in best],
            "right": true == best,
            "confidence": found.max(1),
            "given_probability": own,
            "loss": -np.log(np.maximum(own, np.finfo(np.float32).tiny)),
        }
    )


def _joined(chosen: NDArray[np.bool_], names: Sequence[str]) -> list[str]:
    return [", ".join(names[int(place)] for place in np.flatnonzero(row)) for row in chosen]


def _classes(found: NDArray[np.float64], given: NDArray[np.bool_], names: Sequence[str], *, single: bool) -> pl.DataFrame:
    if single:
        counts = confusion_counts(rates.confusion_matrix(given.argmax(1), found.argmax(1), len(names)))
    else:
        counts = _decisions(found, given).sum(axis=0)
    columns: dict[str, Any] = {"class": list(names), "pictures": counts[:, 0] + counts[:, 2]}
    columns |= {label: measured(counts, name) for name, label in _OF_CLASSES}
    columns |= {"average_precision": _ranked(average_precision, found, given), "auroc": _ranked(auroc, found, given)}
    return pl.DataFrame(columns).fill_nan(None)


def _ranked(measure: Callable[..., float], found: NDArray[np.float64], given: NDArray[np.bool_]) -> list[float]:
    """Of each class against the rest; NaN where it is nowhere or everywhere."""
    return [
        measure(scores, truth) if truth.any() and not truth.all() else float("nan") for scores, truth in zip(found.T, given.T, strict=True)
    ]


def _curves(found: NDArray[np.float64], given: NDArray[np.bool_], names: Sequence[str]) -> tuple[Curve, ...]:
    curves: list[Curve] = []
    for name, scores, truth in zip(names, found.T, given.T, strict=True):
        if truth.any() and not truth.all():
            pr = precision_recall_curve(scores, truth)
            curves += [Curve("pr", name, pr[:, [0, 2, 1]]), Curve("roc", name, roc_curve(scores, truth))]
    return tuple(curves)


def _confusion(rows: Sequence[int], found: NDArray[np.float64], given: NDArray[np.bool_], names: Sequence[str]) -> Confusion:
    """Pictures of each cell: those that were surest of their mistake."""
    true, best, sure = given.argmax(1), found.argmax(1), found.max(1)
    pictures: dict[tuple[int, int], list[int]] = {}
    for place in np.argsort(-sure, kind="stable"):
        cell = pictures.setdefault((int(true[place]), int(best[place])), [])
        if true[place] != best[place] and len(cell) < _KEPT:
            cell.append(rows[int(place)])
    matrix = rates.confusion_matrix(true, best, len(names))
    return Confusion(matrix, tuple(names), tuple(names), "pictures", {cell: found for cell, found in pictures.items() if found})


def _mean(values: pl.Series) -> float:
    known = values.drop_nulls()
    return float(known.to_numpy().mean()) if len(known) else float("nan")
