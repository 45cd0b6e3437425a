"""What an audit judges: labels of whole pictures, or of boxes by their cut-outs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.config import nearest
from burnish.data.splits import group_numbers
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset

_LEAST_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """One row for each label that is judged.

    Attributes:
        images: (n,) ids of the pictures.
        annotations: (n,) ids of the labels; -1 where a picture has none.
        labels: (n,) index into `names`; -1 where a picture has no label.
        names: The classes.
        paths: n paths relative to the dataset's root.
        boxes: (n, 4) x1, y1, x2, y2 of the cut-outs, or None where whole pictures are judged.
        scenes: (n,) number of the group that must stay together.
        splits: n names of the split, or None.
    """

    images: NDArray[np.int64]
    annotations: NDArray[np.int64]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    paths: tuple[str, ...]
    boxes: NDArray[np.float64] | None
    scenes: NDArray[np.int64]
    splits: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.images)

    def files(self, root: Path) -> list[Path]:
        """Where each item's picture lies."""
        return [root / path for path in self.paths]


def items_of(dataset: Dataset, names: Sequence[str] = ()) -> Items:
    """The labels of a dataset that can be judged: tags of whole pictures where there are any, boxes otherwise.

    Args:
        dataset: Any dataset of pictures.
        names: The classes in order; those of the dataset when none is given.

    Raises:
        DataError: There are no pictures or labels, only one class, or labels that are not among `names`.
    """
    if len(dataset) == 0:
        raise DataError(f"The dataset {dataset.root} has no pictures. Expected a folder with pictures and their labels.", table="images")
    rows = _tags(dataset)
    boxes = None
    if rows["annotation"].null_count() == rows.height:
        rows = _boxes(dataset)
        boxes = rows.select("x1", "y1", "x2", "y2").to_numpy()
    if rows.is_empty():
        raise DataError(
            f"None of the {len(dataset):,} pictures has a label or box with a class; there is nothing to judge.", table="annotations"
        )
    chosen = tuple(names) or _used_names(dataset, rows)
    labels = _indices(rows, chosen)
    _refuse_single_class(labels, chosen)
    return Items(
        images=rows["image"].to_numpy(),
        annotations=rows["annotation"].fill_null(-1).to_numpy(),
        labels=labels,
        names=chosen,
        paths=tuple(rows["path"].to_list()),
        boxes=boxes,
        scenes=group_numbers(rows["scene"].to_list()) if boxes is None else _scenes_of_boxes(rows),
        splits=tuple(rows["split"].to_list()),
    )


def _tags(dataset: Dataset) -> pl.DataFrame:
    """Every picture with its first tag, or with none."""
    tags = dataset.scan("annotations", "id", "image", "class", "kind").filter((pl.col("kind") == "tag") & pl.col("class").is_not_null())
    first = tags.unique("image", keep="first", maintain_order=True).rename({"id": "annotation"}).drop("kind").collect()
    return (
        _pictures(dataset)
        .join(first, on="image", how="left", maintain_order="left")
        .join(_names(dataset), on="class", how="left", maintain_order="left")
    )


def _boxes(dataset: Dataset) -> pl.DataFrame:
    wanted = ("id", "image", "class", "x1", "y1", "x2", "y2", "outside", "crowd")
    rows = dataset.scan("annotations", *wanted).filter(
        pl.col("class").is_not_null()
        & ~pl.col("outside")
        & ~pl.col("crowd")
        & (pl.col("x2") - pl.col("x1") >= 1)
        & (pl.col("y2") - pl.col("y1") >= 1)
    )
    boxes = rows.rename({"id": "annotation"}).drop("outside", "crowd").collect()
    pictures = _pictures(dataset).unique("image", keep="first", maintain_order=True)
    return boxes.join(pictures, on="image", how="inner", maintain_order="left").join(
        _names(dataset), on="class", how="left", maintain_order="left"
    )


def _pictures(dataset: Dataset) -> pl.DataFrame:
    files = dataset.image_files().filter(pl.col("kind") == "image").select("image", "path")
    about = dataset.images.select(pl.col("id").alias("image"), "scene", "split").unique("image", keep="first", maintain_order=True)
    return files.join(about, on="image", how="left", maintain_order="left")


def _names(dataset: Dataset) -> pl.DataFrame:
    return dataset.classes.select(pl.col("id").alias("class"), "name").unique("class", keep="first")


def _used_names(dataset: Dataset, rows: pl.DataFrame) -> tuple[str, ...]:
    used = set(rows["name"].drop_nulls())
    return tuple(name for name in dataset.classes["name"] if name in used)


def _indices(rows: pl.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
    index = {name: number for number, name in enumerate(names)}
    strange = rows.filter(pl.col("name").is_not_null() & ~pl.col("name").is_in(list(names)))
    if strange.height:
        first = strange.row(0, named=True)
        found = ", ".join(f"'{name}' ({count:,})" for name, count in strange["name"].value_counts(sort=True).head(5).iter_rows())
        raise DataError(
            f"{strange.height:,} labels are not among the {len(names)} names: {found}; the first is on {first['path']}. "
            f"{nearest(first['name'], names)} Add them to names, or correct the labels.",
            table="annotations",
        )
    return np.array([-1 if name is None else index[name] for name in rows["name"].to_list()], dtype=np.int64)


def _refuse_single_class(labels: NDArray[np.int64], names: Sequence[str]) -> None:
    used = np.unique(labels[labels >= 0])
    if len(used) < _LEAST_CLASSES:
        only = f"All {int((labels >= 0).sum()):,} labels are '{names[used[0]]}'" if len(used) else "There is no label"
        raise DataError(f"{only}; a wrong label can be found only where there are two classes or more. Copies are found by: burnish dedupe")


def _scenes_of_boxes(rows: pl.DataFrame) -> NDArray[np.int64]:
    """Boxes of one picture stay together, and so do pictures of one scene."""
    keys = [scene if scene is not None else f"\0{image}" for image, scene in rows.select("image", "scene").iter_rows()]
    return group_numbers(keys)
