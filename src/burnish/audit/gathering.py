"""All that an audit found, in one table of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.audit.looking import Look, picture_findings
from burnish.audit.quality import imbalance_findings
from burnish.data.findings import finding, findings_table, join_findings, ranked
from burnish.data.schema import FINDINGS, dtypes
from burnish.formats.findings import Findings
from burnish.similarity.outliers import Outliers, find_outliers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burnish.audit.items import Items
    from burnish.audit.judging import Judgement
    from burnish.data.dataset import Dataset


def gather_findings(dataset: Dataset, items: Items, judgement: Judgement, seen: Look, outliers: Outliers | None) -> Findings:
    """Findings of every kind, issues first, the most suspect first.

    Kind `label` holds each suspected label, and beside them, as no issue, each label that is not the one suggested.
    """
    labels = labels_table(items, judgement)
    suspects = labels.filter(pl.col("is_issue") | (pl.col("suggested") != pl.col("given")))
    parts = [
        _label_findings(suspects),
        picture_findings(seen),
        imbalance_findings(items.labels[items.labels >= 0], items.names),
        findings_table(_unlabelled(items)),
        dataset.notes,
    ]
    if outliers is not None:
        parts.append(findings_table(_outlier_findings(items, judgement, outliers)))
    about = {"verb": "audit", "dataset": str(dataset.origin.get("path", dataset.root)), "format": dataset.origin.get("format")}
    return Findings(ranked(join_findings(*parts)), about)


def labels_table(items: Items, judgement: Judgement) -> pl.DataFrame:
    """One row for each judged label: image, annotation, path, given, suggested, score, is_issue, self_confidence, reason."""
    rows, probabilities = judgement.rows, judgement.predictions.probabilities
    own = probabilities[np.arange(len(rows)), items.labels[rows]]
    where = pl.DataFrame(
        {
            "image": items.images[rows],
            "annotation": items.annotations[rows],
            "path": [items.paths[row] for row in rows],
            "self_confidence": own,
        }
    )
    told = judgement.table.select("given", "suggested", "score", "is_issue", "reason")
    table = pl.concat([where, told], how="horizontal")
    return table.select("image", "annotation", "path", "given", "suggested", "score", "is_issue", "self_confidence", "reason")


def outliers_of(judgement: Judgement) -> Outliers | None:
    """How odd each judged item is, where its model describes items by features."""
    return None if judgement.features is None else find_outliers(judgement.features)


def _label_findings(suspects: pl.DataFrame) -> pl.DataFrame:
    made = suspects.select(
        pl.lit("label").alias("kind"),
        "score",
        "is_issue",
        "reason",
        "given",
        pl.col("suggested").alias("suggestion"),
        "path",
        "image",
        "annotation",
    )
    return made.with_columns(pl.lit(None, dtype=t).alias(n) for n, t in dtypes(FINDINGS).items() if n not in made.columns).select(
        dtypes(FINDINGS).keys()
    )


def _unlabelled(items: Items) -> Iterator[dict[str, Any]]:
    for row in np.flatnonzero(items.labels < 0):
        yield finding(
            "no_label", "The picture has no label.", score=0.5, is_issue=False, path=items.paths[row], image=int(items.images[row])
        )


def _outlier_findings(items: Items, judgement: Judgement, outliers: Outliers) -> Iterator[dict[str, Any]]:
    for index in np.flatnonzero(outliers.is_issue):
        row = judgement.rows[index]
        reason = f"Mean distance to its nearest neighbours: {outliers.distances[index]:.2f}, odd from {outliers.cutoff:.2f} on."
        where: dict[str, Any] = {"path": items.paths[row], "image": int(items.images[row])}
        annotation = None if items.boxes is None else int(items.annotations[row])
        given = items.names[items.labels[row]]
        yield finding("outlier", reason, score=float(outliers.scores[index]), given=given, annotation=annotation, **where)
