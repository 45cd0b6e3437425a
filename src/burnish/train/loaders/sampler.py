"""Which rows an epoch sees, in which order: a function of seed and epoch alone, so that a continued run sees what it would have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def class_weights(labels: NDArray[np.int64], num_classes: int) -> NDArray[np.float64]:
    """Weight of each class, N / count; 0 for a class without examples.

    Args:
        labels: (N,) class indices, 0 to K - 1.
        num_classes: K.

    Returns:
        (K,) weights: every class that has examples gets the same total.
    """
    counts = np.bincount(labels, minlength=num_classes)
    return np.where(counts > 0, len(labels) / np.maximum(counts, 1), 0.0)


def epoch_rows(
    rows: NDArray[np.int64], labels: NDArray[np.int64], num_classes: int, *, seed: int, epoch: int, weighted: bool
) -> NDArray[np.int64]:
    """The rows of one epoch in the order in which they are trained on.

    Args:
        rows: (N,) rows of the training part.
        labels: (N,) their class indices.
        num_classes: K.
        seed: Same seed and epoch, same order.
        epoch: From 0.
        weighted: Draw N rows with replacement, every class equally often on average; otherwise each row comes once.
    """
    rng = np.random.default_rng([seed, epoch])
    if not weighted:
        return rng.permutation(rows)
    weights = class_weights(labels, num_classes)[labels]
    return rows[rng.choice(len(rows), size=len(rows), p=weights / weights.sum())]


def cut_into_batches(rows: NDArray[np.int64], batch_size: int) -> tuple[NDArray[np.int64], ...]:
    """Cut rows into batches. A single last row joins the batch before it, because batch normalisation needs two pictures to train on.

    Where there is only one row at all, it is taken twice.
    """
    if len(rows) == 1:
        return (np.repeat(rows, 2),)
    ends = list(range(batch_size, len(rows), batch_size))
    if ends and len(rows) - ends[-1] == 1 and batch_size > 1:
        ends.pop()
    return tuple(np.split(rows, ends))
