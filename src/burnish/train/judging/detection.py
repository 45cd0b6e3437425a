"""Judges boxes, and masks beside them: what was found, missed and made up, average precision, and which class was taken for which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.geometry.overlap import box_overlaps
from burnish.metrics.calibration import calibration_error, reliability
from burnish.metrics.counts import averaged, measured
from burnish.metrics.metric import Metric, build
from burnish.metrics.state import State, merged
from burnish.train.judging.guilty import Guilty
from burnish.train.judging.instances import Instances, instances_of
from burnish.train.judging.judge import Confusion, Curve, Figures
from burnish.train.judging.matching import match
from burnish.train.judging.thresholds import STEPS, SWEPT, best_row
from burnish.train.policies.boxes import crowd_code, truth_of
from burnish.train.policies.detection import detect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.labels import Labels
    from burnish.metrics.counts import Measure
    from burnish.train.judging.bootstrap import Statistics
    from burnish.train.policies.boxes import Truth
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import EvaluateConfig
    from burnish.train.target import Target
    from burnish.train.trained import Trained

_BACKGROUND = "background"
_BINS = 15
_MAIN: Final = ("map", "map_50", "map_75", "mask_map", "mask_map_50", "mask_map_75")
_MEASURES: Final[tuple[tuple[Measure, str], ...]] = (("f", "f1"), ("precision", "precision"), ("recall", "recall"))


def judge(trained: Trained, policy: Policy, config: EvaluateConfig) -> DetectionJudge:
    """The judge of a network's boxes, and of its masks where it gives them."""
    coco = build({"name": "map", "per_class": True, "class_names": trained.classes})
    instances, told = instances_of(trained, policy.pictures, config.overlap)
    return DetectionJudge(trained, policy.pictures, config, coco, instances, told)


