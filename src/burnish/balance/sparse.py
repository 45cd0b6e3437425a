"""Sparse tables of pictures and objects, and the few things that are done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Floats


def table_of(values: ArrayLike, rows: ArrayLike, columns: ArrayLike, shape: tuple[int, int]) -> csr_array:
    """A table of values at places; those at one place are added up."""
    table = csr_array((np.asarray(values, dtype=np.float64), (np.asarray(rows), np.asarray(columns))), shape=shape)
    table.sum_duplicates()
    return table


def each_itself(size: int) -> csr_array:
    """(size, size) 1 on the diagonal."""
    return table_of(np.ones(size), np.arange(size), np.arange(size), (size, size))


def turned(table: csr_array) -> csr_array:
    """Rows as columns, stored by the new rows."""
    return csr_array(table.T)


def applied(table: csr_array, weights: Floats) -> Floats:
    """(rows,) for each row the sum of its values times the weights of their columns."""
    return np.asarray(table @ weights, dtype=np.float64)


def combined(left: csr_array, right: csr_array) -> csr_array:
    """The product of two tables."""
    return csr_array(left @ right)


def scaled(table: csr_array, factors: Floats) -> csr_array:
    """Each row times its factor."""
    return csr_array((table.data * np.repeat(factors, np.diff(table.indptr)), table.indices, table.indptr), shape=table.shape)


def squared(table: csr_array) -> csr_array:
    """Each value times itself."""
    return csr_array((table.data**2, table.indices, table.indptr), shape=table.shape)


def row_sums(table: csr_array) -> Floats:
    """(rows,) sum of each row."""
    return applied(table, np.ones(table.shape[1]))


def column_sums(table: csr_array) -> Floats:
    """(columns,) sum of each column."""
    return applied(turned(table), np.ones(table.shape[0]))
