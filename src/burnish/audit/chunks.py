"""Walking over a large table of probabilities a few rows at a time, so that no step needs a second copy of it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

Part = TypeVar("Part")

CELLS = 1 << 17
"""Numbers in one chunk: 0.5 MiB as float32, which stays near the processor's cache and far below any input worth chunking."""
_THREADS = 8  # each holds a few chunks of its own; more would cost memory and gain little


def row_chunks(table: NDArray[Any], cells: int | None = None) -> Iterator[slice]:
    """Slices that cover the rows of `table`, `(N, K)`, in order, with about `cells` (`CELLS` without) numbers in each."""
    step = max(1, (cells or CELLS) // max(1, table.shape[1]))
    for start in range(0, len(table), step):
        yield slice(start, min(start + step, len(table)))


def in_chunks(work: Callable[[slice], None], table: NDArray[Any]) -> None:
    """Call `work` with each slice of `row_chunks(table)`, as `on_threads` does."""
    on_threads(work, row_chunks(table))


def on_threads(work: Callable[[Part], None], parts: Iterable[Part]) -> None:
    """Call `work` with each part, on a few threads; NumPy lets go of the interpreter lock in its loops.

    `work` writes its results into its own rows of arrays made before, so the outcome does not depend on who is first.
    """
    waiting = list(parts)
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1, len(waiting) or 1)) as pool:
        for _ in pool.map(work, waiting):
            pass


def class_chunks(labels: NDArray[np.int64], table: NDArray[Any]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Row numbers of `table`, `(N, K)`, in pieces of one given class and about `CELLS` numbers each, with the class."""
    step = max(1, CELLS // table.shape[1])
    for given, rows in enumerate(rows_by_class(labels, table.shape[1])):
        for start in range(0, len(rows), step):
            yield given, rows[start : start + step]


def rows_by_class(labels: NDArray[np.int64], classes: int) -> list[NDArray[np.intp]]:
    """The row numbers given to each class, ascending; an empty array for a class with none."""
    # A stable sort of 16-bit numbers counts instead of comparing.
    order = np.argsort(labels.astype(np.uint16) if classes <= np.iinfo(np.uint16).max else labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels, minlength=classes))[:-1])