@dataclass(slots=True, eq=False)
class DetectionJudge:
    """Compares boxes.

    Attributes:
        trained: The network.
        examples: The pictures with their boxes.
        config: Overlap and score from which a box counts.
        coco: COCO's mean average precision.
        instances: Judges masks; None where there are none to compare.
        told: What the reader should know of them.
        rows: Places of the pictures in the examples.
        counts: (K, 4) of each picture: hits, false alarms and misses at the score; what lies in a crowd is neither.
        given: (K,) true boxes of each picture.
        found: (n, 4) of each picture: number of the picture, class, score and whether it is a hit, at any score.
        states: COCO's memory of each batch.
        confusions: (K + 1, K + 1) boxes, the last for background.
        guilty: Which pictures have most of each confusion.
        worst_pairs: The most frequent confusion of each picture.
    """

    trained: Trained
    examples: Examples
    config: EvaluateConfig
    coco: Metric
    instances: Instances | None = None
    told: tuple[str, ...] = ()
    rows: list[int] = field(default_factory=list[int])
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    given: list[NDArray[np.int64]] = field(default_factory=list)
    found: list[NDArray[np.float64]] = field(default_factory=list)
    states: list[State] = field(default_factory=list[State])
    confusions: NDArray[np.int64] | None = None
    guilty: Guilty = field(default_factory=Guilty)
    worst_pairs: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def add(self, rows: Sequence[int], pictures: Sequence[NDArray[np.uint8]]) -> None:
        """Predict and compare pictures."""
        for row, labels in zip(rows, detect(self.trained, pictures, flips=self.config.flips), strict=True):
            self.add_labels(row, labels)

    def add_labels(self, row: int, labels: Labels) -> None:
        """Compare what was predicted of a picture; classes are places in the network's."""
        truth = truth_of(self.examples, row)
        own = truth.codes >= 0
        boxes, true, crowds = truth.boxes[own], truth.codes[own], truth.boxes[~own]
        classes, scores = labels.classes.astype(np.int64), np.nan_to_num(labels.scores, nan=1.0)
        number, kinds = len(self.rows), len(self.trained.classes)
        found = match(labels.boxes, classes, scores, boxes, true, overlap=self.config.overlap, min_score=self.config.min_score)
        if self.instances is not None:
            self.instances.add(labels, truth, found.taken)
        self.states.append(_coco_state(self.coco, number, labels, truth))
        same = classes[:, None] == crowd_code(truth.codes[~own])[None]
        crowded = (same & (box_overlaps(labels.boxes, crowds, crowd=np.ones(len(crowds))) >= self.config.overlap)).any(axis=1)
        counts = ~crowded | found.hits | (found.taken >= 0)
        classes, scores, hits, taken = classes[counts], scores[counts], found.hits[counts], found.taken[counts]
        self.rows.append(row)
        self.given.append(np.bincount(true, minlength=kinds))
        self.found.append(np.stack([np.full(len(classes), number), classes, scores, hits], axis=1).astype(np.float64))
        sure = scores >= self.config.min_score
        self._count(classes[sure], hits[sure])
        self._blame(row, _matrix(classes[sure], taken[sure], true, kinds))

    def statistics(self) -> Statistics:
        """Rates at the score, and the mean average precision at the overlap."""
        counts, boxes, masks = np.stack(self.counts), self._boxes(self.found), self.instances
        outlined = None if masks is None else self._boxes(masks.found)

        def weighted(weights: NDArray[np.int64]) -> dict[str, float]:
            total = np.tensordot(weights, counts, 1)
            numbers = {"average_precision": boxes.mean(weights), **{label: float(averaged(total, name)) for name, label in _MEASURES}}
            if masks is None or outlined is None:
                return numbers
            return {**numbers, "mask_average_precision": outlined.mean(weights), "mask_iou": masks.mean_fit(weights)}

        return weighted

    def figures(self, target: Target | None) -> Figures:
        """All numbers."""
        once = np.ones(len(self.rows), np.int64)
        everything = np.concatenate(self.found)
        sure = everything[everything[:, 2] >= self.config.min_score]
        bins = reliability(np.clip(sure[:, 2], 0, 1), sure[:, 3] > 0, _BINS)
        ranked = {**self.coco.result(merged(self.states)), **({} if self.instances is None else self.instances.result())}
        main = {name: ranked[name] for name in _MAIN if name in ranked}
        rest = {name: value for name, value in ranked.items() if "/" not in name}
        metrics = {**main, **self.statistics()(once), "ece": calibration_error(bins), **rest}
        curves = [
            Curve("pr", name, points)
            for name, points in zip(self.trained.classes, self._boxes(self.found).points(once), strict=True)
            if points is not None and len(points)
        ]
        swept, notes = self._sweep(everything, target)
        names = (*self.trained.classes, _BACKGROUND)
        assert self.confusions is not None
        return Figures(
            metrics=metrics,
            pictures=self._pictures(),
            score="f1",
            classes=self._classes(ranked),
            sweep=swept,
            curves=tuple(curves),
            confusion=Confusion(self.confusions, names, names, "boxes", self.guilty.pictures()),
            reliability=bins if len(sure) else None,
            notes=(*notes, *self.told),
        )

    def _count(self, classes: NDArray[np.int64], hits: NDArray[np.bool_]) -> None:
        kinds = len(self.trained.classes)
        right, made_up = np.bincount(classes[hits], minlength=kinds), np.bincount(classes[~hits], minlength=kinds)
        self.counts.append(np.stack([right, made_up, self.given[-1] - right, np.zeros(kinds, np.int64)], axis=1))

    def _blame(self, row: int, matrix: NDArray[np.int64]) -> None:
        self.confusions = matrix if self.confusions is None else self.confusions + matrix
        self.guilty.add(row, matrix)
        wrong = np.where(np.eye(len(matrix), dtype=np.bool_), 0, matrix)
        self.worst_pairs.append(divmod(int(wrong.argmax()), len(matrix)) if wrong.any() else (-1, -1))

    def _boxes(self, found: Sequence[NDArray[np.float64]]) -> _Boxes:
        """All predictions of pictures (n, 4), by their classes."""
        everything, kinds = np.concatenate(found), len(self.trained.classes)
        order = np.argsort(-everything[:, 2], kind="stable")
        return _Boxes(np.stack(self.given), tuple(everything[order][everything[order, 1] == number] for number in range(kinds)))

    def _sweep(self, everything: NDArray[np.float64], target: Target | None) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """Rates at each score, of all classes together and of each; none where no box is as sure as the lowest of them."""
        if not (everything[:, 2] >= SWEPT[0] / STEPS).any():
            return pl.DataFrame(), (f"No box has a score of {SWEPT[0] / STEPS:g} or more, so no threshold is better than another.",)
        kinds, given = len(self.trained.classes), np.stack(self.given).sum(axis=0)
        counts = np.zeros((len(SWEPT), kinds, 4), np.int64)
        for place, step in enumerate(SWEPT):
            chosen = everything[everything[:, 2] >= step / STEPS]
            right = np.bincount(chosen[chosen[:, 3] > 0, 1].astype(np.int64), minlength=kinds)
            number = np.bincount(chosen[:, 1].astype(np.int64), minlength=kinds)
            counts[place] = np.stack([right, number - right, given - right, np.zeros(kinds, np.int64)], axis=1)
        groups: list[tuple[str, int | None]] = [("all", None), *((name, place) for place, name in enumerate(self.trained.classes))]
        tables: list[pl.DataFrame] = []
        notes: tuple[str, ...] = ()
        for name, number in groups if kinds > 1 else groups[1:]:
            values = {label: averaged(counts, m) if number is None else measured(counts[:, number], m) for m, label in _MEASURES}
            best, notes = best_row([{label: float(values[label][at]) for label in values} for at in range(len(SWEPT))], target, "f1")
            columns: dict[str, Any] = {"class": [name] * len(SWEPT), "threshold": [step / STEPS for step in SWEPT], **values}
            tables.append(pl.DataFrame({**columns, "best": [at == best for at in range(len(SWEPT))]}).fill_nan(None))
        return pl.concat(tables), notes

    def _pictures(self) -> pl.DataFrame:
        counts = np.stack(self.counts).sum(axis=1)
        names = (*self.trained.classes, _BACKGROUND)
        columns: dict[str, Any] = {"row": self.rows, **{label: measured(counts, name) for name, label in _MEASURES}}
        if self.instances is not None:
            columns["mask_iou"] = [float(fits.mean()) if len(fits) else float("nan") for fits in self.instances.fits]
        columns |= {"boxes": counts[:, 0] + counts[:, 2], "hits": counts[:, 0], "false_alarms": counts[:, 1], "misses": counts[:, 2]}
        columns |= {"given": ["" if pair[0] < 0 else names[pair[0]] for pair in self.worst_pairs]}
        columns |= {"predicted": ["" if pair[1] < 0 else names[pair[1]] for pair in self.worst_pairs]}
        return pl.DataFrame(columns).fill_nan(None)

    def _classes(self, ranked: Mapping[str, float]) -> pl.DataFrame:
        counts = np.stack(self.counts)
        total, given = counts.sum(axis=0), np.stack(self.given)
        points = self._boxes(self.found).points(np.ones(len(self.rows), np.int64))
        columns: dict[str, Any] = {"class": self.trained.classes, "pictures": np.count_nonzero(given, axis=0), "boxes": given.sum(axis=0)}
        columns |= {label: measured(total, name) for name, label in _MEASURES}
        columns |= {"average_precision": [float("nan") if one is None else _average_precision(one) for one in points]}
        for name in ("map", "map_50", "mask_map", "mask_map_50", "mask_map_75"):
            told = [ranked.get(f"{name}/{one}") for one in self.trained.classes]
            columns |= {} if told.count(None) == len(told) else {name: told}
        return pl.DataFrame(columns).fill_nan(None)


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """All boxes or masks, ready to be weighted again and again.

    Attributes:
        given: (N, K) true objects of each picture.
        found: Of each class, (n, 4) picture, class, score and hit, from the highest score down.
    """

    given: NDArray[np.int64]
    found: tuple[NDArray[np.float64], ...]

    def points(self, weights: NDArray[np.int64]) -> list[NDArray[np.float64] | None]:
        """(T, 3) score, recall and precision of each class, from the highest score down; None where there is no true box."""
        totals = weights @ self.given
        return [_points(own, weights, int(total)) if total else None for own, total in zip(self.found, totals, strict=True)]

    def mean(self, weights: NDArray[np.int64]) -> float:
        """The mean of the classes' average precisions; NaN where there is none."""
        precisions = [_average_precision(points) for points in self.points(weights) if points is not None]
        return float(np.mean(precisions)) if precisions else float("nan")


