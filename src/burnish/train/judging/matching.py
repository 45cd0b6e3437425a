"""Which predicted box found which true one: greedily, the surest first, as COCO and VOC match them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.geometry.overlap import box_overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """The boxes of one picture after matching.

    Attributes:
        hits: (n,) booleans: the prediction found a box of its own class that no surer one had found.
        taken: (n,) place of the true box that a prediction at or above the score was matched with, of any class; -1 for none.
    """

    hits: NDArray[np.bool_]
    taken: NDArray[np.int64]


def match(
    found: NDArray[np.float64],
    classes: NDArray[np.int64],
    scores: NDArray[np.float64],
    given: NDArray[np.float64],
    true: NDArray[np.int64],
    *,
    overlap: float,
    min_score: float,
) -> Matched:
    """Match predicted boxes with true ones.

    Args:
        found: (n, 4) predicted boxes.
        classes: (n,) their classes.
        scores: (n,) how sure each is.
        given: (m, 4) true boxes.
        true: (m,) their classes.
        overlap: IoU from which a box is found.
        min_score: Predictions below it are matched within their class alone, for curves.
    """
    ious = box_overlaps(found, given)
    order = np.argsort(-scores, kind="stable")
    same = greedy(np.where(classes[:, None] == true[None], ious, 0.0), order, overlap)
    sure = scores >= min_score
    taken = np.where(sure, same, -1)
    # What found nothing of its own class may have found something of another: that is a confusion, not a false alarm and a miss.
    left = ious.copy()
    left[:, taken[taken >= 0]] = 0.0
    left[~sure | (taken >= 0)] = 0.0
    other = greedy(left, order, overlap)
    return Matched(same >= 0, np.where(taken >= 0, taken, other))


def greedy(overlaps: NDArray[np.float64], order: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """What each prediction found, (n,): the true object with the largest overlap that is left, -1 for none.

    Args:
        overlaps: (n, m) of predictions with true objects.
        order: (n,) or fewer rows, the surest first.
        least: Overlap from which an object is found.
    """
    free = overlaps.copy()
    taken = np.full(len(overlaps), -1, np.int64)
    if not overlaps.size:
        return taken
    for place in order:
        best = int(free[place].argmax())
        if free[place, best] >= least:
            taken[place] = best
            free[:, best] = -1.0
    return taken
