"""Shapes and tracks of each class in each source and split, and of each superclass: the tables that balance a collection by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

NO_SPLIT: Final = "none"
"""How pictures without a split are called."""

_NUMBERS: Final = ("pictures", "shapes", "tracks")


def source_counts(dataset: Dataset) -> pl.DataFrame:
    """Pictures, shapes and tracks of each class in each split of each source; what a source does not show is 0.

    A source is a task, else a video, else a subset, else the folder of a picture.

    Returns:
        Columns source, split, class, pictures, shapes, tracks.
    """
    pictures = _pictures(dataset)
    names = dataset.scan("classes", "id", "name").select(pl.col("name").alias("class"), number="id").collect()
    every = pictures.select("source", "split").unique(maintain_order=True).join(names, how="cross")
    rows = _visible(dataset).join(pictures.lazy(), on="image")
    counted = rows.group_by("source", "split", "number").agg(*_counts()).collect(engine="streaming")
    joined = every.join(counted, on=["source", "split", "number"], how="left", maintain_order="left")
    return joined.select("source", "split", "class", *(pl.col(name).fill_null(0) for name in _NUMBERS))


def superclass_counts(dataset: Dataset) -> pl.DataFrame:
    """Pictures, shapes and tracks of each superclass, in all and in each split; classes without one are left out.

    Returns:
        Columns superclass, classes, then pictures, shapes, tracks, and the same for each split.
    """
    classes = dataset.scan("classes", "id", "superclass").rename({"id": "number"}).filter(pl.col("superclass").is_not_null())
    pictures = _pictures(dataset)
    rows = _visible(dataset).join(classes, on="number").join(pictures.lazy().select("image", "split"), on="image")
    table = classes.group_by("superclass", maintain_order=True).agg(classes=pl.len()).collect()
    table = table.join(rows.group_by("superclass").agg(*_counts()).collect(), on="superclass", how="left", maintain_order="left")
    splits = [split for split in pictures["split"].unique(maintain_order=True) if split != NO_SPLIT]
    for split in splits:
        part = rows.filter(pl.col("split") == split).group_by("superclass").agg(*_counts()).collect()
        renamed = part.rename({name: f"{split} {name}" for name in _NUMBERS})
        table = table.join(renamed, on="superclass", how="left", maintain_order="left")
    return table.with_columns(pl.selectors.integer().fill_null(0))


def _counts() -> tuple[pl.Expr, ...]:
    """A shape without a track counts as an object of its own."""
    tracks = pl.col("track").drop_nulls().n_unique() + pl.col("track").null_count()
    return pl.col("image").n_unique().alias("pictures"), pl.len().alias("shapes"), tracks.alias("tracks")


def _visible(dataset: Dataset) -> pl.LazyFrame:
    rows = dataset.scan("annotations", "image", "class", "track", "outside", "parent")
    return rows.filter(~pl.col("outside") & pl.col("parent").is_null()).select("image", "track", number="class")


def _pictures(dataset: Dataset) -> pl.DataFrame:
    """Columns image, source, split."""
    tasks = dataset.tasks.select(pl.col("name").alias("task_name"), task="id")
    media = dataset.scan("media", "id", "path", "kind").rename({"id": "media"}).collect()
    rows = dataset.scan("images", "id", "media", "task", "split", "subset").rename({"id": "image"}).collect()
    rows = rows.join(media, on="media", how="left", maintain_order="left").join(tasks, on="task", how="left", maintain_order="left")
    moving = pl.when(pl.col("kind") != "image").then("path")
    folder = pl.col("path").str.replace(r"/?[^/]*$", "").replace("", ".")
    return rows.select("image", pl.coalesce("task_name", moving, "subset", folder).alias("source"), pl.col("split").fill_null(NO_SPLIT))
