"""Pictures of a dataset as training sees them in a task, and what a sample knows as annotations again, to be drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.errors import DataError
from burnish.formats.painting import PAINTED, layers_of, paint_objects
from burnish.geometry import masks, rle
from burnish.media.images import UnreadableImage, read_image
from burnish.train.augs.mirroring import mirror_pairs
from burnish.train.policies.examples import KINDS
from burnish.train.policies.predicted import labels_of_arrays
from burnish.train.samples import IGNORED, Sample

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.data.labels import Labels
    from burnish.train.augs.pipeline_settings import Task

NOT_COUNTED: Final = -2
"""Class number of drawn pixels that count for nothing."""

_MOST_CLASSES: Final = 254


@dataclass(frozen=True, slots=True, eq=False)
class TaskSamples:
    """The pictures of a dataset with what a task learns from them.

    Attributes:
        dataset: What is shown of it.
        task: What is learnt.
        images: Ids of all its pictures, which augmentations may take others from.
        paths: File of each.
        rows: Annotations of each that the task learns from; none where it has none.
        classes: Ids of the classes in order.
        points: Most points of a skeleton.
    """

    dataset: Dataset
    task: Task
    images: tuple[int, ...]
    paths: dict[int, str]
    rows: dict[int, list[dict[str, Any]]]
    classes: tuple[int, ...]
    points: int

    def sample(self, image: int) -> Sample:
        """One picture with its targets.

        Raises:
            UnreadableImage: The file is no picture.
        """
        picture = read_image(self.dataset.root / self.paths[image])
        rows = [row for row in self.rows.get(image, ()) if row["class"] is not None or self.task == "segmentation"]
        if self.task == "classification":
            return Sample(picture, label=self._label(rows))
        if self.task == "segmentation":
            return Sample(picture, mask=self._mask(rows, (picture.shape[1], picture.shape[0])))
        boxed = [(row, box) for row in rows if (box := _box(row)) is not None]
        numbers = np.array([row["class"] for row, _ in boxed], dtype=np.int64)
        boxes = np.array([box for _, box in boxed], dtype=np.float32).reshape(-1, 4)
        if self.task == "keypoints":
            return Sample(picture, boxes=boxes, classes=numbers, points=self._points([row for row, _ in boxed]))
        turns = np.array([row["rotation"] or 0.0 for row, _ in boxed], dtype=np.float32)
        return Sample(picture, boxes=boxes, rotations=turns if turns.any() else None, classes=numbers)

    def another(self, rng: Generator) -> Sample:
        """A picture by chance; one that cannot be read is passed over, since it is told where it is drawn itself."""
        for image in rng.permutation(self.images):
            try:
                return self.sample(int(image))
            except UnreadableImage:
                continue
        raise DataError("None of the pictures can be read. burnish check says why.")

    def labels(self, sample: Sample) -> Labels:
        """What a sample knows, as annotations."""
        size = sample.size[1], sample.size[0]
        if sample.label is not None:
            known = [(number, float(share)) for number, share in zip(self.classes, sample.label, strict=True) if share > 0]
            shares = [share if share < 1 else np.nan for _, share in known]
            return labels_of_arrays("tag", [number for number, _ in known], np.full((len(known), 4), np.nan), size, scores=shares)
        if sample.mask is not None:
            return self._mask_labels(sample.mask, size)
        assert sample.boxes is not None
        assert sample.classes is not None
        if sample.points is None:
            return _turned(labels_of_arrays("box", sample.classes, sample.boxes, size), sample.rotations)
        places = [one[:, :2].astype(np.float64) for one in sample.points]
        seen = [one[:, 2].astype(np.uint8) for one in sample.points]
        return labels_of_arrays("skeleton", sample.classes, sample.boxes, size, points=places, visibilities=seen)

    def _label(self, rows: list[dict[str, Any]]) -> NDArray[np.float32]:
        there = {row["class"] for row in rows}
        return np.array([float(number in there) for number in self.classes], dtype=np.float32)

    def _mask(self, rows: list[dict[str, Any]], size: tuple[int, int]) -> NDArray[np.uint8]:
        painted = paint_objects(rows, size, layers_of(self.dataset))
        values = [IGNORED if row["class"] is None else 1 + self.classes.index(row["class"]) for row in painted.rows]
        return np.array([0, *values], dtype=np.uint8)[painted.owners]

    def _points(self, rows: list[dict[str, Any]]) -> NDArray[np.float32]:
        found = np.zeros((len(rows), self.points, 3), dtype=np.float32)
        for place, row in zip(found, rows, strict=True):
            points = np.asarray(row["points"], dtype=np.float32).reshape(-1, 2)
            place[: len(points), :2] = points
            place[: len(points), 2] = 2 if row["visibility"] is None else row["visibility"]
        return found

    def _mask_labels(self, mask: NDArray[np.uint8], size: tuple[int, int]) -> Labels:
        values = [int(value) for value in np.unique(mask) if value]
        parts = [mask == value for value in values]
        numbers = [NOT_COUNTED if value == IGNORED else self.classes[value - 1] for value in values]
        codes = [rle.compress(rle.encode(part)) for part in parts]
        boxes = np.concatenate([np.zeros((0, 4)), *(masks.box(part) for part in parts)])
        return labels_of_arrays("mask", numbers, boxes, size, masks=codes)


def task_samples(dataset: Dataset, task: Task) -> TaskSamples:
    """The pictures of a dataset in a task; frames of videos are left out.

    Raises:
        DataError: There is no picture, no annotation that the task learns from, or more classes than a mask has room for.
    """
    kinds = PAINTED if task == "segmentation" else KINDS[task]
    rows = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(kinds))
    files = dataset.image_files().filter(pl.col("kind").cast(pl.String) == "image")
    if files.is_empty() or rows.is_empty():
        lacks = (
            f"annotations of kind {' or '.join(kinds)}" if files.height else "pictures (frames of videos become some with burnish convert)"
        )
        raise DataError(f"The augmentations of {task} cannot be shown: the dataset has no {lacks}.")
    classes = tuple(dataset.classes["id"].to_list())
    if task == "segmentation" and len(classes) > _MOST_CLASSES:
        raise DataError(f"There are {len(classes)} classes; a mask has room for {_MOST_CLASSES}. Choose some with classes.")
    by_image = {key[0]: part.to_dicts() for key, part in rows.partition_by("image", as_dict=True, maintain_order=True).items()}
    most = int(rows["points"].list.len().max() or 0) // 2 if task == "keypoints" else 0  # pyright: ignore[reportArgumentType] - a count
    paths = dict(files.select("image", "path").iter_rows())
    return TaskSamples(dataset, task, tuple(paths), paths, by_image, classes, most)


def mirrored_points(dataset: Dataset) -> tuple[tuple[int, int], ...]:
    """Pairs of left and right points, where all skeletons name the same ones."""
    named = {mirror_pairs(json.loads(text).get("points", ())) for text in dataset.classes["skeleton"].drop_nulls()}
    return next(iter(named)) if len(named) == 1 else ()


def _box(row: dict[str, Any]) -> list[float] | None:
    """The box of an annotation, of its points where the table has none."""
    sides = [row[side] for side in ("x1", "y1", "x2", "y2")]
    if None not in sides and np.isfinite(sides).all():
        return sides
    points = np.asarray(row["points"] or (), dtype=np.float64).reshape(-1, 2)
    if not len(points):
        return None
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def _turned(labels: Labels, rotations: NDArray[np.float32] | None) -> Labels:
    return labels if rotations is None else replace(labels, rotations=rotations.astype(np.float64))
