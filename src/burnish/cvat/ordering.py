"""Tasks whose pictures come in the order of the numbers in their names: what a server cannot do with a task that is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from burnish.cvat.links import SERVER
from burnish.data.tracks import interpolate
from burnish.errors import DataError
from burnish.formats.cvat.labels import FORM

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset


def in_name_order(dataset: Dataset) -> Dataset:
    """Give the frames of each task the order of their file names, numbers by value: `2.png` comes before `10.png`.

    Objects, deleted frames and splits follow their pictures. Tracks get a key frame wherever they are seen, because between key frames of
    another order something else would be shown. The server's numbers are forgotten: a push makes new tasks of the result.

    Raises:
        DataError: A task shows a video.
    """
    kinds = dataset.media.select(pl.col("id").alias("media"), pl.col("kind").cast(pl.String).alias("media_kind"), "path")
    images = dataset.images.join(kinds, on="media", how="left", maintain_order="left")
    films = images.filter(pl.col("task").is_not_null() & (pl.col("media_kind") != "image"))
    if not films.is_empty():
        raise DataError(f"The frames of a video have an order of their own; task {films['task'][0]} shows {films['path'][0]}.")
    places: dict[int, int] = {}
    for part in images.filter(pl.col("task").is_not_null()).partition_by("task", maintain_order=True):
        ordered = sorted(part.select("id", "path", "frame").iter_rows(), key=lambda row: (_by_numbers(row[1]), row[2]))
        places |= {image: frame for frame, (image, _, _) in enumerate(ordered)}
    renumbered = dataset.images.with_columns(
        frame=pl.coalesce(pl.col("id").replace_strict(places, default=None, return_dtype=dataset.images["frame"].dtype), "frame")
    )
    baked = _baked(dataset, renumbered)
    loose = dataset.annotations.filter(pl.col("track").is_null())["id"].implode()
    of_format = (
        (pl.col("format") == FORM) & (pl.col("table") != "tracks") & ((pl.col("table") != "annotations") | pl.col("row").is_in(loose))
    )
    ours = baked.extras.filter(of_format | ~pl.col("format").is_in([FORM, SERVER]))
    return baked.with_tables(images=renumbered, extras=ours)


def _by_numbers(path: str) -> list[tuple[int, int, str]]:
    """A key that compares digits by their value and the rest as it is written."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", path) if part]


def _baked(dataset: Dataset, images: pl.DataFrame) -> Dataset:
    """Tracks with a key frame on every frame where they are seen, and one outside where they are not seen any more in the new order."""
    if dataset.annotations["track"].null_count() == dataset.annotations.height:
        return dataset
    shown = interpolate(dataset)
    rows = shown.annotations.with_columns(jobs=pl.when(pl.col("track").is_null()).then(pl.col("jobs")))
    tracked = pl.col("track").is_not_null()
    frames = images.select("task", "frame", image="id").filter(pl.col("task").is_not_null())
    seen = rows.filter(tracked).unique(["track", "image"], keep="first", maintain_order=True)
    placed = seen.join(frames, on="image", how="inner", maintain_order="left")
    ends = placed.join(placed.select("track", "frame").with_columns(frame=pl.col("frame") - 1), on=["track", "frame"], how="anti")
    following = frames.with_columns(frame=pl.col("frame") - 1).rename({"image": "next"})
    gone = ends.filter(~pl.col("outside").fill_null(value=False)).join(following, on=["task", "frame"], how="inner", maintain_order="left")
    first = int(rows["id"].max() or 0) + 1  # pyright: ignore[reportArgumentType]
    copies = gone.with_columns(image=pl.col("next"), outside=pl.lit(value=True), source_id=pl.col("id"), id=pl.int_range(pl.len()) + first)
    parents = dict(copies.select("source_id", "id").iter_rows())
    copies = copies.with_columns(parent=pl.col("parent").replace_strict(parents, default=None, return_dtype=pl.Int64))
    kept = pl.concat([rows.filter(~tracked), seen, copies.select(rows.columns)])
    return shown.with_tables(annotations=kept.with_columns(keyframe=pl.when(tracked).then(pl.lit(value=True)).otherwise("keyframe")))
