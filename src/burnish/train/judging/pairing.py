"""Predicted skeletons of one picture beside the true ones: how far each point is off, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.geometry import boxes as upright
from burnish.metrics.keypoints import keypoint_similarities
from burnish.train.judging.matching import greedy
from burnish.train.judging.precision import OVERLAPS
from burnish.train.policies.keypoints import PRESENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.train.policies.skeletons import Skeleton

    Floats = NDArray[np.float64]

_MOST: Final = 20  # skeletons of a picture that COCO looks at


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One picture with m objects of K points, and n predictions.

    Attributes:
        known: (m, K) booleans: points of which the truth is known; nothing else counts.
        errors: (m, K) distance in pixels of each known point to where the prediction of its object has it; NaN where there is none.
        heights: (m, K) height of the peak, 0 where there is no prediction.
        sides: (m,) longer side of each object's box in pixels.
        similarities: (m,) object keypoint similarity of each object with its prediction, 0 where there is none.
        scores: (n,) how sure each prediction is, the mean height of its peaks; those that COCO looks at.
        hits: (T, n) whether it found an object, at each of COCO's similarities.
        confusion: (K + 1, K + 1) points by what they were put on; the last row is for elsewhere, the last column for not found.
    """

    known: NDArray[np.bool_]
    errors: Floats
    heights: Floats
    sides: Floats
    similarities: Floats
    scores: Floats
    hits: NDArray[np.bool_]
    confusion: NDArray[np.int64]

    @property
    def shares(self) -> Floats:
        """(m, K) errors as shares of the longer side of the object's box; infinite where nothing was predicted, NaN where unknown."""
        missed = np.isnan(self.errors) & self.known
        return np.where(missed, np.inf, self.errors / np.maximum(self.sides, np.finfo(np.float64).tiny)[:, None])


def compare(found: Floats, true: Sequence[Skeleton], sigmas: Sequence[float], near: float) -> Compared:
    """Compare the predictions of a picture with its objects.

    Args:
        found: (n, K, 3) x, y and height of the peak; as many as objects where each was looked for, in their order.
        true: The objects, at least one.
        sigmas: K, of the similarity.
        near: Share of the longer side of an object's box within which a point is put on another one.
    """
    points, boxes = np.stack([one.points for one in true]), np.stack([one.box for one in true])
    alike = keypoint_similarities(found, points, upright.area(boxes), sigmas)
    own = pairs(alike)
    known, sides = points[..., 2] > 0, (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    said = np.full((*known.shape, 3), np.nan)
    said[own >= 0] = found[own[own >= 0]]
    order = np.argsort(-found[..., 2].mean(axis=1), kind="stable")[:_MOST]
    return Compared(
        known=known,
        errors=np.where(known, np.hypot(*(said - points)[..., :2].transpose(2, 0, 1)), np.nan),
        heights=np.nan_to_num(said[..., 2]),
        sides=sides,
        similarities=np.where(own >= 0, alike[own, np.arange(len(true))] if len(found) else 0.0, 0.0),
        scores=found[order, :, 2].mean(axis=1),
        hits=np.stack([greedy(alike, order, least)[order] >= 0 for least in OVERLAPS]),
        confusion=_confusion(said, points, near * sides),
    )


def pairs(alike: Floats) -> NDArray[np.int64]:
    """The prediction of each object, (m,), by similarities (n, m): its own where each was looked for, or else the likest; -1 for none."""
    count, objects = alike.shape
    if count == objects:
        return np.arange(objects)
    own = np.full(objects, -1, np.int64)
    taken = greedy(alike, np.argsort(-alike.max(axis=1, initial=0.0), kind="stable"), 0.0)
    own[taken[taken >= 0]] = np.flatnonzero(taken >= 0)
    return own


def _confusion(said: Floats, points: Floats, reach: Floats) -> NDArray[np.int64]:
    """What each known point was put on: itself, another known point of its object that is nearer than `reach` (m,), or elsewhere."""
    count = points.shape[1]
    matrix = np.zeros((count + 1, count + 1), np.int64)
    for one, true, far in zip(said, points, reach, strict=True):
        known = np.flatnonzero(true[:, 2] > 0)
        for point in known:
            if not one[point, 2] >= PRESENT:
                matrix[point, count] += 1
                continue
            gaps = np.hypot(*(true[known, :2] - one[point, :2]).T)
            at = known[int(gaps.argmin())] if gaps.min() <= far else count
            right = np.hypot(*(true[point, :2] - one[point, :2])) <= far
            matrix[point if right else at, point] += 1
    return matrix
