"""Check label tables, show their tree, compare them with a dataset or CVAT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.data.chains import make_chain
from burnish.data.findings import counts_by_kind, findings_table, join_findings, ranked
from burnish.data.label_names import compared_names
from burnish.engine.files import atomic_path, write_text
from burnish.errors import ConfigError
from burnish.formats.findings import Findings, write_findings
from burnish.formats.label_tables import copy_templates, read_names, read_tables, write_tables
from burnish.formats.recognise import open_dataset
from burnish.inspect.label_tree import LOOKS, label_twigs
from burnish.inspect.labels_page import labels_page
from burnish.inspect.settings import LabelsConfig
from burnish.report.tables import text_table
from burnish.report.trees import mermaid_tree, text_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burnish.data.taxonomy import Taxonomy
    from burnish.formats.label_tables import LabelTables

_ISSUES_EXIT_CODE = 3


@dataclass(frozen=True, slots=True)
class LabelsResult:
    """Label tables, looked through.

    Attributes:
        findings: Every problem, with the address of its cell.
        taxonomy: The tables.
        mapping: Columns name, becomes, status: what each name becomes.
        chain: The name of the chain that was listed, "" for none.
        tree: The hierarchy as it was asked for.
        config: The settings.
    """

    findings: Findings
    taxonomy: Taxonomy
    mapping: pl.DataFrame
    chain: str
    tree: str
    config: LabelsConfig

    @property
    def table(self) -> pl.DataFrame:
        """One row a finding."""
        return self.findings.table

    @property
    def exit_code(self) -> int:
        """3 when issues shall fail the command and there are some."""
        return _ISSUES_EXIT_CODE if self.config.strict and counts_by_kind(self.table) else 0

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write findings.parquet and .csv, labels.html, the tree as text and as a diagram, mapping.csv, and the tables if asked for."""
        twigs = label_twigs(self.taxonomy)
        html = labels_page(" and ".join(self.findings.about["tables"]), self.table, twigs, self.mapping, self.chain)
        texts = {"labels.html": html, "tree.txt": text_tree(twigs), "tree.mmd": mermaid_tree(twigs, LOOKS)}
        written = [] if self.config.write == "none" else write_tables(self.taxonomy, folder, kind=self.config.write, force=force)
        for name, text in texts.items():
            write_text(folder / name, text + "\n")
        with atomic_path(folder / "mapping.csv") as temporary:
            self.mapping.write_csv(temporary)
        return [*write_findings(self.findings, folder), *(folder / name for name in texts), folder / "mapping.csv", *written]

    def summary(self) -> dict[str, Any]:
        """Number of issues of each kind, the findings, and what each name becomes."""
        cells = ("kind", "is_issue", "path", "position", "given", "suggestion", "reason")
        return {
            "issues": counts_by_kind(self.table),
            "findings": self.table.select(cells).to_dicts(),
            "chain": self.chain,
            "mapping": self.mapping.to_dicts(),
        }

    def __str__(self) -> str:
        parts = [self.tree, f"{self.chain}:\n{text_table(self.mapping)}" if self.chain else "", "\n".join(_problem_lines(self.table))]
        return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Templates:
    """Templates of the label tables, where they go, and whether they may replace what is there."""

    folder: Path
    force: bool = False

    @property
    def table(self) -> pl.DataFrame:
        """Nothing was found."""
        return findings_table([])

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write labels.xlsx and superlabels.xlsx; the folder of the results is not needed."""
        del folder
        return copy_templates(self.folder, force=force)

    def save_in_place(self) -> list[Path]:
        """Write labels.xlsx and superlabels.xlsx.

        Raises:
            DataError: One of them is there already, and may not be replaced.
        """
        return copy_templates(self.folder, force=self.force)

    def summary(self) -> dict[str, Any]:
        """Where they go."""
        return {"template": str(self.folder)}

    def __str__(self) -> str:
        return f"Templates for {self.folder}: write your labels over the example."


def labels(
    first: Path | str | None = None, second: Path | str | None = None, config: LabelsConfig | None = None, *, force: bool = False
) -> LabelsResult | Templates:
    """Look through a table of labels, one of superlabels, or both, in either order.

    All problems are found at once. Nothing in the tables is changed.

    Raises:
        ConfigError: No table is named.
        FormatError: A file is missing, or is no label table.
        DataError: Both are the same table.
        ChainError: The tables do not have the chain that is asked for.
    """
    chosen = config or LabelsConfig()
    if chosen.template is not None:
        return Templates(Path(chosen.template), force)
    if first is None:
        raise ConfigError("No label table was named. Write: burnish labels LABELS SUPERLABELS, or get templates with --template FOLDER.")
    read = read_tables(first, second)
    findings = join_findings(read.findings, findings_table(_comparisons(read, chosen)))
    chain, mapping = _mapping(read.taxonomy, chosen)
    about = {"verb": "labels", "tables": list(read.paths)}
    return LabelsResult(Findings(ranked(findings), about), read.taxonomy, mapping, chain, _tree(read.taxonomy, chosen), chosen)


def _comparisons(read: LabelTables, config: LabelsConfig) -> Iterator[dict[str, Any]]:
    if config.dataset is not None:
        names = open_dataset(config.dataset).classes["name"].to_list()
        yield from compared_names(read.taxonomy, names, config.dataset, all_wanted=False)
    if config.cvat is not None:
        yield from compared_names(read.taxonomy, read_names(Path(config.cvat)), config.cvat, all_wanted=True)


def _mapping(taxonomy: Taxonomy, config: LabelsConfig) -> tuple[str, pl.DataFrame]:
    schema = {"name": pl.String, "becomes": pl.String, "status": pl.String}
    if config.chain == "mark":
        return "", pl.DataFrame(schema=schema)
    chain = make_chain(taxonomy, config.chain, loose=config.loose)
    rows = [(name, str(value), chain.status(value)) for name, value in chain.asdict().items()]
    return chain.name, pl.DataFrame(rows, schema=schema, orient="row")


def _tree(taxonomy: Taxonomy, config: LabelsConfig) -> str:
    if config.tree == "none":
        return ""
    twigs = label_twigs(taxonomy)
    return text_tree(twigs) if config.tree == "text" else mermaid_tree(twigs, LOOKS)


def _problem_lines(findings: pl.DataFrame) -> Iterator[str]:
    issues = findings.filter(pl.col("is_issue"))
    yield "No issues." if issues.is_empty() else "1 issue:" if issues.height == 1 else f"{issues.height} issues:"
    for row in findings.iter_rows(named=True):
        place = ", ".join(part for part in (row["path"], row["position"]) if part)
        hint = f" Suggested: {row['suggestion']}" if row["suggestion"] else ""
        mark = "" if row["is_issue"] else "(no issue) "
        yield f"  {mark}{place + ': ' if place else ''}{row['reason']}{hint}"
