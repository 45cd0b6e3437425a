"""Classification metrics from one confusion matrix: counts are exact integers, so that parts can be added before anything is divided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def confusion_matrix(given: ArrayLike, predicted: ArrayLike, num_classes: int) -> NDArray[np.int64]:
    """Count how often each class was predicted for each given class.

    Args:
        given: (N,) class indices, 0 to K - 1.
        predicted: (N,) class indices, 0 to K - 1.
        num_classes: K.

    Returns:
        (K, K) counts; rows are given classes, columns are predicted ones. Matrices of parts of a dataset add up to that of the whole.

    Raises:
        DataError: The lengths differ or an index is no class; `rows` says where.
    """
    rows, columns = _indices(given, num_classes, "given"), _indices(predicted, num_classes, "predicted")
    if rows.shape != columns.shape:
        raise DataError(f"{len(rows):,} given classes but {len(columns):,} predicted ones; expected one prediction for each.")
    counts = np.bincount(rows * num_classes + columns, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes)


def accuracy(confusion: NDArray[np.int64]) -> float:
    """Share of right predictions; NaN where there are none at all."""
    total = int(confusion.sum())
    return int(np.trace(confusion)) / total if total else float("nan")


def balanced_accuracy(confusion: NDArray[np.int64]) -> float:
    """Mean recall of the classes that have examples, so that rare classes count as much as frequent ones; NaN without examples."""
    examples = confusion.sum(axis=1)
    present = examples > 0
    return float(np.mean(np.diag(confusion)[present] / examples[present])) if present.any() else float("nan")


def f1_per_class(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of each class, (K,): twice the hits over given plus predicted; 0 where a class is neither given nor predicted."""
    hits = np.diag(confusion)
    given_and_predicted = confusion.sum(axis=1) + confusion.sum(axis=0)
    return 2 * hits / np.maximum(given_and_predicted, 1)


def weighted_f1(confusion: NDArray[np.int64]) -> float:
    """Mean F1 weighted by each class's number of examples; NaN without examples."""
    examples = confusion.sum(axis=1)
    total = int(examples.sum())
    return float(f1_per_class(confusion) @ examples / total) if total else float("nan")


def _indices(values: ArrayLike, num_classes: int, name: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise DataError(f"The {name} classes have shape {array.shape} and type {array.dtype}; expected (N,) whole numbers.")
    bad = np.flatnonzero((array < 0) | (array >= num_classes))
    if len(bad):
        message = f"Row {bad[0]} of the {name} classes is {array[bad[0]]}; expected 0 to {num_classes - 1} ({len(bad):,} such rows)."
        raise DataError(message, rows=bad.tolist())
    return array.astype(np.int64)
