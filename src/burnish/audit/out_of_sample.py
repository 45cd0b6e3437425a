"""Out-of-sample predictions: every item judged by a model that never saw it, nor a copy of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.audit.fold_models import FoldModel, FoldTask
from burnish.audit.folds import Folds, make_folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.engine.pieces import Pieces
    from burnish.engine.progress import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is predicted, and how the folds are drawn.

    Attributes:
        labels: (n,) given classes, 0 to `num_classes` - 1.
        num_classes: Number of classes.
        groups: (n,) items with the same number are never apart.
        folds: Wanted number of folds.
        repeats: How often the folds are drawn anew.
        seed: Seed of folds and models.
    """

    labels: NDArray[np.int64]
    num_classes: int
    groups: NDArray[np.int64]
    folds: int
    repeats: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What models say of items that they never saw.

    Attributes:
        probabilities: (n, k) mean over the repeats; rows sum to 1.
        judged: (n,) whether the model had seen another item of the given class; where not, the prediction says nothing of the label.
        folds: Number of folds.
        repeats: How often the folds were drawn.
        accuracy: Share of items whose given label is predicted.
    """

    probabilities: NDArray[np.float64]
    judged: NDArray[np.bool_]
    folds: int
    repeats: int
    accuracy: float


def predict_out_of_sample(model: FoldModel, plan: Plan, *, pieces: Pieces, progress: Progress) -> Predictions:
    """Predict every item in each repeat by the model of the fold that held it back; finished folds are kept on disk.

    Raises:
        DataError: There are fewer than two groups.
    """
    total = np.zeros((len(plan.labels), plan.num_classes))
    judged = np.ones(len(plan.labels), dtype=np.bool_)
    rounds = [make_folds(plan.labels, plan.num_classes, plan.groups, plan.folds, seed=plan.seed + r) for r in range(plan.repeats)]
    with progress.task(f"Predicting with {model.name}", sum(drawn.number for drawn in rounds)) as advance:
        for repeat, drawn in enumerate(rounds):
            judged &= drawn.judged
            for fold in range(drawn.number):
                total[drawn.parts == fold] += _fold(model, plan, drawn, (repeat, fold), pieces, progress=progress)
                advance(1)
    probabilities = total / total.sum(axis=1, keepdims=True)
    accuracy = float((probabilities.argmax(axis=1) == plan.labels).mean())
    return Predictions(probabilities, judged, rounds[0].number, plan.repeats, accuracy)


def _fold(model: FoldModel, plan: Plan, drawn: Folds, place: tuple[int, int], pieces: Pieces, *, progress: Progress) -> NDArray[np.float64]:
    repeat, fold = place
    name = f"repeat{repeat + 1}-fold{fold + 1}"

    def compute() -> dict[str, NDArray[np.float64]]:
        task = FoldTask(
            train=np.flatnonzero(drawn.parts != fold),
            test=np.flatnonzero(drawn.parts == fold),
            labels=plan.labels,
            num_classes=plan.num_classes,
            seed=plan.seed + 1000 * repeat + fold,
            label=f"fold {fold + 1} of {drawn.number}",
            first=place == (0, 0),
            work=pieces.work_folder(name),
            progress=progress,
        )
        return {"probabilities": model.predict(task)}

    kept = pieces.keep(name, compute)["probabilities"]
    shutil.rmtree(pieces.work_folder(name))
    return kept
