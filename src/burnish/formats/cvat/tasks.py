"""Tasks for datasets that have none: one for each video, and one for the pictures of each split."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data import tables
from burnish.data.schema import TASKS

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

SUBSETS: Final = {"train": "Train", "val": "Validation", "valid": "Validation", "validation": "Validation", "test": "Test"}
"""CVAT's usual names of subsets for the usual names of splits."""

SPLITS: Final = {"train": "train", "validation": "val", "val": "val", "test": "test"}
"""The usual names of splits for CVAT's names of subsets, in lower case."""


def with_tasks(dataset: Dataset) -> Dataset:
    """The dataset with every picture in a task; what is in one already stays there.

    Frames of a video keep their order, pictures that of the table. A task is named after the video, or the dataset's folder and the split.
    """
    images = dataset.images
    if images["task"].null_count() == 0:
        return dataset
    kinds = dataset.media.select(media="id", kind=pl.col("kind").cast(pl.String), path="path")
    free = images.with_row_index("place").filter(pl.col("task").is_null()).join(kinds, on="media", how="left", maintain_order="left")
    moving = pl.col("kind") != "image"
    key = pl.struct(video=pl.when(moving).then(pl.col("media")), split=pl.when(~moving).then(pl.coalesce("split", "subset")))
    groups = free.with_columns(key=key).with_columns(group=pl.col("key").rank("dense"))
    first_free = int(dataset.tasks["id"].max() or -1) + 1 if dataset.tasks.height else 0  # pyright: ignore[reportArgumentType]
    order = groups.group_by("group", maintain_order=True).agg(
        pl.col("kind").first(), pl.col("path").first(), pl.col("split").first(), pl.col("subset").first()
    )
    numbers = {group: first_free + place for place, group in enumerate(order["group"])}
    name = dataset.root.resolve().name or "dataset"
    rows = [_task_row(numbers[row["group"]], row, name, alone=order.height == 1) for row in order.to_dicts()]
    placed = groups.select(
        "id",
        new_task=pl.col("group").replace_strict(numbers, return_dtype=pl.Int64),
        new_frame=pl.when(pl.col("kind") != "image").then(pl.col("frame")).otherwise(pl.int_range(pl.len()).over("group")),
    )
    joined = images.join(placed, on="id", how="left", maintain_order="left")
    changed = joined.with_columns(task=pl.coalesce("task", "new_task"), frame=pl.coalesce("new_frame", "frame")).drop(
        "new_task", "new_frame"
    )
    return dataset.with_tables(images=changed, tasks=pl.concat([dataset.tasks, tables.from_rows(TASKS, rows)]))


def subset_of(told: str | None, splits: list[str | None]) -> tuple[str | None, bool]:
    """The subset of a task whose pictures lie in some splits, and whether it says as much as the splits do."""
    distinct = set(splits)
    if len(distinct) != 1:
        return told, not distinct or distinct == {None}
    split = distinct.pop()
    if split is None or SPLITS.get(str(told).lower()) == split:
        return told, split is not None or SPLITS.get(str(told).lower()) is None
    return SUBSETS.get(split.lower(), split), SPLITS.get(SUBSETS.get(split.lower(), split).lower()) == split


def _task_row(number: int, row: dict[str, Any], name: str, *, alone: bool) -> dict[str, Any]:
    split = row["split"] or row["subset"]
    if row["kind"] != "image":
        return {"id": number, "name": PurePosixPath(row["path"]).stem, "subset": row["split"]}
    title = name if alone and not split else f"{name} {split}" if split else name
    return {"id": number, "name": title, "subset": SUBSETS.get(str(split).lower(), split) if split else None}
