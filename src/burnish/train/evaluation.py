"""What an evaluation came to: numbers of all pictures, of each, and of each class, and writing them down."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.engine.files import atomic_path, write_text
from burnish.report.numbers import fixed
from burnish.train.evaluation_page import evaluation_page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.engine.map import Engine
    from burnish.train.judging.choosing import Chosen
    from burnish.train.judging.judge import Figures, Judge
    from burnish.train.policies.settings import EvaluateConfig
    from burnish.train.trained import Trained


_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """One network's result.

    Attributes:
        trained: The network.
        judge: What compared it.
        figures: What it came to.
        intervals: 95 % intervals of its main metrics.
        table: One row a picture: image, path, split and its numbers.
    """

    trained: Trained
    judge: Judge
    figures: Figures
    intervals: Mapping[str, tuple[float, float]]
    table: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One network against another, on the same pictures.

    Attributes:
        other: The other network's result.
        metrics: metric, this, other, difference (this - other) and its 95 % interval low, high, of paired draws.
        pictures: image, path, split, this, other, change and row; what changed most comes first.
    """

    other: Contestant
    metrics: pl.DataFrame
    pictures: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Everything that an evaluation found.

    Attributes:
        config: The settings.
        chosen: The pictures.
        contestant: The network's result.
        comparison: Against another one, or None.
        unreadable: Findings on the pictures that were left out.
        engine: Where pictures are decoded for the report.
    """

    config: EvaluateConfig
    chosen: Chosen
    contestant: Contestant
    comparison: Comparison | None
    unreadable: pl.DataFrame
    engine: Engine

    @property
    def table(self) -> pl.DataFrame:
        """One row a picture."""
        return self.contestant.table

    @property
    def classes(self) -> pl.DataFrame:
        """One row a class, or a key point."""
        return self.contestant.figures.classes

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of all pictures together."""
        return dict(self.contestant.figures.metrics)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know, one sentence each."""
        left = self.unreadable.height
        bad = (f"{left:,} pictures cannot be measured and are left out; unreadable.csv says why.",) if left else ()
        return (*self.chosen.notes, *self.contestant.figures.notes, *bad)

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write per_picture, per_class (of key points per_point), sweep, curves and comparison as CSV, metrics.json and report.html.

        The table of pictures is also written as per_picture.parquet.
        """
        del force
        tables = {"per_picture": self.table, f"per_{self._kind}": self.classes}
        tables |= {"sweep": self.contestant.figures.sweep, "curves": self._curves()}
        if self.comparison is not None:
            tables |= {"comparison": self.comparison.metrics, "changed": self.comparison.pictures.drop("row")}
        tables |= {"unreadable": self.unreadable.select("path", "reason")}
        written = [_write_csv(table, folder / f"{name}.csv") for name, table in tables.items() if not table.is_empty()]
        with atomic_path(folder / "per_picture.parquet") as temporary:
            self.table.write_parquet(temporary)
        write_text(folder / "metrics.json", json.dumps(self.summary(), indent=2, ensure_ascii=False))
        write_text(folder / "report.html", evaluation_page(self, tuple(path.name for path in written)))
        return [*written, *(folder / name for name in ("per_picture.parquet", "metrics.json", "report.html"))]

    def summary(self) -> dict[str, Any]:
        """Facts and numbers as plain values; what is no number is null."""
        found = self.contestant
        facts = {
            "model": str(found.trained.folder),
            "task": found.trained.task,
            "part": self.chosen.part,
            "pictures": self.table.height,
            "unreadable": self.unreadable.height,
            "metrics": {name: _plain(value) for name, value in found.figures.metrics.items()},
            "intervals": {name: [_plain(low), _plain(high)] for name, (low, high) in found.intervals.items()},
            "notes": list(self.notes),
        }
        if self.comparison is None:
            return facts
        return {**facts, "against": str(self.comparison.other.trained.folder), "comparison": self.comparison.metrics.to_dicts()}

    def __str__(self) -> str:
        found = self.contestant
        lines = [f"{found.trained.producer} on {self.table.height:,} pictures ({self.chosen.part}):"]
        for name, value in found.figures.metrics.items():
            low, high = found.intervals.get(name, (math.nan, math.nan))
            lines.append(f"  {name} {fixed(value, 4)}" + ("" if math.isnan(low) else f"  [{low:.4f}, {high:.4f}]"))
        best = self.best_thresholds()
        lines += [f"  best threshold of {name}: {threshold:g}" for name, threshold in best.items()]
        lines += [*self._worst(), *self._compared()]
        return "\n".join([*lines, *self.notes])

    def best_thresholds(self) -> dict[str, float]:
        """The best threshold of each class or point, and of all together, where thresholds decide."""
        swept = self.contestant.figures.sweep
        return {} if swept.is_empty() else dict(swept.filter("best").select(self._kind, "threshold").iter_rows())

    @property
    def _kind(self) -> str:
        """What has a row of its own in the tables: a class, or a point."""
        return self.classes.columns[0]

    def _worst(self) -> list[str]:
        """The pictures of the lowest scores; those without a score, for nothing is on them, are not among them."""
        score = self.contestant.figures.score
        scored = self.table.select("path", pl.col(score).cast(pl.Float64).fill_nan(None)).drop_nulls(score)
        worst = scored.sort(score, maintain_order=True).head(_SHOWN)
        told = [f"  {path}: {value:.3f}" for path, value in worst.iter_rows()]
        return ["Worst:", *told] if told else []

    def _compared(self) -> list[str]:
        if self.comparison is None:
            return []
        rows = self.comparison.metrics.select("metric", "difference", "low", "high").iter_rows()
        told = [
            f"  {name} {change:+.4f}" + ("" if low is None else f"  [{low:+.4f}, {high:+.4f}]")
            for name, change, low, high in rows
            if change is not None and not math.isnan(change)
        ]
        return [f"Against {self.comparison.other.trained.producer} (this - other):", *told]

    def _curves(self) -> pl.DataFrame:
        tables = [
            pl.DataFrame(curve.points, schema=["threshold", "across", "up"]).select(
                pl.lit(curve.kind).alias("curve"), pl.lit(curve.name).alias(self._kind), "threshold", "across", "up"
            )
            for curve in self.contestant.figures.curves
        ]
        return pl.concat(tables) if tables else pl.DataFrame()


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _write_csv(table: pl.DataFrame, path: Path) -> Path:
    with atomic_path(path) as temporary:
        table.write_csv(temporary)
    return path
