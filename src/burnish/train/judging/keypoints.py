"""Judges key points: how near they are to the true ones, which are found, and which is taken for which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.errors import ConfigError
from burnish.geometry import boxes as upright
from burnish.geometry.keypoint_sigmas import COCO_PERSON
from burnish.metrics.calibration import calibration_error, reliability
from burnish.metrics.metric import Metric, build
from burnish.metrics.state import State, merged
from burnish.train.judging.guilty import Guilty
from burnish.train.judging.judge import Confusion, Figures
from burnish.train.judging.pairing import Compared, compare
from burnish.train.judging.points import Points, point_curves, point_sweep, point_table
from burnish.train.judging.precision import Ranked
from burnish.train.policies.keypoints import PRESENT, locate, usual_sigmas
from burnish.train.policies.skeletons import labelled_boxes, skeletons_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.train.judging.bootstrap import Statistics
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import EvaluateConfig
    from burnish.train.policies.skeletons import Skeleton
    from burnish.train.target import Target
    from burnish.train.trained import Trained

SHARES: Final = {"pck_05": 0.05, "pck_10": 0.1, "pck_20": 0.2}
"""Numbers of points that lie near enough, and the shares of the longer side of the object's box that they stand for."""

_ELSEWHERE, _NOT_FOUND = "elsewhere", "not found"
_BINS = 15


def judge(trained: Trained, policy: Policy, config: EvaluateConfig) -> KeypointJudge:
    """The judge of a network's points.

    Raises:
        ConfigError: There are not as many sigmas as points.
    """
    sigmas = config.points.sigmas or usual_sigmas(len(trained.names)) or COCO_PERSON
    if len(sigmas) != len(trained.names):
        told = f"There are {len(sigmas)} sigmas, but the network finds {len(trained.names)} points"
        raise ConfigError(f"{told}: {', '.join(trained.names)}. Give one for each, in this order.")
    return KeypointJudge(trained, policy.pictures, config, build({"name": "oks_ap", "sigmas": sigmas}), sigmas)


@dataclass(slots=True, eq=False)
class KeypointJudge:
    """Compares points.

    Attributes:
        trained: The network.
        examples: The whole pictures with their skeletons.
        config: From which distance on a point is right.
        coco: COCO's mean average precision of key points.
        sigmas: How exactly each point can be placed.
        rows: Places of the pictures in the examples.
        compared: What was found in each picture.
        states: COCO's memory of each picture.
        guilty: Which pictures have most of each confusion.
    """

    trained: Trained
    examples: Examples
    config: EvaluateConfig
    coco: Metric
    sigmas: Sequence[float]
    rows: list[int] = field(default_factory=list[int])
    compared: list[Compared] = field(default_factory=list[Compared])
    states: list[State] = field(default_factory=list[State])
    guilty: Guilty = field(default_factory=Guilty)

    def add(self, rows: Sequence[int], pictures: Sequence[NDArray[np.uint8]]) -> None:
        """Predict and compare pictures; a network that looks at parts of them is shown those around the labelled objects."""
        boxes = labelled_boxes(self.trained, self.examples, rows)
        for row, found in zip(rows, locate(self.trained, pictures, flips=self.config.flips, boxes=boxes), strict=True):
            self.add_points(row, found)

    def add_points(self, row: int, found: NDArray[np.float64]) -> None:
        """Compare the points (n, K, 3) x, y and height of the peak that were predicted in a picture."""
        true = skeletons_of(self.examples, row)
        one = compare(found, true, self.sigmas, self.config.points.near)
        self.states.append(_coco_state(self.coco, len(self.rows), found, true))
        self.rows.append(row)
        self.compared.append(one)
        self.guilty.add(row, one.confusion)

    def statistics(self) -> Statistics:
        """COCO's precision, PCK, similarity, errors and the share that is found."""
        ranked = Ranked.of(
            [len(one.sides) for one in self.compared], [one.scores for one in self.compared], [one.hits for one in self.compared]
        )
        sums = np.stack([_sums(one) for one in self.compared])

        def weighted(weights: NDArray[np.int64]) -> dict[str, float]:
            precision = ranked.precisions(weights)
            total = weights @ sums
            points, placed, objects = total[-3:]
            means = [*(total[:3] / points), total[3] / objects, *(total[4:6] / placed if placed else (np.nan, np.nan)), total[6] / points]
            told = {"oks_ap": precision.mean(), "oks_ap_50": precision[0], "oks_ap_75": precision[5]}
            told |= dict(zip((*SHARES, "oks", "mean_error", "nme", "found"), means, strict=True))
            return {name: float(value) for name, value in told.items()}

        return weighted

    def figures(self, target: Target | None) -> Figures:
        """All numbers."""
        said, names = self._points(), self.trained.names
        known = said.known
        bins = reliability(np.clip(said.heights[known], 0, 1), said.shares[known] <= self.config.points.near, _BINS)
        numbers = self.statistics()(np.ones(len(self.rows), np.int64))
        more = {name: value for name, value in self.coco.result(merged(self.states)).items() if name not in numbers}
        metrics = {**numbers, "ece": calibration_error(bins), **more}
        swept, notes = point_sweep(said, names, self.config.points.near, target)
        confusion = np.sum([one.confusion for one in self.compared], axis=0)
        sides = (*names, _ELSEWHERE), (*names, _NOT_FOUND)
        return Figures(
            metrics=metrics,
            pictures=self._pictures(),
            score="oks",
            classes=point_table(said, names, self.config.points.near, SHARES),
            sweep=swept,
            curves=point_curves(said, names, self.config.points.near),
            confusion=Confusion(confusion, *sides, "points", self.guilty.pictures()),
            reliability=bins,
            notes=(*notes, *self._notes()),
        )

    def _points(self) -> Points:
        """The points of all objects under one another."""
        return Points(*(np.concatenate([getattr(one, name) for one in self.compared]) for name in ("known", "errors", "shares", "heights")))

    def _notes(self) -> tuple[str, ...]:
        sides = "Distances are divided by the longer side of the box of their object."
        if self.trained.details.get("crops"):
            return (sides, "The network was shown the parts around the labelled boxes; boxes that a detector finds would be less exact.")
        several = sum(len(one.sides) > 1 for one in self.compared)
        told = f"{several:,} pictures have several objects; this network finds one in each, so the others count as missed."
        return (sides, told) if several else (sides,)

    def _pictures(self) -> pl.DataFrame:
        told = zip(self.rows, self.compared, strict=True)
        rows = [{"row": row, **_row(one, self.trained.names, self.config.points.near)} for row, one in told]
        return pl.DataFrame(rows, infer_schema_length=None).fill_nan(None)