def _points(own: NDArray[np.float64], weights: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    heavy = weights[own[:, 0].astype(np.int64)]
    hits, all_of = np.cumsum(heavy * own[:, 3]), np.cumsum(heavy)
    last = np.append(np.diff(own[:, 2]) != 0, True)[: len(own)] & (all_of > 0)
    return np.stack([own[:, 2], hits / total, hits / np.maximum(all_of, 1)], axis=1)[last]


def _average_precision(points: NDArray[np.float64]) -> float:
    """The area below precision over recall, a sum over steps of recall without interpolation."""
    return float((np.diff(points[:, 1], prepend=0) * points[:, 2]).sum())


def _matrix(classes: NDArray[np.int64], taken: NDArray[np.int64], true: NDArray[np.int64], kinds: int) -> NDArray[np.int64]:
    """What was taken for what (kinds + 1, kinds + 1): made-up boxes stand in the last row, missed ones in the last column."""
    matrix = np.zeros((kinds + 1, kinds + 1), np.int64)
    given = np.where(taken >= 0, np.append(true, kinds)[taken], kinds)
    np.add.at(matrix, (given, classes), 1)
    missed = np.setdiff1d(np.arange(len(true)), taken)
    np.add.at(matrix, (true[missed], np.full(len(missed), kinds)), 1)
    return matrix


def _coco_state(coco: Metric, number: int, labels: Labels, truth: Truth) -> State:
    """One picture as COCO's metric takes it."""
    scores, crowd, count = np.nan_to_num(labels.scores, nan=1.0), truth.codes < 0, len(truth.codes)
    known = np.stack([np.full(len(labels), number), labels.classes, scores], axis=1)
    classes = np.where(crowd, crowd_code(truth.codes), truth.codes)
    true = np.stack([np.full(count, number), classes, crowd, np.full(count, np.nan)], axis=1)
    return coco.measure(np.concatenate([known, labels.boxes], axis=1), np.concatenate([true, truth.boxes], axis=1), images=[number])
