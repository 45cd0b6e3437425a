"""Judges masks, in the size of each picture: overlap, outlines, thresholds, calibration, and which class was taken for which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.errors import ConfigError
from burnish.metrics.calibration import calibration_error, reliability
from burnish.metrics.counts import averaged, confusion_counts, mask_counts, measured, weighted_mean
from burnish.metrics.metric import Metric, build
from burnish.train.judging.guilty import Guilty
from burnish.train.judging.judge import Confusion, Figures
from burnish.train.judging.thresholds import ProbabilityCounts, area, sweep
from burnish.train.policies.segmentation import Segmentation, decided, probability_maps
from burnish.train.samples import IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.metrics.counts import Measure
    from burnish.train.judging.bootstrap import Statistics
    from burnish.train.judging.judge import Curve
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import EvaluateConfig
    from burnish.train.target import Target
    from burnish.train.trained import Trained

_OVERLAPS: Final[tuple[Measure, ...]] = ("iou", "dice", "precision", "recall")
_OUTLINES = ("hd95", "assd", "nsd", "boundary_iou")
_BINS = 15
_HALF = 127  # soft masks hold shares of belief from 0 to 255


def judge(trained: Trained, policy: Policy, config: EvaluateConfig) -> SegmentationJudge:
    """The judge of a network's masks."""
    if not isinstance(policy, Segmentation):  # pragma: no cover - the task decides both
        raise ConfigError("Masks are judged by the masks of a dataset.")
    return SegmentationJudge(trained, policy, config, ProbabilityCounts.empty(trained.names))


