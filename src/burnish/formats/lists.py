"""Columns of lists, built from and taken apart to flat arrays: many times faster than through Python lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def list_column(values: NDArray[Any], lengths: Sequence[int] | NDArray[np.int64], dtype: Any) -> pl.Series:
    """A column of lists out of their values end to end; rows of length 0 are null.

    Args:
        values: (n,), all lists one after the other.
        lengths: (k,), how many values belong to each row; they add up to n.
        dtype: Polars dtype of the values.
    """
    counts = np.asarray(lengths, dtype=np.int64)
    frame = pl.DataFrame({"row": np.repeat(np.arange(len(counts)), counts), "value": values}).with_columns(pl.col("row").set_sorted())
    grouped = frame.group_by("row", maintain_order=True).agg("value")
    rows = pl.DataFrame({"row": np.arange(len(counts))})
    return rows.join(grouped, on="row", how="left", maintain_order="left")["value"].cast(pl.List(dtype))


def flat(column: pl.Series) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The values of a column of lists end to end, and the length of each row (0 of a null)."""
    lengths = column.list.len().fill_null(0).cast(pl.Int64).to_numpy()
    return column.filter(column.list.len() > 0).explode().to_numpy(), lengths
