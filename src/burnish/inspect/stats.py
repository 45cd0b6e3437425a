"""Count pictures, shapes and tracks of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.data.shown import shown
from burnish.engine.files import atomic_path, write_text
from burnish.formats.labelled import labelled
from burnish.inspect.counting import Counts, count_shapes
from burnish.inspect.settings import StatsConfig
from burnish.inspect.source_counts import source_counts, superclass_counts
from burnish.inspect.stats_page import stats_page
from burnish.report.tables import text_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of a dataset.

    Attributes:
        name: The dataset's name.
        table: One row a class: pictures, shapes, tracks, share of the shapes; in all and for each part.
        facts: Counts of the dataset as a whole.
        sizes: Columns width, height, pictures: how often each picture size occurs, the most frequent first.
        kinds: Columns kind, shapes.
        per_picture: Columns shapes, pictures: how many pictures carry how many shapes.
        superclasses: One row a superclass, as `table`; empty where there are none.
        sources: One row for each source, split and class: pictures, shapes, tracks.
    """

    name: str
    table: pl.DataFrame
    facts: dict[str, Any]
    sizes: pl.DataFrame
    kinds: pl.DataFrame
    per_picture: pl.DataFrame
    superclasses: pl.DataFrame
    sources: pl.DataFrame

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write stats.csv, stats.xlsx and stats.html with charts; superclasses.csv and sources.csv where there are several."""
        del force
        more = {"superclasses": self.superclasses} if self.superclasses.height else {}
        more |= {"sources": self.sources} if self.sources["source"].n_unique() > 1 else {}
        _write_csv(folder / "stats.csv", self.table)
        _write_sheets(folder / "stats.xlsx", {"classes": self.table, **more})
        write_text(folder / "stats.html", stats_page(self))
        for name, table in more.items():
            _write_csv(folder / f"{name}.csv", table)
        return [folder / name for name in ("stats.csv", "stats.xlsx", "stats.html", *(f"{name}.csv" for name in more))]

    def summary(self) -> dict[str, Any]:
        """All counts as plain values."""
        return {**self.facts, "classes": self.table.to_dicts(), "superclasses": self.superclasses.to_dicts()}

    def __str__(self) -> str:
        facts = ", ".join(f"{key.replace('_', ' ')}: {_text(value)}" for key, value in self.facts.items())
        return f"{facts}\n\n{text_table(self.table)}"


def stats(dataset: Dataset, config: StatsConfig | None = None) -> Stats:
    """Count each class: pictures that show it, shapes (or labels), tracks, its share; in all and in each split or subset.

    Counted is what tasks show: tracks on every frame on which they are seen, nothing that is hidden. A shape without a track counts as one
    object of its own; elements of a skeleton are not counted beside it. With label tables the classes that they make are counted.

    Raises:
        LabelError: The label tables do not know a class that has objects.
    """
    chosen = config or StatsConfig()
    dataset = labelled(dataset, chosen.labels, chosen.superlabels, chosen.chain, loose=chosen.loose)[0]
    if not dataset.tasks.is_empty():
        dataset = shown(dataset)
    counts = count_shapes(dataset, None if chosen.by == "none" else chosen.by)
    return Stats(
        name=str(dataset.origin.get("path", dataset.root)).rstrip("/").rpartition("/")[2],
        table=_class_table(dataset, counts),
        facts=_facts(dataset, counts),
        sizes=dataset.scan("images", "width", "height")
        .group_by("width", "height")
        .len("pictures")
        .sort("pictures", descending=True)
        .collect(),
        kinds=dataset.scan("annotations", "kind").group_by("kind").len("shapes").sort("shapes", descending=True).collect(),
        per_picture=_per_picture(len(dataset), counts),
        superclasses=superclass_counts(dataset),
        sources=source_counts(dataset),
    )


def _write_csv(path: Path, table: pl.DataFrame) -> None:
    with atomic_path(path) as temporary:
        table.write_csv(temporary)


def _write_sheets(path: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    from xlsxwriter import Workbook  # noqa: PLC0415 - only where a workbook is written

    with atomic_path(path) as temporary, temporary.open("wb") as stream, Workbook(stream, {"in_memory": True}) as book:
        for name, table in tables.items():
            table.write_excel(book, worksheet=name)


def _class_table(dataset: Dataset, counts: Counts) -> pl.DataFrame:
    table = dataset.scan("classes", "id", "name", "superclass").collect()
    table = table.join(counts.in_all, left_on="id", right_on="class", how="left", maintain_order="left")
    total = max(int(table["shapes"].sum()), 1)
    table = table.with_columns((pl.col("shapes") / total).alias("share"))
    for name, counted in counts.parts.items():
        renamed = counted.rename({column: f"{name} {column}" for column in ("pictures", "shapes", "tracks")})
        table = table.join(renamed, left_on="id", right_on="class", how="left", maintain_order="left")
    numbers = pl.selectors.integer() - pl.selectors.by_name("id")
    table = table.with_columns(numbers.fill_null(0), pl.col("share").fill_null(0.0)).rename({"name": "class"}).drop("id")
    return table.drop("superclass") if table["superclass"].null_count() == table.height else table


def _facts(dataset: Dataset, counts: Counts) -> dict[str, Any]:
    held = dataset.counts()
    facts: dict[str, Any] = {"pictures": held["images"], "without_annotations": held["images"] - len(counts.on_pictures)}
    facts |= {"annotations": held["annotations"], "classes": held["classes"]}
    shapes = counts.in_all.filter(pl.col("class").is_not_null())["shapes"].to_list()
    return facts | {"imbalance": round(max(shapes) / min(shapes), 2) if shapes else None}


def _per_picture(pictures: int, counts: Counts) -> pl.DataFrame:
    bare = pictures - len(counts.on_pictures)
    held = np.append(counts.on_pictures, np.zeros(min(bare, 1), dtype=np.int64))
    shapes, found = np.unique(held, return_counts=True)
    if bare:
        found[0] = bare
    return pl.DataFrame({"shapes": shapes, "pictures": found}, schema={"shapes": pl.UInt32, "pictures": pl.UInt32})


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else "-" if value is None else str(value)
