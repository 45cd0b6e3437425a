"""Count pictures, shapes and tracks of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.engine.files import atomic_path, write_text
from burnish.inspect.settings import StatsConfig
from burnish.inspect.stats_page import stats_page
from burnish.report.tables import text_table

if TYPE_CHECKING:
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
    """

    name: str
    table: pl.DataFrame
    facts: dict[str, Any]
    sizes: pl.DataFrame
    kinds: pl.DataFrame
    per_picture: pl.DataFrame

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write stats.csv, stats.xlsx and stats.html with charts."""
        del force
        paths = [folder / "stats.csv", folder / "stats.xlsx", folder / "stats.html"]
        with atomic_path(paths[0]) as temporary:
            self.table.write_csv(temporary)
        with atomic_path(paths[1]) as temporary, temporary.open("wb") as stream:
            self.table.write_excel(stream, worksheet="classes")
        write_text(
            paths[2], stats_page(self.name, self.table, self.facts, sizes=self.sizes, kinds=self.kinds, per_picture=self.per_picture)
        )
        return paths

    def summary(self) -> dict[str, Any]:
        """All counts as plain values."""
        return {**self.facts, "classes": self.table.to_dicts()}

    def __str__(self) -> str:
        facts = ", ".join(f"{key.replace('_', ' ')}: {_text(value)}" for key, value in self.facts.items())
        return f"{facts}\n\n{text_table(self.table)}"


def stats(dataset: Dataset, config: StatsConfig | None = None) -> Stats:
    """Count each class: pictures that show it, shapes (or labels), tracks, its share; in all and in each split or subset.

    A shape without a track counts as one object of its own; elements of a skeleton are not counted beside it.
    """
    chosen = config or StatsConfig()
    return Stats(
        name=str(dataset.origin.get("path", dataset.root)).rstrip("/").rpartition("/")[2],
        table=_class_table(dataset, None if chosen.by == "none" else chosen.by),
        facts=_facts(dataset),
        sizes=dataset.scan("images", "width", "height")
        .group_by("width", "height")
        .len("pictures")
        .sort("pictures", descending=True)
        .collect(),
        kinds=dataset.scan("annotations", "kind").group_by("kind").len("shapes").sort("shapes", descending=True).collect(),
        per_picture=_per_picture(dataset),
    )


def _shapes(dataset: Dataset, *columns: str) -> pl.LazyFrame:
    rows = dataset.scan("annotations", *dict.fromkeys(("image", "class", "outside", "parent", *columns)))
    return rows.filter(~pl.col("outside") & pl.col("parent").is_null()).drop("outside", "parent")


def _class_table(dataset: Dataset, by: str | None) -> pl.DataFrame:
    stored = dataset.frames["annotations"].collect_schema().names()
    shapes = _shapes(dataset, *(["track"] if "track" in stored else []))
    parts = _parts(dataset, by)
    classes = dataset.scan("classes", "id", "name", "superclass").collect()
    table = classes.join(_count(shapes, tracked="track" in stored), left_on="id", right_on="class", how="left", maintain_order="left")
    total = max(int(table["shapes"].sum()), 1)
    table = table.with_columns((pl.col("shapes") / total).alias("share"))
    for name, images in parts.items():
        counted = _count(shapes.join(images.lazy(), on="image", how="semi"), tracked="track" in stored)
        renamed = counted.rename({c: f"{name} {c}" for c in ("pictures", "shapes", "tracks") if c in counted.columns})
        table = table.join(renamed, left_on="id", right_on="class", how="left", maintain_order="left")
    counts = pl.selectors.integer() - pl.selectors.by_name("id")
    table = table.with_columns(counts.fill_null(0), pl.col("share").fill_null(0.0)).rename({"name": "class"}).drop("id")
    return table.drop("superclass") if table["superclass"].null_count() == table.height else table


def _count(shapes: pl.LazyFrame, *, tracked: bool) -> pl.DataFrame:
    """Pictures, shapes and tracks of each class; pictures are counted through sorted pairs, which needs little memory."""
    pairs = shapes.group_by("class", "image").len("n").group_by("class").agg(pl.len().alias("pictures"), pl.col("n").sum().alias("shapes"))
    counted = pairs.collect(engine="streaming")
    if not tracked:
        return counted.with_columns(pl.col("shapes").alias("tracks"))
    distinct = shapes.group_by("class").agg((pl.col("track").drop_nulls().n_unique() + pl.col("track").null_count()).alias("tracks"))
    return counted.join(distinct.collect(engine="streaming"), on="class", how="left", nulls_equal=True)


def _parts(dataset: Dataset, by: str | None) -> dict[str, pl.DataFrame]:
    if by is None:
        return {}
    images = dataset.scan("images", "id", by).rename({"id": "image"}).collect()
    names = [name for name in images[by].unique(maintain_order=True) if name is not None]
    return {name: images.filter(pl.col(by) == name).select("image") for name in names}


def _facts(dataset: Dataset) -> dict[str, Any]:
    labelled = _shapes(dataset).select(pl.col("image").n_unique()).collect(engine="streaming").item()
    counts = dataset.counts()
    facts: dict[str, Any] = {"pictures": counts["images"], "without_annotations": counts["images"] - labelled}
    facts |= {"annotations": counts["annotations"], "classes": counts["classes"]}
    shares = [share for share in _class_sizes(dataset) if share > 0]
    return facts | {"imbalance": round(max(shares) / min(shares), 2) if shares else None}


def _class_sizes(dataset: Dataset) -> list[int]:
    return _shapes(dataset).filter(pl.col("class").is_not_null()).group_by("class").len().collect(engine="streaming")["len"].to_list()


def _per_picture(dataset: Dataset) -> pl.DataFrame:
    counted = _shapes(dataset).group_by("image").len("shapes").group_by("shapes").len("pictures").sort("shapes").collect(engine="streaming")
    bare = len(dataset) - int(counted["pictures"].sum())
    head = pl.DataFrame({"shapes": [0], "pictures": [bare]}, schema=counted.schema) if bare > 0 else counted.clear()
    return pl.concat([head, counted])


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else "-" if value is None else str(value)
