"""Label tables as one page: the tree, what each label becomes, and the problems with their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from burnish.data.findings import counts_by_kind
from burnish.report.markup import escape
from burnish.report.numbers import number
from burnish.report.page import Fact, Section, page
from burnish.report.tables import html_table
from burnish.report.trees import text_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burnish.report.trees import Twig

_CELLS = ("kind", "path", "position", "given", "suggestion", "reason")


def labels_page(name: str, findings: pl.DataFrame, twigs: Sequence[Twig], mapping: pl.DataFrame, chain: str) -> str:
    """The page `labels.html`.

    Args:
        name: What the tables are called.
        findings: The problems.
        twigs: The hierarchy.
        mapping: Columns name, becomes, status.
        chain: What the mapping is called, "" for none.
    """
    issues = sum(counts_by_kind(findings).values())
    statuses = dict(mapping.group_by("status", maintain_order=True).len().iter_rows())
    facts = [Fact("problems", number(issues), tone="bad" if issues else "good")]
    facts += [Fact(f"{status} labels", number(held)) for status, held in statuses.items()]
    problems = html_table(findings.select(_CELLS, pl.when("is_issue").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("issue")))
    sections = [
        Section("tree", "Tree", f"<pre>{escape(text_tree(twigs))}</pre>", "Each meaning with its label and what it is trained as."),
        Section("mapping", "What each label becomes", html_table(mapping) if chain else "", chain),
        Section("problems", "Problems", problems, "Every problem with its cell and, where there is one, the name that was probably meant."),
    ]
    return page(name, [section for section in sections if section.body], facts=facts, kind="labels")
