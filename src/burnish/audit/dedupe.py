"""Find copies and near copies of pictures, also across splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.audit.copies_view import copy_groups_view
from burnish.audit.looking import Look, look, picture_findings
from burnish.audit.page import copies_section
from burnish.audit.settings import DedupeConfig
from burnish.data.findings import counts_by_kind, ranked
from burnish.engine.files import atomic_path, write_text
from burnish.engine.map import Engine
from burnish.engine.progress import Progress, silent
from burnish.formats.findings import Findings, write_findings
from burnish.report.page import Fact, page

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.data.dataset import Dataset


@dataclass(frozen=True, slots=True, eq=False)
class DedupeResult:
    """Copies and what follows from them.

    Attributes:
        dataset: The dataset.
        seen: Its pictures and their copies.
        findings: exact_duplicate and near_duplicate (suggestion `remove`, for all but the best of each group), label_conflict,
            split_leak, unreadable and blank pictures.
        engine: Where pictures are decoded for the report.
    """

    dataset: Dataset
    seen: Look
    findings: Findings
    engine: Engine

    @property
    def table(self) -> pl.DataFrame:
        """One row a finding."""
        return self.findings.table

    @property
    def pairs(self) -> pl.DataFrame:
        """One row a pair of copies: first, second (paths), kind, similarity, turn, expected_false."""
        paths, pairs = self.seen.pictures.paths, self.seen.duplicates.pairs
        named = {side: pl.Series([paths[row] for row in pairs[key]], dtype=pl.String) for side, key in (("first", "a"), ("second", "b"))}
        return pl.DataFrame(named).hstack(pairs.drop("a", "b"))

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write findings.parquet, findings.csv, pairs.csv and report.html."""
        del force
        written = write_findings(self.findings, folder)
        with atomic_path(folder / "pairs.csv") as temporary:
            self.pairs.write_csv(temporary)
        groups = copy_groups_view(self.seen, self.dataset.root, self.engine)
        facts = [
            Fact("Pictures", f"{len(self.seen.hashes):,}"),
            *(Fact(k.replace("_", " "), f"{n:,}") for k, n in counts_by_kind(self.table).items()),
        ]
        write_text(folder / "report.html", page(self.dataset.root.name, [copies_section(groups)], facts=facts, kind="dedupe"))
        return [*written, folder / "pairs.csv", folder / "report.html"]

    def summary(self) -> dict[str, Any]:
        """Counts and the calibrated threshold."""
        found = self.seen.duplicates
        groups = int(found.groups.max(initial=-1)) + 1
        return {
            "pictures": len(self.seen.pictures.paths),
            "groups": groups,
            "issues": counts_by_kind(self.table),
            "threshold": round(found.threshold, 4),
            "expected_false_pairs": found.expected_false,
        }

    def __str__(self) -> str:
        told = self.summary()
        lines = [f"{told['groups']:,} groups of copies among {told['pictures']:,} pictures."]
        lines += [f"  {kind.replace('_', ' ')}: {number:,}" for kind, number in told["issues"].items()]
        lines.append(f"Near copies from {told['threshold']:.2f} on; {told['expected_false_pairs']:.2g} false pairs are to be expected.")
        return "\n".join(lines)


def dedupe(
    dataset: Dataset, config: DedupeConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent
) -> DedupeResult:
    """Find exact and near copies, also re-encoded, scaled, flipped, turned or slightly cropped; say which of each group to keep.

    The best of a group has the most annotations, then the most pixels, then is the sharpest. Nothing is removed: `burnish apply` takes the
    others out of the dataset, never off the disk.
    """
    chosen, runner = config or DedupeConfig(), engine or Engine()
    near = "near" in chosen.kinds
    seen = look(dataset, false_pairs=chosen.false_pairs, near=near, embedder=chosen.embedder, engine=runner, progress=progress)
    about = {"verb": "dedupe", "dataset": str(dataset.origin.get("path", dataset.root)), "format": dataset.origin.get("format")}
    return DedupeResult(dataset, seen, Findings(ranked(picture_findings(seen)), about), runner)
