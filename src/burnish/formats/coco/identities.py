"""Ids of several files brought together: kept where they are integers and free, else given anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class Given(NamedTuple):
    """Final ids of the rows of one file.

    Attributes:
        ids: (n,) int64.
        repeated: (n,) bool, rows whose id stands before in the same file.
        renumbered: How many rows have another id than in the file, other than those.
    """

    ids: NDArray[np.int64]
    repeated: NDArray[np.bool_]
    renumbered: int


def give_ids(wanted: pl.Series, taken: Sequence[NDArray[np.int64]]) -> Given:
    """Keep integer ids that are not taken; the other rows get the numbers after the largest.

    Args:
        wanted: Ids as the file has them: integers, nulls, or text.
        taken: Ids of the files before.
    """
    repeated = (~wanted.is_first_distinct() & wanted.is_not_null()).to_numpy() if not _rises(wanted) else np.zeros(len(wanted), np.bool_)
    usable = wanted.is_not_null().to_numpy() & ~repeated
    if wanted.dtype != pl.Int64:
        wanted, usable = pl.Series([0] * len(wanted), dtype=pl.Int64), np.zeros(len(wanted), dtype=np.bool_)
    ids = wanted.fill_null(0).to_numpy().copy()
    for before in taken:
        usable &= ~np.isin(ids, before)
    largest = max([0, *(int(part.max()) for part in (*taken, ids[usable]) if len(part))])
    fresh = ~usable
    ids[fresh] = np.arange(largest + 1, largest + 1 + int(fresh.sum()))
    return Given(ids, repeated, int((fresh & ~repeated).sum()))


def translated(given: pl.Series, ids: Mapping[Any, int]) -> pl.Series:
    """Ids of one file as final ids; null where there is no such id.

    Args:
        given: Integers or text, with nulls.
        ids: Id as the file has it -> final id; a number as text equals the number.
    """
    if given.dtype == pl.Int64 and list(ids) == list(ids.values()):
        known = pl.Series(list(ids), dtype=pl.Int64)
        return _where(given, given.is_in(known.implode()))
    keys = pl.Series([str(old) for old in ids], dtype=pl.String)
    table = pl.DataFrame({"old": keys, "new": pl.Series(list(ids.values()), dtype=pl.Int64)}).unique("old", keep="first")
    return pl.DataFrame({"old": given.cast(pl.String)}).join(table, on="old", how="left", maintain_order="left")["new"]


def _rises(wanted: pl.Series) -> bool:
    """Whether ids grow from row to row, as they mostly do; none is then repeated, and no set of them is needed to know that."""
    return wanted.dtype == pl.Int64 and wanted.null_count() == 0 and bool((np.diff(wanted.to_numpy()) > 0).all())


def _where(values: pl.Series, keep: pl.Series) -> pl.Series:
    if bool(keep.all()):
        return values
    return pl.select(pl.when(keep).then(values).alias("id"))["id"]
