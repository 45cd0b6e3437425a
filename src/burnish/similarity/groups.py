"""Groups out of pairs, and which member of a group is worth keeping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def group_pairs(count: int, first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
    """Number the groups that pairs connect, directly or through others.

    Args:
        count: Number of items.
        first: (m,) index of one item of each pair.
        second: (m,) index of the other.

    Returns:
        (count,) int64, groups numbered from 0 in the order of their first members; -1 for an item that is alone.
    """
    rows, columns = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    links = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    _, part = connected_components(links, directed=False)
    sizes = np.bincount(part, minlength=1)
    together = sizes[part] > 1
    groups = np.full(count, -1, np.int64)
    _, starts, inverse = np.unique(part[together], return_index=True, return_inverse=True)
    groups[together] = np.argsort(np.argsort(starts))[inverse]
    return groups


def best_of_groups(groups: ArrayLike, *reasons: ArrayLike) -> NDArray[np.bool_]:
    """Which items to keep: of each group the one that is best by the first reason, then the second, and so on; then the first one.

    A usual order is: number of annotations, number of pixels, sharpness.

    Args:
        groups: (n,) as from `group_pairs`; items that are alone (-1) are kept.
        *reasons: (n,) numbers each, larger is better.

    Returns:
        (n,) bool, True for what is kept.
    """
    numbers = np.asarray(groups, dtype=np.int64)
    keys = [np.arange(len(numbers)), *(-np.asarray(reason, dtype=np.float64) for reason in reversed(reasons)), numbers]
    order = np.lexsort(keys)
    ordered = numbers[order]
    leads = np.ones(len(ordered), np.bool_)
    leads[1:] = ordered[1:] != ordered[:-1]
    kept = np.zeros(len(numbers), np.bool_)
    kept[order] = leads | (ordered == -1)
    return kept
