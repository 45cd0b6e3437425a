"""Findings: one table for every suspicion, whatever found it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.data import tables
from burnish.data.schema import FINDINGS, empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def no_findings() -> pl.DataFrame:
    """An empty findings table."""
    return empty(FINDINGS)


def finding(kind: str, reason: str, *, score: float = 1.0, is_issue: bool = True, **where: Any) -> dict[str, Any]:
    """One row of a findings table; `where` holds any of path, position, image, annotation, group, given, suggestion."""
    return {"kind": kind, "score": score, "is_issue": is_issue, "reason": reason, **where}


def findings_table(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Build a findings table from rows made by `finding`.

    Raises:
        DataError: A row has an unknown key or a value of another type.
    """
    return tables.from_rows(FINDINGS, rows)


def join_findings(*parts: pl.DataFrame) -> pl.DataFrame:
    """One table out of several, each made to follow the declared columns."""
    return pl.concat([no_findings(), *(tables.conform(FINDINGS, part) for part in parts)])


def ranked(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings by suspicion: issues first, then by falling score; equal ones keep their order."""
    return findings.sort(["is_issue", "score"], descending=[True, True], maintain_order=True)


def counts_by_kind(findings: pl.DataFrame) -> dict[str, int]:
    """Number of issues of each kind, in order of the kinds' names."""
    counted = findings.filter(pl.col("is_issue")).group_by("kind").len().sort("kind")
    return dict(counted.iter_rows())
