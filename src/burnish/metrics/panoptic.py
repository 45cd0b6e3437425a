"""Panoptic quality (Kirillov et al., 2019): how well segments are found and how well they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike, NDArray

_MATCHED = 0.5


def panoptic_sums(
    predicted: ArrayLike,
    given: ArrayLike,
    predicted_classes: Mapping[int, int],
    given_classes: Mapping[int, int],
    num_classes: int,
    *,
    void: int = 0,
    crowds: Collection[int] = (),
) -> NDArray[np.float64]:
    """Match the segments of one picture; the sums of pictures add up.

    A predicted and a true segment of one class match when their IoU, not counting void pixels, is above 0.5: no segment can match two.
    A predicted segment that is not matched is no false alarm if more than half of it lies on void pixels or on crowds of its class.

    Args:
        predicted: (height, width) numbers of segments.
        given: The same of the truth.
        predicted_classes: Class, 0 to K - 1, of each predicted segment.
        given_classes: Class of each true segment.
        num_classes: K.
        void: The number of pixels without a segment, in both.
        crowds: True segments that stand for many objects; they need not be found.

    Returns:
        (K, 4): sum of the IoU of matches, matches, false alarms, misses.

    Raises:
        DataError: Sizes differ, or a segment has no class.
    """
    found, true = np.asarray(predicted), np.asarray(given)
    if found.shape != true.shape:
        raise DataError(f"The predicted segments have the size {found.shape}, the true ones {true.shape}; they must be of one picture.")
    found_ids, found_at = np.unique(found, return_inverse=True)
    true_ids, true_at = np.unique(true, return_inverse=True)
    common = np.bincount(true_at.ravel() * len(found_ids) + found_at.ravel(), minlength=len(true_ids) * len(found_ids))
    common = common.reshape(len(true_ids), len(found_ids)).astype(np.float64)
    found_class, true_class = _classes(found_ids, predicted_classes, void, "predicted"), _classes(true_ids, given_classes, void, "true")
    crowd = np.isin(true_ids, [*crowds])
    return _matched(common, found_class, true_class, crowd, num_classes)


def panoptic_quality(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """PQ, SQ and RQ (K, 3) of sums (K, 4); NaN where a class was neither given nor predicted.

    PQ = sum of IoU / (TP + FP / 2 + FN / 2); SQ, the mean IoU of matches (0 of none); RQ, the F1 of finding them. PQ = SQ * RQ.
    """
    iou, hits, alarms, misses = sums.T
    below = hits + alarms / 2 + misses / 2
    seen = below > 0
    quality, recognition = (np.divide(above, below, out=np.full(len(sums), np.nan), where=seen) for above in (iou, hits))
    fit = np.where(seen, np.divide(iou, hits, out=np.zeros(len(sums)), where=hits > 0), np.nan)
    return np.stack([quality, fit, recognition], axis=1)


def _matched(
    common: NDArray[np.float64], found_class: NDArray[np.int64], true_class: NDArray[np.int64], crowd: NDArray[np.bool_], num_classes: int
) -> NDArray[np.float64]:
    """Sums (K, 4) of common areas (true, predicted); the class -1 is void."""
    void, regular = true_class < 0, (true_class >= 0) & ~crowd
    on_void = common[void].sum(axis=0)
    union = common.sum(axis=1, keepdims=True) + common.sum(axis=0) - common - on_void
    iou = np.divide(common, union, out=np.zeros(common.shape), where=union > 0)
    same = (true_class[:, None] == found_class) & regular[:, None] & (found_class >= 0)
    rows, columns = np.nonzero(same & (iou > _MATCHED))
    excused = on_void + np.where((true_class[:, None] == found_class) & crowd[:, None], common, 0.0).sum(axis=0)
    alarms = (found_class >= 0) & (excused <= _MATCHED * common.sum(axis=0))
    alarms[columns] = False
    misses = regular.copy()
    misses[rows] = False
    matched = true_class[rows]
    return np.stack(
        [
            np.bincount(matched, weights=iou[rows, columns], minlength=num_classes),
            np.bincount(matched, minlength=num_classes),
            np.bincount(found_class[alarms], minlength=num_classes),
            np.bincount(true_class[misses], minlength=num_classes),
        ],
        axis=1,
    ).astype(np.float64)


def _classes(ids: NDArray[np.integer], classes: Mapping[int, int], void: int, name: str) -> NDArray[np.int64]:
    unknown = [int(one) for one in ids if one != void and int(one) not in classes]
    if unknown:
        raise DataError(f"The {name} segment {unknown[0]} has no class ({len(unknown)} such segments); void is {void}.", rows=unknown)
    return np.array([-1 if one == void else classes[int(one)] for one in ids], dtype=np.int64)
