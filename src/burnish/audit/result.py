"""What an audit found, and writing it down: findings, labels, corrected labels, drawn pages and the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.audit.copies_view import copy_groups_view
from burnish.audit.corrections import refuse_existing_corrections, write_corrections
from burnish.audit.drawing import write_pages
from burnish.audit.evidence import item_pictures, label_cards
from burnish.audit.gathering import labels_table
from burnish.audit.page import audit_page
from burnish.audit.quality import class_quality, confused_pairs, likely_counts
from burnish.audit.view import AuditView
from burnish.config import dump
from burnish.data.findings import counts_by_kind
from burnish.engine.files import atomic_path, write_text
from burnish.engine.timing import duration_text
from burnish.formats.findings import write_findings
from burnish.report.gallery import Card

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from burnish.audit.items import Items
    from burnish.audit.judging import Judgement
    from burnish.audit.looking import Look
    from burnish.audit.settings import AuditConfig
    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine
    from burnish.formats.findings import Findings
    from burnish.similarity.outliers import Outliers

_MOST_CARDS = 500
_MOST_OTHERS = 100
_MOST_OUTLIERS = 60


@dataclass(frozen=True, slots=True, eq=False)
class AuditResult:
    """Everything that an audit found.

    Attributes:
        dataset: The audited dataset.
        config: The settings.
        items: What was judged.
        judgement: Predictions and ranking.
        seen: What was seen on the pictures.
        outliers: How odd each judged item is, or None.
        findings: All suspicions in one table.
        seconds: Time spent in each part.
        engine: Where pictures are decoded for the report.
    """

    dataset: Dataset
    config: AuditConfig
    items: Items
    judgement: Judgement
    seen: Look
    outliers: Outliers | None
    findings: Findings
    seconds: Mapping[str, float]
    engine: Engine

    @property
    def table(self) -> pl.DataFrame:
        """All suspicions, one row each."""
        return self.findings.table

    @property
    def labels(self) -> pl.DataFrame:
        """Every judged label with its score, also those that are sound."""
        return labels_table(self.items, self.judgement)

    @property
    def name(self) -> str:
        """The dataset's name: its folder, or its file."""
        path = Path(self.dataset.origin.get("path", self.dataset.root)).absolute()
        return path.parent.name if path.name == "labels.jsonl" else path.stem

    def corrections(self) -> dict[int, str]:
        """The suggested class of each picture whose label is suspected, by its id; none for boxes."""
        if self.items.boxes is not None:
            return {}
        return dict(self.labels.filter("is_issue").select("image", "suggested").iter_rows())

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write findings.parquet and .csv, labels.parquet, the drawn pages, report.html, and corrected_labels.jsonl into the dataset.

        Raises:
            DataError: corrected_labels.jsonl is there and `force` is not set; or the disk is full.
        """
        refuse_existing_corrections(self.dataset, self.config, force=force)
        written = write_findings(self.findings, folder)
        with atomic_path(folder / "labels.parquet") as temporary:
            self.labels.write_parquet(temporary)
        written.append(folder / "labels.parquet")
        written += write_pages(
            self.items, self.judgement, self.dataset.root, folder / self.config.pages, most=self.config.draw, engine=self.engine
        )
        write_text(folder / "report.html", audit_page(self.view(written, folder)))
        written.append(folder / "report.html")
        return written + write_corrections(self.dataset, self.config, self.corrections())

    def summary(self) -> dict[str, Any]:
        """Counts and facts as plain values."""
        predictions = self.judgement.predictions
        return {
            "labels": len(self.judgement.rows),
            "issues": counts_by_kind(self.table),
            "agreement": round(predictions.accuracy, 4),
            "model": self.judgement.choice.name,
            "folds": predictions.folds,
            "repeats": predictions.repeats,
            "seconds": {name: round(spent, 1) for name, spent in self.seconds.items()},
        }

    def __str__(self) -> str:
        counts = counts_by_kind(self.table)
        wrong, judged = counts.pop("label", 0), len(self.judgement.rows)
        what = "labels" if self.items.boxes is None else "boxes"
        lines = [f"{wrong:,} of {judged:,} {what} look wrong ({wrong / max(judged, 1):.1%}), judged by {_model_text(self)}."]
        lines += [f"  {kind.replace('_', ' ')}: {number:,}" for kind, number in counts.items()]
        top = self.labels.filter("is_issue").sort("score", descending=True, maintain_order=True).head(5)
        lines += [
            f"  {path}: {given} -> {suggested} ({score:.2f})"
            for path, given, suggested, score in top.select("path", "given", "suggested", "score").iter_rows()
        ]
        return "\n".join(lines)

    def view(self, written: list[Path], folder: Path) -> AuditView:
        """What the report shows."""
        labels = self.labels
        rows, predictions = self.judgement.rows, self.judgement.predictions
        given, issues = self.items.labels[rows], labels["is_issue"].to_numpy()
        index = {name: number for number, name in enumerate(self.items.names)}
        suggested = np.array([index[name] for name in labels["suggested"]], dtype=np.int64)
        scores = labels["score"].to_numpy()
        return AuditView(
            dataset=self.name,
            path=str(self.dataset.root),
            pictures=len(rows),
            unit="pictures" if self.items.boxes is None else "boxes",
            classes=self.items.names,
            counts=counts_by_kind(self.table),
            cards=label_cards(self.items, self.judgement, labels, _chosen(scores, issues), root=self.dataset.root, engine=self.engine),
            outliers=_outlier_cards(self),
            quality=class_quality(given, predictions.probabilities, issues, self.items.names),
            confused=confused_pairs(given, suggested, issues, self.items.names),
            noise=likely_counts(given, suggested, issues, len(self.items.names)),
            scores=scores,
            cutoff=float(scores[issues].min()) if issues.any() else None,
            copies=copy_groups_view(self.seen, self.dataset.root, self.engine),
            unreadable=self.table.filter(pl.col("kind").is_in(["unreadable_picture", "missing_file", "blank_picture"])).select(
                "path", "reason"
            ),
            accuracy=predictions.accuracy,
            method=_method(self),
            settings=dump(self.config),
            made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
            results=tuple(str(path.relative_to(folder)) for path in written if path.is_relative_to(folder) and path.suffix != ".jpg"),
        )


def _chosen(scores: NDArray[np.float64], issues: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The cards of a report: issues by falling score, then the most suspect of the others."""
    order = np.argsort(-scores, kind="stable")
    return np.concatenate([order[issues[order]][:_MOST_CARDS], order[~issues[order]][:_MOST_OTHERS]])


