"""Masks learnt from boxes alone: the boxes of the training part, moved with their pictures, on their way to the loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import ConfigError, DataError, extra
from burnish.geometry import boxes as upright
from burnish.train.loaders.placement import place_boxes
from burnish.train.policies.boxes import crowd_code, told, true_boxes

with extra("train"):
    from burnish.train.losses.box_supervised import Boxed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from burnish.train.loaders.placement import Place
    from burnish.train.policies.boxes import Truth
    from burnish.train.policies.examples import Examples
    from burnish.train.samples import Sample

_CORNERS = ("x1", "y1", "x2", "y2")
_BELOW = {"kind": "box", "rotation": 0.0, "points": None, "parts": None, "mask": None}


def without_masks(examples: Examples) -> tuple[Examples, tuple[Truth, ...]]:
    """Examples of which the training part has upright boxes instead of what was drawn, and the boxes of every picture.

    Objects without a class stay as they are: they count for nothing. The other parts keep their masks, to measure by.

    Raises:
        ConfigError: Classes exclude one another, which boxes cannot teach.
        DataError: Masks are soft, so that no boxes are known.
    """
    if examples.mode == "multiclass":
        raise ConfigError("Boxes teach each class by itself, as they overlap. Set data.mode to multilabel, or leave it out.")
    if any(examples.beliefs[row] for row in examples.part("train")):
        raise DataError(
            "The training pictures have soft masks, which have no boxes. Name a dataset with boxes, or set data.boxes to false."
        )
    known = {image: [row for row in rows if row["class"] in examples.numbers] for image, rows in examples.rows.items()}
    truths, notes = true_boxes(replace(examples, rows=known))
    rows = dict(examples.rows)
    for place in examples.part("train").tolist():
        void = [row for row in examples.rows_of(place) if row["class"] is None]
        rows[int(examples.images[place])] = [*map(_as_box, truths[place].rows, truths[place].boxes.tolist()), *void]
    boxes = replace(examples, rows=rows)
    some = sum(len(truths[place].codes) for place in examples.part("train"))
    taught = f"Masks are learnt from {some:,} boxes alone"
    by = "masks" if validates_with_masks(boxes) else "the loss, for there are no masks to validate with: the IoU is that with filled boxes"
    return told(boxes, [*notes, f"{taught}; the best weights are chosen by {by}."]), truths


def validates_with_masks(examples: Examples) -> bool:
    """Whether a picture of the validation part shows more than boxes."""
    part = examples.part("val").tolist()
    return any(examples.beliefs[place] or any(row["kind"] != "box" for row in examples.rows_of(place)) for place in part)


def with_boxes(sample: Sample, truth: Truth, place: Place) -> Sample:
    """A sample with the boxes and classes of its objects, crowds too, where they lie now."""
    height, width = place.size
    boxes = upright.clip(place_boxes(truth.boxes, place), width, height).astype(np.float32)
    kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    classes = np.where(truth.codes < 0, crowd_code(truth.codes), truth.codes)
    return replace(sample, boxes=boxes[kept], classes=classes[kept])


def boxed(pictures: Tensor, samples: Sequence[Sample]) -> Boxed:
    """The pictures of a batch with the boxes of its samples."""
    nothing = np.empty((0, 4), np.float32), np.empty(0, np.int64)
    boxes = [nothing[0] if sample.boxes is None else sample.boxes for sample in samples]
    classes = [nothing[1] if sample.classes is None else sample.classes for sample in samples]
    return Boxed(pictures, tuple(boxes), tuple(classes))


def _as_box(row: Any, corners: list[float]) -> dict[str, Any]:
    return {**row, **_BELOW, **dict(zip(_CORNERS, corners, strict=True))}
