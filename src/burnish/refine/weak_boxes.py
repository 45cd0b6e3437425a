"""The boxes of weak labels, kept beside the weak masks: modes judge box by box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.data import tables
from burnish.data.dataset import make_dataset
from burnish.data.schema import ANNOTATIONS
from burnish.formats.painting import object_pixels
from burnish.formats.recognise import load_format
from burnish.geometry import boxes, masks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


Boxes = tuple["NDArray[np.float64]", "NDArray[np.int64]"]
"""(N, 4) boxes and (N,) places of their classes, from 0."""


def weak_boxes(rows: Sequence[Mapping[str, Any]], size: tuple[int, int], classes: Sequence[str]) -> Boxes:
    """The boxes of weak shapes, cut at the picture's edges: those that were drawn, and those around the parts of turned boxes and masks.

    Args:
        rows: Of the annotations table, with the names of classes.
        size: Width and height of the picture.
        classes: All names.
    """
    found = [(box, classes.index(row["class"])) for row in rows for box in _boxes_of(row, size)]
    corners = np.array([box for box, _ in found], dtype=np.float64).reshape(-1, 4)
    return corners, np.array([number for _, number in found], dtype=np.int64)


def write_boxes(folder: Path, found: Mapping[str, tuple[tuple[int, int], Boxes]], classes: Sequence[str]) -> None:
    """Write the boxes of a set as COCO JSON; `found` holds the size, width and height, and the boxes of each picture's file name."""
    ids = list(range(1, len(found) + 1))
    sizes = {side: [size[axis] for size, _ in found.values()] for axis, side in enumerate(("width", "height"))}
    paths = [f"images/{name}" for name in found]
    rows = [
        {"id": 0, "image": image, "class": int(number), "kind": "box", **dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True))}
        for image, (_, (boxes_, numbers)) in zip(ids, found.values(), strict=True)
        for corners, number in zip(boxes_.tolist(), numbers.tolist(), strict=True)
    ]
    dataset = make_dataset(
        folder,
        media=pl.DataFrame({"id": ids, "path": paths, **sizes}, schema_overrides={"id": pl.Int64, "path": pl.String}),
        images=pl.DataFrame({"id": ids, "media": ids, **sizes}, schema_overrides={"id": pl.Int64, "media": pl.Int64}),
        annotations=tables.from_rows(ANNOTATIONS, [{**row, "id": number} for number, row in enumerate(rows, start=1)]),
        classes=pl.DataFrame({"id": list(range(len(classes))), "name": list(classes)}),
    )
    load_format("coco").write(dataset, folder, media="none")


def read_boxes(folder: Path, classes: Sequence[str]) -> dict[str, Boxes]:
    """The boxes of a set by the names of its pictures, without folder and ending."""
    dataset = load_format("coco").read(folder)
    names = dataset.class_names()
    places = {number: classes.index(name) for number, name in names.items()}
    files = dict(dataset.image_files().select("image", "path").iter_rows())
    found: dict[str, Boxes] = {}
    for labels in dataset.iter_labels():
        stem = files[labels.image].rpartition("/")[2].rpartition(".")[0]
        found[stem] = labels.boxes, np.array([places[n] for n in labels.classes.tolist()], dtype=np.int64)
    return found


def _boxes_of(row: Mapping[str, Any], size: tuple[int, int]) -> Iterator[list[float]]:
    width, height = size
    if row["kind"] == "box" and not row["rotation"]:
        corners = boxes.clip([[row[side] for side in ("x1", "y1", "x2", "y2")]], width, height)
    else:
        parts = masks.components(object_pixels(row, width, height))
        corners = np.concatenate([np.zeros((0, 4)), *map(masks.box, parts)])
    yield from corners[boxes.valid(corners)].tolist()