def _outlier_cards(result: AuditResult) -> tuple[Card, ...]:
    if result.outliers is None:
        return ()
    order = np.argsort(-result.outliers.scores, kind="stable")
    odd = order[result.outliers.is_issue[order]][:_MOST_OUTLIERS]
    rows = result.judgement.rows[odd]
    pictures = item_pictures(result.items, rows, result.dataset.root, result.engine)
    return tuple(
        Card(
            key=f"odd-{row}",
            picture=picture,
            title=result.items.paths[row],
            given=result.items.names[result.items.labels[row]],
            score=float(result.outliers.scores[place]),
            kind="outlier",
            reason=f"Mean distance to its neighbours: {result.outliers.distances[place]:.2f}, odd from {result.outliers.cutoff:.2f} on.",
        )
        for row, place, picture in zip(rows, odd, pictures, strict=True)
    )


def _model_text(result: AuditResult) -> str:
    predictions = result.judgement.predictions
    times = f", {predictions.repeats} times" if predictions.repeats > 1 else ""
    return f"{result.judgement.choice.name} in {predictions.folds} folds{times}"


def _method(result: AuditResult) -> tuple[tuple[str, str], ...]:
    choice, predictions = result.judgement.choice, result.judgement.predictions
    height, width = choice.size
    told = [
        ("Model", choice.name),
        ("Pictures seen at", f"{width} x {height} pixels"),
        ("Folds", f"{predictions.folds}, drawn {predictions.repeats} times" if predictions.repeats > 1 else str(predictions.folds)),
        ("Ranking", result.config.method),
        ("Time", ", ".join(f"{name} {duration_text(spent)}" for name, spent in result.seconds.items())),
        (
            "Copies",
            f"near from {result.seen.duplicates.threshold:.2f} on; {result.seen.duplicates.expected_false:.2g} false pairs expected",
        ),
    ]
    return (*told, ("Note", choice.note)) if choice.note else tuple(told)