@dataclass(slots=True, eq=False)
class SegmentationJudge:
    """Compares masks.

    Attributes:
        trained: The network.
        policy: The examples with their masks.
        config: What is measured.
        counted: Probabilities of pixels, in the modes in which a threshold decides.
        rows: Places of the pictures in the examples.
        counts: (K, 4) of each picture.
        outlines: (K', 4) of each picture: HD95, ASSD, NSD and boundary IoU of each class but the background.
        confusions: (K, K) pixels of all pictures.
        guilty: Which pictures have most of each confusion.
        bins: (bins, 3) of the reliability diagram.
        worst_pairs: The largest confusion of each picture.
    """

    trained: Trained
    policy: Segmentation
    config: EvaluateConfig
    counted: ProbabilityCounts
    rows: list[int] = field(default_factory=list[int])
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    outlines: list[NDArray[np.float64]] = field(default_factory=list)
    confusions: NDArray[np.int64] | None = None
    guilty: Guilty = field(default_factory=Guilty)
    bins: NDArray[np.float64] = field(default_factory=lambda: np.zeros((_BINS, 3)))
    worst_pairs: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def add(self, rows: Sequence[int], pictures: Sequence[NDArray[np.uint8]]) -> None:
        """Predict and compare pictures."""
        maps = probability_maps(self.trained, pictures, flips=self.config.flips)
        for row, found in zip(rows, maps, strict=True):
            self.rows.append(row)
            if self.trained.mode == "multiclass":
                self._add_labels(row, found, self.policy.mask(row))
            else:
                self._add_masks(found, *self._given(row))

    def statistics(self) -> Statistics:
        """Overlaps of all pixels, means over pictures, and outlines."""
        counts = np.stack(self.counts)
        own = averaged(counts, "iou")
        outlines = np.stack(self.outlines) if self.outlines else None

        def weighted(weights: NDArray[np.int64]) -> dict[str, float]:
            total = np.tensordot(weights, counts, 1)
            found = {f"{name}_dataset": float(averaged(total, name)) for name in _OVERLAPS}
            found["iou_image"] = float(weighted_mean(own, weights.astype(np.float64), axis=0))
            return found if outlines is None else {**found, **_outline_means(outlines, weights)}

        return weighted

    def figures(self, target: Target | None) -> Figures:
        """All numbers."""
        metrics = {**self.statistics()(np.ones(len(self.rows), np.int64)), "ece": calibration_error(self.bins)}
        curves = self.counted.curves()
        for kind, name in (("pr", "average_precision"), ("roc", "auroc")):
            areas = [area(curve) for curve in curves if curve.kind == kind]
            metrics |= {name: float(np.mean(areas))} if areas else {}
        swept, notes = (pl.DataFrame(), ()) if self.trained.mode == "multiclass" else sweep(self.counted, target)
        return Figures(
            metrics=metrics,
            pictures=self._pictures(),
            score="iou",
            classes=self._classes(curves),
            sweep=swept,
            curves=curves,
            confusion=self._confusion(),
            reliability=self.bins,
            notes=notes,
        )

    def _given(self, row: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Masks (K, h, w) of a picture, and which pixels (h, w) count."""
        if self.trained.mode == "binary" and not self.policy.examples.is_soft:
            mask = self.policy.mask(row)
            return (mask == 1)[None], mask != IGNORED
        return self.policy.layers(row).transpose(2, 0, 1) > _HALF, self.policy.ignored(row) != IGNORED

    def _add_labels(self, row: int, found: NDArray[np.float32], true: NDArray[np.uint8]) -> None:
        """A picture whose pixels have one class each."""
        valid = true != IGNORED
        labels, given, classes = found.argmax(0)[valid], true[valid].astype(np.int64), len(found)
        matrix = np.bincount(given * classes + labels, minlength=classes**2).reshape(classes, classes)
        self.counts.append(confusion_counts(matrix))
        self._blame(row, matrix)
        self.bins += reliability(np.clip(found.max(0)[valid], 0, 1), labels == given, _BINS)
        present = np.arange(1, classes)[:, None, None]
        self._add_outlines(decided(found, "multiclass") & valid, (true == present) & valid)

    def _add_masks(self, found: NDArray[np.float32], given: NDArray[np.bool_], valid: NDArray[np.bool_]) -> None:
        """A picture whose pixels have each class or not."""
        masks = decided(found, self.trained.mode)
        everywhere = np.broadcast_to(valid, given.shape)
        counts = mask_counts(masks[None], given[None], valid=everywhere[None])[0]
        self.counts.append(counts)
        self.counted.add(found, given, valid)
        self.bins += reliability(np.clip(np.maximum(found, 1 - found)[everywhere], 0, 1), (masks == given)[everywhere], _BINS)
        if self.trained.mode == "binary":
            hits, alarms, misses, rest = counts[0]
            self._blame(self.rows[-1], np.array([[rest, alarms], [misses, hits]]))
        self._add_outlines(masks & valid, given & valid)

    def _blame(self, row: int, matrix: NDArray[np.int64]) -> None:
        self.confusions = matrix if self.confusions is None else self.confusions + matrix
        self.guilty.add(row, matrix)
        wrong = np.where(np.eye(len(matrix), dtype=np.bool_), 0, matrix)
        place = int(wrong.argmax())
        self.worst_pairs.append(divmod(place, len(matrix)) if wrong.any() else (-1, -1))

    def _add_outlines(self, masks: NDArray[np.bool_], given: NDArray[np.bool_]) -> None:
        if not self.config.outlines:
            return
        parts = [
            metric.measure(masks[None], given[None]).rows["values"].reshape(len(masks), -1) for metric in _outline_metrics(self.config)
        ]
        self.outlines.append(np.concatenate(parts, axis=1))

    def _pictures(self) -> pl.DataFrame:
        counts = np.stack(self.counts)
        columns: dict[str, Any] = {"row": self.rows, **{name: averaged(counts, name) for name in _OVERLAPS}}
        if self.outlines:
            values = np.stack(self.outlines)
            columns |= {name: weighted_mean(values[..., n], np.ones(values.shape[:2]), axis=1) for n, name in enumerate(_OUTLINES)}
        columns |= _worst_class(measured(counts, "iou"), self.trained.names)
        if self.confusions is not None:
            names = _sides(self.trained)
            columns["given"] = ["" if pair[0] < 0 else names[pair[0]] for pair in self.worst_pairs]
            columns["predicted"] = ["" if pair[1] < 0 else names[pair[1]] for pair in self.worst_pairs]
        return pl.DataFrame(columns).fill_nan(None)

    def _classes(self, curves: Sequence[Curve]) -> pl.DataFrame:
        counts = np.stack(self.counts)
        total = counts.sum(axis=0)
        there = np.count_nonzero(counts[..., 0] + counts[..., 2], axis=0)
        columns: dict[str, Any] = {"class": self.trained.names, "pictures": there, "pixels": total[:, 0] + total[:, 2]}
        columns |= {name: measured(total, name) for name in _OVERLAPS}
        if self.outlines:
            values = np.stack(self.outlines)
            means = weighted_mean(values, np.ones(values.shape), axis=0)
            before = np.full((len(self.trained.names) - len(means), len(_OUTLINES)), np.nan)
            columns |= dict(zip(_OUTLINES, np.concatenate([before, means]).T, strict=True))
        for kind, name in (("pr", "average_precision"), ("roc", "auroc")):
            areas = {curve.name: area(curve) for curve in curves if curve.kind == kind}
            columns |= {name: [areas.get(one, float("nan")) for one in self.trained.names]} if areas else {}
        return pl.DataFrame(columns).fill_nan(None)

    def _confusion(self) -> Confusion | None:
        if self.confusions is None:
            return None
        names = _sides(self.trained)
        return Confusion(self.confusions, names, names, "pixels", self.guilty.pictures())


def _outline_means(values: NDArray[np.float64], weights: NDArray[np.int64]) -> dict[str, float]:
    """Means over the classes of pictures where either mask has a pixel."""
    repeated = np.broadcast_to(weights[:, None].astype(np.float64), values.shape[:2]).reshape(-1)
    means = weighted_mean(values.reshape(-1, len(_OUTLINES)), repeated[:, None], axis=0)
    return {name: float(value) for name, value in zip(_OUTLINES, means, strict=True)}


def _sides(trained: Trained) -> tuple[str, ...]:
    """The classes of a confusion: in binary mode the one name and what it is not."""
    return ("background", *trained.names) if trained.mode == "binary" else trained.names


def _outline_metrics(config: EvaluateConfig) -> tuple[Metric, Metric]:
    """Masks come decided, so that every class counts for itself."""
    return (
        build({"name": "surfaces", "mode": "multilabel", "tolerance": config.tolerance}),
        build({"name": "boundary_iou", "mode": "multilabel"}),
    )


def _worst_class(values: NDArray[np.float64], names: Sequence[str]) -> dict[str, Any]:
    """The class with the lowest IoU of each picture, and that IoU; where there are several."""
    if len(names) < 2:  # noqa: PLR2004 - nothing to compare with
        return {}
    known = np.where(np.isnan(values), np.inf, values)
    worst = known.argmin(axis=1)
    lowest = known.min(axis=1)
    told = [names[place] if np.isfinite(value) else None for place, value in zip(worst, lowest, strict=True)]
    return {"worst_class": told, "worst_iou": np.where(np.isfinite(lowest), lowest, np.nan)}
