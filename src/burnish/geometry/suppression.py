"""One prediction for one object: non-maximum suppression and the fusion of several models' boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from burnish.errors import DataError
from burnish.geometry.arrays import as_boxes, as_rotated, as_scores
from burnish.geometry.overlap import Measure, box_overlaps, box_pairs, mask_overlaps, rotated_overlaps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Floats, Ints

# Some rows and others in, the pairs of them (positions in both) that overlap too much out.
_Clashes: TypeAlias = "Callable[[Ints, Ints], tuple[Ints, Ints]]"

# Predictions that are compared with the rest at once.
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Fused:
    """Fused boxes, highest score first."""

    boxes: Floats
    """`(k, 4)`."""
    scores: Floats
    """`(k,)`."""
    classes: Ints
    """`(k,)`; 0 where no classes were given."""
    cluster: Ints
    """`(n,)`: the fused box that each input went into, or -1 where its score was too low."""


def nms(boxes: ArrayLike, scores: ArrayLike, *, threshold: float = 0.5, classes: ArrayLike | None = None, measure: Measure = "iou") -> Ints:
    """Return the rows `(k,)` that remain when each box removes the lower ones that overlap it more than `threshold`.

    Args:
        boxes: `(n, 4)`.
        scores: `(n,)`.
        threshold: From 0 to 1; exactly this much overlap is kept.
        classes: `(n,)`; boxes of different classes leave each other alone. Without it all boxes compete (class-agnostic).
        measure: See `burnish.geometry.overlap`.

    Returns:
        Rows in order of falling score; of equal scores the earlier row comes, and wins, first.

    Raises:
        DataError: Shapes do not fit, a number is not finite, or the threshold is outside 0 to 1.
    """
    checked = as_boxes(boxes)

    def clashes(rows: Ints, columns: Ints) -> tuple[Ints, Ints]:
        return box_pairs(checked[rows], checked[columns], above=threshold, measure=measure)[:2]

    return _suppress(len(checked), scores, classes, threshold, clashes)


def rotated_nms(
    rotated: ArrayLike, scores: ArrayLike, *, threshold: float = 0.5, classes: ArrayLike | None = None, measure: Measure = "iou"
) -> Ints:
    """Do `nms` on rotated boxes `(n, 5)`."""
    checked = as_rotated(rotated)

    def clashes(rows: Ints, columns: Ints) -> tuple[Ints, Ints]:
        return _over(rotated_overlaps(checked[rows], checked[columns], measure=measure), threshold)

    return _suppress(len(checked), scores, classes, threshold, clashes)


def mask_nms(
    masks: Sequence[ArrayLike],
    scores: ArrayLike,
    *,
    height: int | None = None,
    threshold: float = 0.5,
    classes: ArrayLike | None = None,
    measure: Measure = "iou",
) -> Ints:
    """Do `nms` on masks of one picture, given as in `overlap.mask_overlaps`."""

    def clashes(rows: Ints, columns: Ints) -> tuple[Ints, Ints]:
        one, two = [masks[row] for row in rows], [masks[column] for column in columns]
        return _over(mask_overlaps(one, two, height=height, measure=measure), threshold)

    return _suppress(len(masks), scores, classes, threshold, clashes)


def soft_nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    *,
    decay: Literal["linear", "gaussian"] = "gaussian",
    threshold: float = 0.5,
    sigma: float = 0.5,
    min_score: float = 0.001,
    classes: ArrayLike | None = None,
) -> tuple[Ints, Floats]:
    """Lower the scores of boxes that overlap a higher one instead of removing them (Bodla et al., 2017).

    Args:
        boxes: `(n, 4)`.
        scores: `(n,)`.
        decay: `linear` multiplies by `1 - iou` where the IoU is over `threshold`; `gaussian` by `exp(-iou^2 / sigma)` everywhere.
        threshold: For `linear`.
        sigma: For `gaussian`; greater is milder.
        min_score: Boxes whose score has fallen below are left out.
        classes: `(n,)`; without it all boxes compete.

    Returns:
        Rows `(k,)` and their new scores `(k,)`, highest first.

    Raises:
        DataError: As `nms`; or `sigma` is not positive, or `decay` is unknown.
    """
    checked = as_boxes(boxes)
    current = as_scores(scores, len(checked)).copy()
    groups = _as_classes(classes, len(checked))
    factor = _decay(decay, _checked_threshold(threshold), sigma)
    left = np.arange(len(checked))
    rows: list[int] = []
    while len(left := left[current[left] >= min_score]):
        top = left[int(np.argmax(current[left]))]
        rows.append(int(top))
        left = left[left != top]
        rivals = left[groups[left] == groups[top]]
        current[rivals] *= factor(box_overlaps(checked[top : top + 1], checked[rivals])[0])
    kept = np.array(rows, dtype=np.int64)
    return kept, current[kept]


def fuse_boxes(
    boxes: ArrayLike,
    scores: ArrayLike,
    models: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    threshold: float = 0.55,
    min_score: float = 0.0,
) -> Fused:
    """Fuse the boxes of several models into their score-weighted means: weighted boxes fusion (Solovyev et al., 2019).

    A cluster's score is the mean of its members' scores, times `min(members, models) / models`: what only one model of five has seen is
    believed a fifth as much. Weights take part in both: in the means, and in place of the numbers of members and models.

    Args:
        boxes: `(n, 4)`, of all models.
        scores: `(n,)`, from 0 to 1.
        models: `(n,)` numbers from 0 of the model that each box comes from.
        classes: `(n,)`; only boxes of one class are fused.
        weights: One for each model, 1 without it. Give it too where some model has found nothing: it says how many models there are.
        threshold: A box joins the cluster whose fused box it overlaps most, if by more than this IoU.
        min_score: Boxes with a lower score are left out.

    Raises:
        DataError: As `nms`; or `models` and `weights` do not fit each other, or a weight is not positive.
    """
    checked = as_boxes(boxes)
    given = as_scores(scores, len(checked))
    groups = _as_classes(classes, len(checked))
    weight, total = _model_weights(models, weights, len(checked))
    strength = given * weight
    order = np.argsort(-strength, kind="stable")
    _checked_threshold(threshold)
    clusters = _clusters(checked, strength, groups, [int(row) for row in order if given[row] >= min_score], threshold)
    fused = np.array([_mean_box(checked[rows], strength[rows]) for rows in clusters]).reshape(-1, 4)
    means = np.array([strength[rows].sum() * min(1.0 / total, 1.0 / weight[rows].sum()) for rows in clusters])
    ranking = np.argsort(-means, kind="stable")
    cluster = np.full(len(checked), -1, dtype=np.int64)
    for rank, at in enumerate(ranking):
        cluster[clusters[at]] = rank
    kinds = np.array([groups[rows[0]] for rows in clusters], dtype=np.int64)
    return Fused(fused[ranking], means[ranking], kinds[ranking], cluster)


def _suppress(count: int, scores: ArrayLike, classes: ArrayLike | None, threshold: float, clashes: _Clashes) -> Ints:
    """Greedy suppression, class by class."""
    checked = as_scores(scores, count)
    groups = _as_classes(classes, count)
    _checked_threshold(threshold)
    order = np.argsort(-checked, kind="stable")
    remaining = np.zeros(count, dtype=np.bool_)
    for group in np.unique(groups):
        remaining[_suppress_one_class(order[groups[order] == group], clashes)] = True
    return order[remaining[order]]


def _suppress_one_class(order: Ints, clashes: _Clashes) -> Ints:
    """Take the best few, settle them among themselves, then let those that remain remove from the rest."""
    kept: list[Ints] = [order[:0]]
    while len(order):
        block, order = order[:_BLOCK], order[_BLOCK:]
        clash = np.zeros((len(block), len(block)), dtype=np.bool_)
        clash[clashes(block, block)] = True
        alive = np.ones(len(block), dtype=np.bool_)
        for row in range(len(block)):
            if alive[row]:
                alive[row + 1 :] &= ~clash[row, row + 1 :]
        kept.append(block[alive])
        if len(order):
            order = np.delete(order, clashes(block[alive], order)[1])
    return np.concatenate(kept)


def _over(values: Floats, threshold: float) -> tuple[Ints, Ints]:
    rows, columns = np.nonzero(values > threshold)
    return rows, columns


def _decay(kind: str, threshold: float, sigma: float) -> Callable[[Floats], Floats]:
    if kind == "linear":
        return lambda iou: np.where(iou > threshold, 1.0 - iou, 1.0)
    if kind == "gaussian" and sigma > 0:
        return lambda iou: np.exp(-(iou**2) / sigma)
    raise DataError(f"soft NMS: found decay {kind!r} with sigma {sigma}, expected linear, or gaussian with sigma over 0.")


def _clusters(boxes: Floats, strength: Floats, groups: Ints, order: list[int], threshold: float) -> list[list[int]]:
    """Rows of each cluster, in the order in which boxes of falling strength open or join them."""
    clusters: list[list[int]] = []
    means, kinds = np.zeros((len(order), 4)), np.zeros(len(order), dtype=np.int64)
    for row in order:
        mates = np.flatnonzero(kinds[: len(clusters)] == groups[row])
        overlaps = box_overlaps(boxes[row : row + 1], means[mates])[0]
        best = int(np.argmax(overlaps)) if len(overlaps) else -1
        if best >= 0 and overlaps[best] > threshold:
            at = int(mates[best])
            clusters[at].append(row)
        else:
            at = len(clusters)
            clusters.append([row])
            kinds[at] = groups[row]
        means[at] = _mean_box(boxes[clusters[at]], strength[clusters[at]])
    return clusters


def _mean_box(boxes: Floats, strength: Floats) -> Floats:
    """The mean of boxes weighted by strength; the plain mean where all are 0."""
    return np.average(boxes, axis=0, weights=strength if strength.sum() > 0 else None)


def _model_weights(models: ArrayLike, weights: ArrayLike | None, count: int) -> tuple[Floats, float]:
    """The weight `(count,)` of each row's model, and the weight of all models."""
    numbers = _as_classes(models, count, "models")
    highest = int(numbers.max(initial=-1))
    checked = np.ones(highest + 1) if weights is None else np.asarray(weights, dtype=np.float64)
    if numbers.min(initial=0) < 0 or checked.ndim != 1 or len(checked) <= highest or not (checked > 0).all():
        raise DataError(f"weights: found {checked.tolist()} for models up to {highest}, expected one over 0 for each model from 0.")
    return checked[numbers], float(checked.sum())


def _as_classes(classes: ArrayLike | None, count: int, name: str = "classes") -> Ints:
    if classes is None:
        return np.zeros(count, dtype=np.int64)
    numbers = np.asarray(classes)
    if numbers.shape != (count,) or (count and numbers.dtype.kind not in "ui"):
        raise DataError(f"{name}: found {numbers.dtype} of shape {numbers.shape}, expected ({count},) whole numbers, one for each row.")
    return numbers.astype(np.int64)


def _checked_threshold(threshold: float) -> float:
    if not 0 <= threshold <= 1:
        raise DataError(f"threshold: found {threshold}, expected a share from 0 to 1.")
    return threshold
