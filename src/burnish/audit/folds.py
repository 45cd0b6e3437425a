"""Cutting items into folds: every class in each, copies and scenes never apart, nothing impossible asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.data.splits import divide
from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_FOLDS = 2


@dataclass(frozen=True, slots=True)
class Folds:
    """Which part each item is predicted in.

    Attributes:
        parts: (n,) the fold that holds each item back.
        number: How many folds there are; fewer than asked for where there are fewer groups.
        judged: (n,) whether the model that predicts an item has seen another one of its class.
    """

    parts: NDArray[np.int64]
    number: int
    judged: NDArray[np.bool_]


def make_folds(labels: NDArray[np.int64], num_classes: int, groups: NDArray[np.int64], wanted: int, *, seed: int) -> Folds:
    """Cut items into folds that hold every class in proportion and never cut a group.

    Args:
        labels: (n,) class of each item.
        num_classes: Number of classes.
        groups: (n,) items with the same number stay together.
        wanted: Number of folds; reduced to the number of groups where there are fewer.
        seed: Another seed gives other folds.

    Raises:
        DataError: There are fewer than two groups, so that nothing can be held back.
    """
    number = min(wanted, len(np.unique(groups)))
    if number < _LEAST_FOLDS:
        found = f"{len(labels)} labelled pictures in {len(np.unique(groups))} groups"
        raise DataError(f"Found {found}; at least two groups are needed to predict each by a model that never saw it. Add pictures.")
    counts = np.eye(num_classes)[labels]
    parts = divide(counts, groups, [1.0] * number, seed=seed)
    return Folds(parts, number, _judged(labels, num_classes, parts, number))


def _judged(labels: NDArray[np.int64], num_classes: int, parts: NDArray[np.int64], number: int) -> NDArray[np.bool_]:
    in_fold = np.zeros((number, num_classes), dtype=np.int64)
    np.add.at(in_fold, (parts, labels), 1)
    elsewhere = in_fold.sum(axis=0) - in_fold
    return elsewhere[parts, labels] > 0
