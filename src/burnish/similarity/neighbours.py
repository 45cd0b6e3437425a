"""Nearest neighbours among embeddings, exact, by products of matrices in chunks: no index is needed up to some 200,000 rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Metric = Literal["cosine", "euclidean"]

_CHUNK_VALUES: Final = 2**25  # float32 values of one block of distances: 128 MiB


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """For each of n rows its k nearest ones, the nearest first; ties in the order of the rows.

    Attributes:
        indices: (n, k) int64 row numbers.
        distances: (n, k) float32; cosine: 1 minus the cosine, 0 to 2; euclidean: the length of the difference.
    """

    indices: NDArray[np.int64]
    distances: NDArray[np.float32]


def nearest(embeddings: ArrayLike, k: int, *, queries: ArrayLike | None = None, metric: Metric = "cosine") -> Neighbours:
    """Find the k nearest rows of each row, or of each query.

    Args:
        embeddings: (n, d) numbers.
        k: How many; at most as many as there are others.
        queries: (m, d) numbers; None searches the neighbours of the embeddings themselves, each without itself.
        metric: Rows of length 0 have the cosine distance 1 to all.

    Raises:
        DataError: The arrays do not fit one another or hold something that is no finite number.
    """
    rows = _prepared(embeddings, metric, "embeddings")
    asked = rows if queries is None else _prepared(queries, metric, "queries")
    if asked.shape[1] != rows.shape[1]:
        raise DataError(f"queries have {asked.shape[1]} numbers each, embeddings {rows.shape[1]}; expected the same number.")
    k = max(0, min(k, len(rows) - (queries is None)))
    indices, distances = np.zeros((len(asked), k), np.int64), np.zeros((len(asked), k), np.float32)
    squares = np.einsum("ij,ij->i", rows, rows)
    step = max(1, _CHUNK_VALUES // max(len(rows), 1))
    for start in range(0, len(asked) if k else 0, step):
        block = _keys(asked[start : start + step], rows, squares, metric)
        if queries is None:
            block[np.arange(len(block)), start + np.arange(len(block))] = np.inf
        indices[start : start + step] = chosen = _least(block, k)
        distances[start : start + step] = _lengths(np.take_along_axis(block, chosen, axis=1), asked[start : start + step], metric)
    return Neighbours(indices, distances)


def _prepared(values: ArrayLike, metric: Metric, name: str) -> NDArray[np.float32]:
    array = np.asarray(values, dtype=np.float32)
    if array.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise DataError(f"{name} have the shape {array.shape}; expected (rows, numbers).")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise DataError(f"{name} hold NaN or infinity in {len(bad)} rows, the first is row {bad[0]}.", rows=[int(row) for row in bad])
    if metric == "euclidean":
        # Distances do not change, and small ones between rows far from 0 keep their digits.
        return array
    length = np.linalg.norm(array, axis=1, keepdims=True)
    return (array / np.where(length > 0, length, 1)).astype(np.float32, copy=False)


def _keys(asked: NDArray[np.float32], rows: NDArray[np.float32], squares: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Numbers that order the rows as their distances do."""
    products = asked @ rows.T
    return 1 - products if metric == "cosine" else squares - 2 * products


def _lengths(keys: NDArray[np.float32], asked: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    if metric == "cosine":
        return np.maximum(keys, 0)
    own: NDArray[Any] = np.einsum("ij,ij->i", asked, asked)[:, None]
    return np.sqrt(np.maximum(keys + own, 0))


def _least(keys: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k least values of each row, in order; of equal values the first columns."""
    rough = np.argpartition(keys, k - 1, axis=1)[:, :k] if k < keys.shape[1] else np.tile(np.arange(keys.shape[1]), (len(keys), 1))
    rough.sort(axis=1)
    order = np.argsort(np.take_along_axis(keys, rough, axis=1), axis=1, kind="stable")
    return np.take_along_axis(rough, order, axis=1)