def _sums(one: Compared) -> NDArray[np.float64]:
    """What adds up to the numbers of all: near points by share, similarities, errors in pixels and as shares, found points, counts."""
    placed = ~np.isnan(one.errors)
    near = [np.count_nonzero(one.shares <= share) for share in SHARES.values()]
    errors = [one.errors[placed].sum(), one.shares[placed].sum()]
    found = np.count_nonzero(one.heights[one.known] >= PRESENT)
    return np.array([*near, one.similarities.sum(), *errors, found, one.known.sum(), placed.sum(), len(one.sides)], np.float64)


def _row(one: Compared, names: Sequence[str], near: float) -> dict[str, Any]:
    """The numbers of one picture."""
    points, placed = int(one.known.sum()), ~np.isnan(one.errors)
    far = np.where(one.known, one.shares, -1.0)
    wrong = np.where(np.eye(len(one.confusion), dtype=np.bool_), 0, one.confusion)
    given, predicted = divmod(int(wrong.argmax()), len(wrong))
    return {
        "oks": float(one.similarities.mean()),
        "pck": np.count_nonzero(one.shares <= near) / points,
        "mean_error": float(one.errors[placed].mean()) if placed.any() else float("nan"),
        "nme": float(one.shares[placed].mean()) if placed.any() else float("nan"),
        "objects": len(one.sides),
        "points": points,
        "found": int(np.count_nonzero(one.heights[one.known] >= PRESENT)),
        "worst_point": names[int(far.argmax()) % len(names)],
        "given": (*names, _ELSEWHERE)[given] if wrong.any() else "",
        "predicted": (*names, _NOT_FOUND)[predicted] if wrong.any() else "",
    }


def _coco_state(coco: Metric, number: int, found: NDArray[np.float64], true: Sequence[Skeleton]) -> State:
    """One picture as COCO's metric takes it; the area of an object is that of its box."""
    predicted = np.concatenate(
        [np.full((len(found), 1), number), found[..., 2].mean(axis=1)[:, None], found.reshape(len(found), -1)], axis=1
    )
    points, boxes = np.stack([one.points for one in true]), np.stack([one.box for one in true])
    known = np.stack([np.full(len(true), number), np.zeros(len(true)), upright.area(boxes)], axis=1)
    return coco.measure(predicted, np.concatenate([known, boxes, points.reshape(len(true), -1)], axis=1), images=[number])
