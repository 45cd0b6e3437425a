"""Decisions at every threshold at once: probabilities are counted in steps of a thousandth, and the counts add up over pictures.

The counts at a threshold are exact, those of `probability > threshold` in float32; the areas under curves are those of a thousand steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.errors import DataError
from burnish.metrics.counts import averaged, measured
from burnish.train.judging.judge import Curve
from burnish.train.target import score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.metrics.counts import Measure
    from burnish.train.target import Target

STEPS: Final = 1000
SWEPT: Final = tuple(range(50, 951, 50))
"""Thresholds of a sweep, in thousandths."""
MEASURES: Final[tuple[Measure, ...]] = ("iou", "dice", "precision", "recall")

_EDGES = (np.arange(STEPS + 1) / STEPS).astype(np.float32)


@dataclass(slots=True, eq=False)
class ProbabilityCounts:
    """How often each probability came, apart for what is there and what is not.

    Attributes:
        names: K names of outputs.
        table: (K, 2, STEPS + 2); the second axis is absent, present; a place in the third is the number of edges below.
    """

    names: tuple[str, ...]
    table: NDArray[np.int64]

    @classmethod
    def empty(cls, names: Sequence[str]) -> ProbabilityCounts:
        """Nothing counted yet."""
        return cls(tuple(names), np.zeros((len(names), 2, STEPS + 2), np.int64))

    def add(self, found: NDArray[np.floating], given: NDArray[np.bool_], valid: NDArray[np.bool_] | None = None) -> None:
        """Add probabilities (K, ...) with truths (K, ...); `valid` (...) says what counts."""
        for number, (values, truth) in enumerate(zip(found, given, strict=True)):
            chosen, there = (values.ravel(), truth.ravel()) if valid is None else (values[valid], truth[valid])
            places = np.searchsorted(_EDGES, chosen.astype(np.float32, copy=False), side="left")
            pairs = np.bincount(places + (STEPS + 2) * there, minlength=2 * (STEPS + 2))
            self.table[number] += pairs.reshape(2, STEPS + 2)

    def counts(self) -> NDArray[np.int64]:
        """(T, K, 4) true and false positives and negatives of `probability > k / STEPS`, for k from 0 to STEPS."""
        above = self.table[:, :, ::-1].cumsum(axis=2)[:, :, ::-1][:, :, 1:]
        totals = self.table.sum(axis=2)[:, :, None]
        alarms, hits = above[:, 0], above[:, 1]
        return np.stack([hits, alarms, totals[:, 1] - hits, totals[:, 0] - alarms], axis=2).transpose(1, 0, 2)

    def curves(self) -> tuple[Curve, ...]:
        """Precision over recall and true over false positive rate of every class that is there and is not everywhere."""
        found: list[Curve] = []
        counts = self.counts()[::-1].astype(np.float64)
        thresholds = np.arange(STEPS, -1, -1) / STEPS
        for number, name in enumerate(self.names):
            hits, alarms, misses, rest = counts[:, number].T
            if hits[-1] + misses[-1] == 0 or alarms[-1] + rest[-1] == 0:
                continue
            some = hits + alarms > 0
            recall, fallout = hits / (hits + misses), alarms / (alarms + rest)
            precision = hits[some] / (hits + alarms)[some]
            found.append(Curve("pr", name, np.stack([thresholds[some], recall[some], precision], axis=1)))
            found.append(Curve("roc", name, np.stack([thresholds, fallout, recall], axis=1)))
        return tuple(found)


def area(curve: Curve) -> float:
    """Average precision (a sum over steps of recall, without interpolation) or the area under the ROC curve (trapezoids)."""
    across, up = curve.points[:, 1], curve.points[:, 2]
    if curve.kind == "pr":
        return float((np.diff(across, prepend=0) * up).sum())
    return float(np.trapezoid(np.concatenate([[0], up, [1]]), np.concatenate([[0], across, [1]])))


def sweep(counted: ProbabilityCounts, target: Target | None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The measures at 0.05 to 0.95, of all classes together (their mean) and of each; `best` marks the best of each by the target.

    Returns:
        The table, and what to tell where the target cannot choose.
    """
    at = counted.counts()[list(SWEPT)]
    groups: list[tuple[str, int | None]] = [("all", None), *((name, number) for number, name in enumerate(counted.names))]
    groups = groups[1:] if len(counted.names) == 1 else groups
    tables: list[pl.DataFrame] = []
    notes: tuple[str, ...] = ()
    for name, number in groups:
        values = {m: averaged(at, m) if number is None else measured(at[:, number], m) for m in MEASURES}
        best, notes = best_row([{m: float(values[m][row]) for m in MEASURES} for row in range(len(SWEPT))], target, "iou")
        columns: dict[str, object] = {"class": [name] * len(SWEPT), "threshold": [step / STEPS for step in SWEPT]}
        columns |= {m: np.asarray(values[m], np.float64) for m in MEASURES}
        tables.append(pl.DataFrame({**columns, "best": [row == best for row in range(len(SWEPT))]}).fill_nan(None))
    return pl.concat(tables), notes


def best_row(rows: Sequence[Mapping[str, float]], target: Target | None, otherwise: str) -> tuple[int, tuple[str, ...]]:
    """The best row of measures by the target, the first of equals; by the measure `otherwise` where the target asks for something else.

    Returns:
        Its number, and what to tell.
    """
    if target is not None:
        try:
            scores = [score(target, _named(row)) for row in rows]
            return max(range(len(rows)), key=lambda row: (scores[row], -row)), ()
        except DataError:
            pass
    values = [-1.0 if np.isnan(row[otherwise]) else row[otherwise] for row in rows]
    told = f"The target '{target}' asks for what no threshold changes; the best threshold is that of {otherwise}." if target else ""
    return int(np.argmax(values)), (told,) if told else ()


def _named(row: Mapping[str, float]) -> dict[str, float]:
    """The measures under all names that targets know them by."""
    both = row.get("dice", row.get("f1", float("nan")))
    return {**row, **{f"{name}_dataset": value for name, value in row.items()}, "f": both, "f1": both, "f_dataset": both}
