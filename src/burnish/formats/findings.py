"""Findings on disk: a Parquet table that knows its dataset, and the same as CSV for people and spreadsheets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import polars.exceptions

from burnish.data import tables
from burnish.data.findings import counts_by_kind
from burnish.data.schema import FINDINGS, dtypes
from burnish.engine.files import atomic_path
from burnish.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY: Final = "burnish"


@dataclass(frozen=True, slots=True)
class Findings:
    """A table of findings and what it is about.

    Attributes:
        table: One row a finding; the columns of `burnish.data.schema.FINDINGS`.
        about: verb, dataset (path) and format that they were made from.
    """

    table: pl.DataFrame
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __len__(self) -> int:
        return self.table.height

    def __str__(self) -> str:
        counts = ", ".join(f"{number:,} {kind}" for kind, number in counts_by_kind(self.table).items()) or "no issues"
        return f"{self.table.height:,} findings: {counts}"


def read_findings(path: Path | str) -> Findings:
    """Read findings.parquet or findings.csv, or take them from the folder that holds one.

    Raises:
        FormatError: There is no such file, or it is no table of findings.
    """
    file = _file(Path(path))
    try:
        frame = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file, schema_overrides=dtypes(FINDINGS))
        about = json.loads(pl.read_parquet_metadata(file).get(_KEY, "{}")) if file.suffix == ".parquet" else _about_beside(file)
        return Findings(tables.conform(FINDINGS, frame), about)
    except (polars.exceptions.PolarsError, ValueError) as error:
        raise FormatError(f"this is no table of findings ({error}). Expected what audit, check or dedupe writes.", path=file) from error


def write_findings(findings: Findings, folder: Path) -> list[Path]:
    """Write findings.parquet and findings.csv in a folder; each file whole or not at all."""
    paths = [folder / "findings.parquet", folder / "findings.csv"]
    with atomic_path(paths[0]) as temporary:
        findings.table.write_parquet(temporary, metadata={_KEY: json.dumps(dict(findings.about), default=str)})
    with atomic_path(paths[1]) as temporary:
        findings.table.write_csv(temporary)
    return paths


def _file(path: Path) -> Path:
    if path.is_dir():
        path = path / "findings.parquet"
    if not path.is_file():
        raise FormatError(
            "there are no findings here. Expected findings.parquet or .csv, as audit, check and dedupe write them.", path=path
        )
    return path


def _about_beside(csv: Path) -> dict[str, Any]:
    """A CSV cannot say what it is about; the Parquet file beside it can."""
    twin = csv.with_suffix(".parquet")
    return json.loads(pl.read_parquet_metadata(twin).get(_KEY, "{}")) if twin.is_file() else {}
