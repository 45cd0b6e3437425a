"""Walking over a large table of probabilities a few rows at a time, so that no step needs a second copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CELLS = 1 << 20
"""Numbers in one chunk: 8 MiB as float64, which stays near the processor's cache and far below any input worth chunking."""


def row_chunks(table: NDArray[Any], cells: int = CELLS) -> Iterator[slice]:
    """Slices that cover the rows of `table`, `(N, K)`, in order, with about `cells` numbers in each."""
    step = max(1, cells // max(1, table.shape[1]))
    for start in range(0, len(table), step):
        yield slice(start, min(start + step, len(table)))


def rows_by_class(labels: NDArray[np.int64], classes: int) -> list[NDArray[np.intp]]:
    """The row numbers given to each class, ascending; an empty array for a class with none."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels, minlength=classes))[:-1])
