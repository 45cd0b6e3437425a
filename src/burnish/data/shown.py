"""What a dataset shows: tracks on every frame, without what its tasks hide. That is drawn, counted, trained on and exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from burnish.data.skeletons import in_one_row
from burnish.data.tracks import interpolate

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset


def shown(dataset: Dataset) -> Dataset:
    """The dataset as people see it in the annotation tool.

    Deleted frames and the objects of ground-truth jobs are left out, tracked objects stand on every frame on which they are visible
    (`burnish.data.tracks.interpolate`), and a skeleton's elements are the points of one row. A dataset without any of these stays as it is.
    """
    views = without_deleted(interpolate(without_ground_truth(dataset)))
    # They are views, no longer key frames: shown again, nothing may be stretched over what was cut off here.
    return in_one_row(views.with_tables(annotations=views.annotations.with_columns(keyframe=pl.lit(None, dtype=pl.Boolean))))


def without_ground_truth(dataset: Dataset) -> Dataset:
    """Leave out what lies in ground-truth jobs only: it repeats the others' objects, to measure them by."""
    truth = dataset.jobs.filter(pl.col("kind").cast(pl.String) == "ground_truth")
    if truth.is_empty():
        return dataset
    owners = dataset.images.select("task", image="id")
    rows = dataset.annotations.with_row_index("row").join(owners, on="image", how="left", maintain_order="left")
    held = rows.select("row", "task", number="jobs").explode("number", empty_as_null=True, keep_nulls=True)
    judged = held.join(truth.select("task", "number", truth=pl.lit(value=True)), on=["task", "number"], how="left")
    only = judged.group_by("row").agg(pl.col("truth").fill_null(value=False).all()).filter("truth")["row"]
    return with_annotations(dataset, rows.filter(~pl.col("row").is_in(only.implode())).drop("row", "task"))


def without_deleted(dataset: Dataset) -> Dataset:
    """Leave out the frames that a task hides, with the objects on them.

    Interpolate first: key frames on hidden frames may carry what belongs to their whole track.
    """
    gone = dataset.images.filter("deleted")["id"]
    if gone.is_empty():
        return dataset
    rows = dataset.annotations.filter(~pl.col("image").is_in(gone.implode()))
    return with_annotations(dataset, rows).with_tables(images=dataset.images.filter(~pl.col("deleted")))


def with_annotations(dataset: Dataset, rows: pl.DataFrame) -> Dataset:
    """The dataset with fewer annotations, and no attributes of those that are gone."""
    attributes = dataset.attributes.filter(pl.col("annotation").is_in(rows["id"].implode()))
    return dataset.with_tables(annotations=rows, attributes=attributes)
