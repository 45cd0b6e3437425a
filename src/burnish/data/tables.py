"""Tables that follow the declared columns: built from rows or columns, checked, completed with defaults, slimmed for storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.data.schema import Column, dtypes
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def from_rows(columns: tuple[Column, ...], rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Build a table from mappings; what a row does not say takes the column's default.

    Raises:
        DataError: A row has a key that is no column, or a value of another type.
    """
    gathered = list(rows)
    known = {column.name for column in columns}
    unknown = sorted({key for row in gathered for key in row} - known)
    if unknown:
        raise DataError(f"Unknown columns {unknown}; expected some of {sorted(known)}.")
    data = {c.name: [row.get(c.name, c.default) for row in gathered] for c in columns}
    try:
        return pl.DataFrame(data, schema=dtypes(columns), strict=True)
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"A value does not fit its column: {error}") from error


def conform(columns: tuple[Column, ...], frame: pl.DataFrame) -> pl.DataFrame:
    """Cast a table to the declared dtypes, add what is missing, and order the columns as declared.

    Raises:
        DataError: A required column is missing, an unknown one is there, or a value cannot be cast.
    """
    _refuse_strangers(columns, frame.columns)
    if list(frame.schema.items()) == list(dtypes(columns).items()):
        return frame
    try:
        return frame.lazy().select(_expressions(columns, frame.columns)).collect()
    except pl.exceptions.PolarsError as error:
        raise DataError(f"A column does not have its declared type: {error}") from error


def complete(columns: tuple[Column, ...], frame: pl.LazyFrame, present: Sequence[str], wanted: Sequence[str]) -> pl.LazyFrame:
    """Select the wanted columns; those that are not stored are filled with their default."""
    chosen = tuple(column for name in wanted for column in columns if column.name == name)
    # Selecting nothing but defaults would give one row however many the table has; adding columns keeps its rows.
    return frame.with_columns(_expressions(chosen, present)).select(wanted)


def slim(columns: tuple[Column, ...], frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out the columns that hold nothing but their default, so that what is not used is not stored."""
    if frame.is_empty():
        return frame
    return frame.select([c.name for c in columns if c.name in frame.columns and (c.required or not _holds_default(frame[c.name], c))])


def _expressions(columns: tuple[Column, ...], present: Sequence[str]) -> list[pl.Expr]:
    there = set(present)
    return [pl.col(c.name).cast(c.dtype) if c.name in there else pl.lit(c.default, dtype=c.dtype).alias(c.name) for c in columns]


def _refuse_strangers(columns: tuple[Column, ...], present: Sequence[str]) -> None:
    known = {column.name for column in columns}
    strangers = [name for name in present if name not in known]
    missing = [column.name for column in columns if column.required and column.name not in present]
    if strangers or missing:
        raise DataError(f"Unknown columns {strangers}, missing columns {missing}; the table has {sorted(known)}.")


def _holds_default(series: pl.Series, column: Column) -> bool:
    if column.default is None:
        return series.null_count() == len(series)
    return series.null_count() == 0 and bool((series == column.default).all())
