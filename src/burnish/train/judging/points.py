"""What is told of each key point: its errors, how often it is near enough, and what a cut by its confidence would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.metrics.counts import averaged, measured
from burnish.train.judging.judge import Curve
from burnish.train.judging.thresholds import STEPS, SWEPT, area, best_row
from burnish.train.policies.keypoints import PRESENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.metrics.counts import Measure
    from burnish.train.target import Target

    Floats = NDArray[np.float64]

_MEASURES: tuple[tuple[Measure, str], ...] = (("f", "f1"), ("precision", "precision"), ("recall", "recall"))
_DISTANCES = np.arange(51) / 100
"""Shares of the longer side for a curve, 0 to 0.5."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The points of M objects, (M, K) each.

    Attributes:
        known: Whether the truth is known; nothing else counts.
        errors: Distance to the truth in pixels; NaN where it is not known, or nothing was predicted.
        shares: The same as a share of the longer side of the object's box; infinite where nothing was predicted.
        heights: Height of the peak, how sure the network is.
    """

    known: NDArray[np.bool_]
    errors: Floats
    shares: Floats
    heights: Floats


def point_table(points: Points, names: Sequence[str], near: float, shares: Mapping[str, float]) -> pl.DataFrame:
    """One row a point: how often it is labelled and found, its errors, and how often it lies near enough."""
    labelled = points.known.sum(axis=0)
    columns: dict[str, Any] = {"point": names, "labelled": labelled}
    columns["found"] = _ratio((points.known & (points.heights >= PRESENT)).sum(axis=0), labelled)
    for name, percent in (("median_error", 50), ("p90_error", 90)):
        columns[name] = [_percentile(errors, percent) for errors in points.errors.T]
    placed = ~np.isnan(points.errors)
    columns["nme"] = _ratio(np.where(placed, points.shares, 0.0).sum(axis=0), placed.sum(axis=0))
    columns |= {name: _ratio((points.shares <= share).sum(axis=0), labelled) for name, share in shares.items()}
    areas = {curve.name: area(curve) for curve in _ranked(points, names, near)}
    columns["average_precision"] = [areas.get(name, float("nan")) for name in names]
    return pl.DataFrame(columns).fill_nan(None)


def point_curves(points: Points, names: Sequence[str], near: float) -> tuple[Curve, ...]:
    """Of every point that is labelled, PCK over the distance that is allowed, and precision over recall by confidence."""
    curves: list[Curve] = []
    for place, name in enumerate(names):
        shares = np.sort(points.shares[points.known[:, place], place])
        if len(shares):
            right = np.searchsorted(shares, _DISTANCES, side="right") / len(shares)
            curves.append(Curve("pck", name, np.stack([_DISTANCES, _DISTANCES, right], axis=1)))
    return (*curves, *_ranked(points, names, near))


def point_sweep(points: Points, names: Sequence[str], near: float, target: Target | None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """What would be right if only points of a confidence were told, at 0.05 to 0.95: of all points together and of each.

    Returns:
        The table, in which `best` marks the best of each by the target, and what to tell where the target cannot choose.
    """
    right, counts = points.shares <= near, np.zeros((len(SWEPT), len(names), 4), np.int64)
    for place, step in enumerate(SWEPT):
        said = points.known & (points.heights >= step / STEPS)
        hits = (said & right).sum(axis=0)
        counts[place] = np.stack([hits, said.sum(axis=0) - hits, points.known.sum(axis=0) - hits, np.zeros(len(names), np.int64)], axis=1)
    groups: list[tuple[str, int | None]] = [("all", None), *((name, place) for place, name in enumerate(names))]
    tables: list[pl.DataFrame] = []
    notes: tuple[str, ...] = ()
    for name, number in groups:
        values = {label: averaged(counts, m) if number is None else measured(counts[:, number], m) for m, label in _MEASURES}
        best, notes = best_row([{label: float(values[label][at]) for label in values} for at in range(len(SWEPT))], target, "f1")
        columns: dict[str, Any] = {"point": [name] * len(SWEPT), "threshold": [step / STEPS for step in SWEPT], **values}
        tables.append(pl.DataFrame({**columns, "best": [at == best for at in range(len(SWEPT))]}).fill_nan(None))
    return pl.concat(tables), notes


def _ranked(points: Points, names: Sequence[str], near: float) -> list[Curve]:
    """Precision over recall of each point, the surest first."""
    curves: list[Curve] = []
    for place, name in enumerate(names):
        known = points.known[:, place]
        if known.any():
            heights, right = points.heights[known, place], points.shares[known, place] <= near
            order = np.argsort(-heights, kind="stable")
            hits, sure = np.cumsum(right[order]), heights[order]
            last = np.append(np.diff(sure) != 0, True)
            found = np.stack([sure, hits / len(sure), hits / np.arange(1, len(sure) + 1)], axis=1)
            curves.append(Curve("pr", name, found[last]))
    return curves


def _percentile(errors: Floats, percent: float) -> float:
    known = errors[~np.isnan(errors)]
    return float(np.percentile(known, percent)) if len(known) else float("nan")


def _ratio(part: NDArray[np.number], whole: NDArray[np.integer]) -> Floats:
    """Shares, NaN of nothing."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
