"""Look for everything in a dataset that contradicts itself or its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.data.consistency import inconsistencies
from burnish.data.findings import counts_by_kind, finding, findings_table, join_findings, ranked
from burnish.data.invariants import broken_invariants
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.formats.findings import Findings, write_findings
from burnish.inspect.settings import CheckConfig
from burnish.media.endings import has_its_end
from burnish.media.images import UnreadableImage, probe_image, read_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from burnish.data.dataset import Dataset

_SHOWN = 5
_FILE_KINDS = ("missing_file", "unreadable_picture")
_ISSUES_EXIT_CODE = 3


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found, the surest first."""

    findings: Findings
    text: str
    strict: bool

    @property
    def table(self) -> pl.DataFrame:
        """One row a finding."""
        return self.findings.table

    @property
    def exit_code(self) -> int:
        """3 when issues shall fail the command and there are some."""
        return _ISSUES_EXIT_CODE if self.strict and counts_by_kind(self.table) else 0

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write findings.parquet and findings.csv."""
        del force
        return write_findings(self.findings, folder)

    def summary(self) -> dict[str, Any]:
        """Number of issues of each kind."""
        return {"issues": counts_by_kind(self.table), "findings": self.table.height}

    def __str__(self) -> str:
        counts = counts_by_kind(self.table)
        if not counts:
            return f"{self.text}\nNo issues."
        lines = [f"{self.text}", "1 issue:" if sum(counts.values()) == 1 else f"{sum(counts.values()):,} issues:"]
        for kind, number in counts.items():
            lines.append(f"  {kind}: {number:,}")
            lines += [f"      {line}" for line in _examples(self.table, kind)]
        return "\n".join(lines)


def check(dataset: Dataset, config: CheckConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent) -> CheckResult:
    """Check the tables, what the reader noticed, and the picture files."""
    chosen = config or CheckConfig()
    parts = [dataset.notes, broken_invariants(dataset), inconsistencies(dataset)]
    if chosen.files:
        parts.append(_file_findings(dataset, engine or Engine(), progress, decode=chosen.decode))
    noticed = _once_a_file(_with_paths(join_findings(*parts), dataset))
    unique = noticed.unique(["kind", "image", "annotation", "path", "reason"], keep="first", maintain_order=True)
    about = {"verb": "check", "dataset": str(dataset.origin.get("path", dataset.root)), "format": dataset.origin.get("format")}
    return CheckResult(Findings(ranked(unique), about), str(dataset), chosen.strict)


def _once_a_file(findings: pl.DataFrame) -> pl.DataFrame:
    """The reader and the look at the files notice the same missing and unreadable files; the first of such findings is kept."""
    about_files = pl.col("kind").is_in(_FILE_KINDS) & pl.col("path").is_not_null()
    key = (
        pl.when(about_files)
        .then(pl.struct("kind", "path"))
        .otherwise(pl.struct("kind", pl.int_range(pl.len()).cast(pl.String).alias("path")))
    )
    return findings.filter(key.is_first_distinct())


def _with_paths(findings: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """Name the file of each picture that a finding concerns."""
    if findings["image"].null_count() == findings.height:
        return findings
    files = dataset.image_files().select("image", pl.col("path").alias("file")).unique("image", keep="first")
    joined = findings.join(files, on="image", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("path", "file").alias("path")).drop("file")


def _file_findings(dataset: Dataset, engine: Engine, progress: Progress, *, decode: bool) -> pl.DataFrame:
    files = dataset.image_files().filter(pl.col("kind") == "image")
    declared = dataset.scan("images", "id", "width", "height").rename({"id": "image"}).collect()
    rows = list(files.join(declared, on="image", how="left", maintain_order="left").iter_rows(named=True))
    looked = ordered_map(
        lambda row: list(_file_finding(dataset.root / row["path"], row, decode=decode)),
        rows,
        engine=engine,
        progress=progress,
        label="Looking at the pictures",
    )
    return findings_table(found for several in looked for found in several)


def _file_finding(path: Path, row: dict[str, Any], *, decode: bool) -> Iterator[dict[str, Any]]:
    where = {"path": row["path"], "image": row["image"]}
    if not path.is_file():
        yield finding("missing_file", "The picture file does not exist.", **where)
        return
    try:
        info = probe_image(path)
        if decode or has_its_end(path) is False:
            read_image(path)
    except UnreadableImage as error:
        yield finding("unreadable_picture", f"The picture cannot be read: {error.reason}.", **where)
        return
    size = (row["width"], row["height"])
    if None not in size and size != (info.width, info.height):
        reason = f"The dataset says {size[0]} x {size[1]}, the file has {info.width} x {info.height} as shown."
        yield finding("picture_size", reason, given=f"{size[0]} x {size[1]}", suggestion=f"{info.width} x {info.height}", **where)


def _examples(table: pl.DataFrame, kind: str) -> list[str]:
    rows = table.filter((pl.col("kind") == kind) & pl.col("is_issue"))
    lines = [_example(row) for row in rows.head(_SHOWN).iter_rows(named=True)]
    return lines if rows.height <= _SHOWN else [*lines, f"... and {rows.height - _SHOWN:,} more"]


def _example(row: dict[str, Any]) -> str:
    where = [row["path"] or "", row["position"] or "", "" if row["annotation"] is None else f"annotation {row['annotation']}"]
    place = ", ".join(part for part in where if part)
    return f"{place}: {row['reason']}" if place else row["reason"]
