"""Mending tracks that models made: one label a track, and no object that stands where nobody saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import polars as pl

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

UNKNOWN: Final = "unlabeled"
"""A class that says nothing: it never wins a vote."""


def with_one_label(dataset: Dataset, *, unknown: str = UNKNOWN) -> tuple[Dataset, int]:
    """Give every view of a track the class that most of its views have; of equal numbers the one that came first.

    Returns:
        The dataset, and how many annotations changed their class.
    """
    silent = dataset.classes.filter(pl.col("name") == unknown)["id"].implode()
    rows = dataset.annotations.with_row_index("row").filter(pl.col("track").is_not_null() & pl.col("parent").is_null())
    votes = rows.group_by("track", "class").agg(pl.len().alias("votes"), pl.col("row").min())
    votes = votes.with_columns(silent=pl.col("class").is_in(silent).fill_null(value=True))
    won = votes.sort(["silent", "votes", "row"], descending=[False, True, False]).unique("track", keep="first", maintain_order=True)
    chosen = won.select("track", won="class")
    joined = dataset.annotations.join(chosen, on="track", how="left", maintain_order="left")
    mine = pl.col("won").is_not_null() & pl.col("parent").is_null()
    differs = mine & pl.col("class").ne_missing(pl.col("won"))
    changed = int(joined.select(differs.sum()).item())
    rows = joined.with_columns(pl.when(mine).then(pl.col("won")).otherwise(pl.col("class")).alias("class")).drop("won")
    return dataset.with_tables(annotations=rows), changed


Which: TypeAlias = Literal["views", "automatic", "all"]
"""Tracks without key frames, which hold a view wherever their object was seen; also those that no one drew or mended; or all."""


def hidden_after_gaps(dataset: Dataset, *, most_gap: int = 1, which: Which = "automatic") -> tuple[Dataset, int]:
    """Mark objects as outside on the frame after they were last seen, so that no tool stretches them over frames on which they are not.

    Args:
        dataset: Its tracks hold a key frame for each frame on which the object was seen.
        most_gap: Frames from one view to the next that are still bridged; 1 bridges nothing.
        which: Tracks to look at. Those that people drew (`source` manual) have key frames that are far apart on purpose.

    Returns:
        The dataset, in which the views of these tracks are key frames, and how many were added.
    """
    key = pl.coalesce(pl.col("task") * 2, pl.col("media") * 2 + 1)
    images = dataset.images.with_columns(key=key).select("key", "frame", image="id")
    rows = dataset.annotations.filter(pl.col("track").is_not_null() & pl.col("keyframe").fill_null(value=True)).join(
        images, on="image", maintain_order="left"
    )
    views = pl.col("keyframe").is_null().all().over("track")
    drawn = (pl.col("source").cast(pl.String) == "manual").fill_null(value=True).any().over("track")
    rows = rows.filter({"views": views, "automatic": views | ~drawn, "all": pl.lit(value=True)}[which])
    rows = rows.sort("track", "frame", maintain_order=True)
    following = pl.col("frame").shift(-1).over("track")
    open_ended = ~pl.col("outside") & (following.is_null() | (following - pl.col("frame") > most_gap))
    # The next frame that the task has: numbers may be missing.
    ordered = images.sort("key", "frame").with_columns(
        next_image=pl.col("image").shift(-1).over("key"), next_frame=pl.col("frame").shift(-1).over("key")
    )
    gaps = (
        rows.with_columns(following=following)
        .filter(open_ended)
        .join(ordered.select("image", "next_image", "next_frame"), on="image", maintain_order="left")
    )
    gaps = gaps.filter(pl.col("next_image").is_not_null() & (pl.col("following").is_null() | (pl.col("next_frame") < pl.col("following"))))
    highest = int(dataset.annotations["id"].max() or 0)  # pyright: ignore[reportArgumentType]
    added = gaps.with_columns(
        image=pl.col("next_image"),
        id=highest + 1 + pl.int_range(pl.len(), dtype=pl.Int64),
        outside=pl.lit(value=True),
        keyframe=pl.lit(value=True),
        score=pl.lit(None, dtype=pl.Float64),
    ).select(dataset.annotations.columns)
    mended = pl.col("track").is_in(rows["track"].unique().implode()).fill_null(value=False)
    keyed = dataset.annotations.with_columns(keyframe=pl.when(mended).then(pl.col("keyframe").fill_null(value=True)).otherwise("keyframe"))
    return dataset.with_tables(annotations=pl.concat([keyed, added])), added.height
