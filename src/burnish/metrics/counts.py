"""Hits, false alarms, misses and the rest, and all that is made of them: IoU, Dice, precision, recall, specificity, F, accuracy.

Counts are whole numbers `(..., K, 4)`: of each class, true positives, false positives, false negatives, true negatives. Counts of parts add
up to those of the whole, which is why they, and not ratios, are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]

Measure: TypeAlias = Literal["iou", "dice", "precision", "recall", "specificity", "f", "accuracy"]
Average: TypeAlias = Literal["macro", "micro", "weighted"]


def label_counts(predicted: ArrayLike, given: ArrayLike, num_classes: int, *, ignore_index: int | None = None) -> Ints:
    """Count classes of label maps, picture by picture.

    Args:
        predicted: (N, ...) class indices, 0 to K - 1.
        given: (N, ...) class indices, or `ignore_index`.
        num_classes: K.
        ignore_index: Pixels that are given this do not count.

    Returns:
        (N, K, 4).

    Raises:
        DataError: Shapes differ or an index is no class.
    """
    found, true = np.asarray(predicted), np.asarray(given)
    if found.shape != true.shape or found.ndim < 1:
        raise DataError(f"Predicted labels have the shape {found.shape}, given ones {true.shape}; they must be equal.")
    found, true = found.reshape(len(found), -1), true.reshape(len(true), -1)
    valid = None if ignore_index is None else true != ignore_index
    pictures = [
        _confusion(
            found[row] if valid is None else found[row][valid[row]], true[row] if valid is None else true[row][valid[row]], num_classes
        )
        for row in range(len(found))
    ]
    return confusion_counts(np.stack(pictures) if pictures else np.zeros((0, num_classes, num_classes), np.int64))


def mask_counts(predicted: ArrayLike, given: ArrayLike, *, valid: ArrayLike | None = None) -> Ints:
    """Count masks, picture by picture and class by class.

    Args:
        predicted: (N, K, ...) booleans.
        given: (N, K, ...) booleans.
        valid: The same shape; what is False does not count. None counts all.

    Returns:
        (N, K, 4).

    Raises:
        DataError: Shapes differ or there is no class.
    """
    found, true = np.asarray(predicted, dtype=np.bool_), np.asarray(given, dtype=np.bool_)
    if found.shape != true.shape or found.ndim < 2:  # noqa: PLR2004 - pictures and classes
        raise DataError(f"Predicted masks have the shape {found.shape}, given ones {true.shape}; expected (N, K, ...) for both.")
    found, true = (masks.reshape(*masks.shape[:2], -1) for masks in (found, true))
    total = np.full(found.shape[:2], found.shape[2], np.int64)
    if valid is not None:
        kept = np.asarray(valid, dtype=np.bool_).reshape(found.shape)
        found, true, total = found & kept, true & kept, np.count_nonzero(kept, axis=2)
    hits = np.count_nonzero(found & true, axis=2)
    alarms, misses = np.count_nonzero(found, axis=2) - hits, np.count_nonzero(true, axis=2) - hits
    return np.stack([hits, alarms, misses, total - hits - alarms - misses], axis=2).astype(np.int64)


def confusion_counts(confusion: NDArray[np.int64]) -> Ints:
    """Counts (..., K, 4) of confusion matrices (..., K, K) whose rows are given classes."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    alarms, misses = confusion.sum(axis=-2) - hits, confusion.sum(axis=-1) - hits
    rest = confusion.sum(axis=(-2, -1))[..., None] - hits - alarms - misses
    return np.stack([hits, alarms, misses, rest], axis=-1)


def measured(counts: Ints, measure: Measure, *, beta: float = 1.0, empty: float = float("nan")) -> Floats:
    """A measure (...) of counts (..., 4).

    Args:
        counts: True positives, false positives, false negatives, true negatives.
        measure: iou = tp / (tp + fp + fn); dice = 2 tp / (2 tp + fp + fn), which is F1; precision = tp / (tp + fp);
            recall = tp / (tp + fn); specificity = tn / (tn + fp); f = F-beta (van Rijsbergen, 1979); accuracy = (tp + tn) / all.
        beta: Of F: how many times as much recall counts as precision.
        empty: What a ratio of nothing is: there was nothing to find and nothing was found. NaN leaves it out of means.
    """
    hits, alarms, misses, rest = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    above, below = {
        "iou": (hits, hits + alarms + misses),
        "dice": (2 * hits, 2 * hits + alarms + misses),
        "precision": (hits, hits + alarms),
        "recall": (hits, hits + misses),
        "specificity": (rest, rest + alarms),
        "f": ((1 + beta**2) * hits, (1 + beta**2) * hits + beta**2 * misses + alarms),
        "accuracy": (hits + rest, hits + alarms + misses + rest),
    }[measure]
    return np.divide(above, below, out=np.full(np.shape(above), float(empty)), where=below > 0)


def averaged(counts: Ints, measure: Measure, average: Average = "macro", *, beta: float = 1.0, empty: float = float("nan")) -> Floats:
    """One number (...) of the classes' counts (..., K, 4).

    Args:
        counts: Of each class.
        measure: As `measured`.
        average: macro: the mean over classes; micro: of the classes' counts added up; weighted: the mean weighted by true pixels.
        beta: As `measured`.
        empty: As `measured`.

    Returns:
        NaN where no class has anything to measure.
    """
    if average == "micro":
        return measured(counts.sum(axis=-2), measure, beta=beta, empty=empty)
    values = measured(counts, measure, beta=beta, empty=empty)
    weights = np.ones(values.shape) if average == "macro" else (counts[..., 0] + counts[..., 2]).astype(np.float64)
    return weighted_mean(values, weights, axis=-1)


def weighted_mean(values: Floats, weights: Floats, *, axis: int) -> Floats:
    """The mean of what is a number; NaN where nothing is or nothing weighs."""
    weights = np.where(np.isnan(values), 0.0, weights)
    total = weights.sum(axis=axis)
    above = (np.nan_to_num(values) * weights).sum(axis=axis)
    return np.divide(above, total, out=np.full(np.shape(total), np.nan), where=total > 0)


def _confusion(predicted: NDArray[np.integer], given: NDArray[np.integer], num_classes: int) -> Ints:
    for name, labels in (("predicted", predicted), ("given", given)):
        if labels.size and (int(labels.min()) < 0 or int(labels.max()) >= num_classes):
            worst = int(labels.min()) if labels.min() < 0 else int(labels.max())
            raise DataError(
                f"The {name} labels hold {worst}; expected 0 to {num_classes - 1}. Set ignore_index if it marks what to ignore."
            )
    pairs = given.astype(np.int64) * num_classes + predicted
    return np.bincount(pairs.ravel(), minlength=num_classes**2).reshape(num_classes, num_classes)
