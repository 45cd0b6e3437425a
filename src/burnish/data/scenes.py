"""Scenes that people mark with labels: from a frame with `scene-start` to the next with `scene-finish`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from burnish.data.shown import with_annotations
from burnish.errors import DataError

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

START: Final = "scene-start"
FINISH: Final = "scene-finish"


def split_scenes(dataset: Dataset, *, start: str = START, finish: str = FINISH) -> Dataset:
    """Keep the frames of the marked scenes and name each picture's scene; the marks themselves go.

    Tasks (or, without tasks, sources) in which nothing is marked stay whole. Interpolate tracks first
    (`burnish.data.shown.shown`): key frames outside of the scenes are not kept.

    Args:
        dataset: Its marks are tags or shapes of two classes.
        start: Name of the class on the first frame of a scene.
        finish: Name of the class on its last frame.

    Raises:
        DataError: A scene starts twice, finishes without a start, or never finishes; all such places are told together.
    """
    names = {name: row for row, name in dataset.class_names().items()}
    marks = {names[name]: name for name in (start, finish) if name in names}
    if not marks:
        return dataset
    key = pl.coalesce(pl.col("task"), -1 - pl.col("media"))
    images = dataset.images.with_columns(key=key)
    rows = dataset.annotations.filter(pl.col("class").is_in(list(marks))).select("image", "class")
    placed = rows.join(images.select("key", "frame", image="id"), on="image").unique().sort("key", "frame")
    scenes: list[dict[str, int]] = []
    problems: list[str] = []
    for (task,), part in placed.partition_by("key", as_dict=True, maintain_order=True).items():
        found, wrong = _spans([(frame, marks[mark]) for frame, mark in part.select("frame", "class").iter_rows()], start, finish)
        title = dataset.tasks.filter(pl.col("id") == task)["name"].to_list()
        where = f"task '{title[0]}'" if title else f"source {-1 - int(task)}"
        problems += [f"{where}: {text}" for text in wrong]
        scenes += [{"key": int(task), "first": a, "last": b, "number": n} for n, (a, b) in enumerate(found)]
    if problems:
        raise DataError("Scenes are marked wrongly; mend the marks:\n" + "\n".join(f"  {text}" for text in problems))
    return _kept(dataset, images, pl.DataFrame(scenes, schema=dict.fromkeys(("key", "first", "last", "number"), pl.Int64)), list(marks))


def _spans(marks: list[tuple[int, str]], start: str, finish: str) -> tuple[list[tuple[int, int]], list[str]]:
    """First and last frame of each scene, and what is wrong. A frame may start and finish a scene at once."""
    spans: list[tuple[int, int]] = []
    problems: list[str] = []
    began: int | None = None
    for frame, mark in sorted(marks, key=lambda item: (item[0], item[1] != start)):
        if mark == start:
            if began is not None:
                problems.append(f"'{start}' on frame {frame}, but the scene that started on frame {began} has not finished")
            began = frame
        elif began is None:
            problems.append(f"'{finish}' on frame {frame} without a '{start}' before it")
        else:
            spans.append((began, frame))
            began = None
    if began is not None:
        problems.append(f"the scene that starts on frame {began} never finishes")
    return spans, problems


def _kept(dataset: Dataset, images: pl.DataFrame, scenes: pl.DataFrame, marks: list[int]) -> Dataset:
    marked = images.filter(pl.col("key").is_in(scenes["key"].unique().implode()))
    inside = marked.join(scenes, on="key").filter(pl.col("frame").is_between("first", "last"))
    named = inside.unique("id", keep="first").select("id", number="number")
    kept = images.join(named, on="id", how="left", maintain_order="left")
    kept = kept.filter(pl.col("number").is_not_null() | ~pl.col("id").is_in(marked["id"].implode()))
    told = (
        pl.when(pl.col("number").is_not_null())
        .then(pl.format("{}#{}", pl.col("scene").fill_null(""), pl.col("number")))
        .otherwise(pl.col("scene"))
    )
    pictures = kept.with_columns(scene=told).drop("key", "number")
    rows = dataset.annotations.filter(
        pl.col("image").is_in(pictures["id"].implode()) & ~pl.col("class").is_in(marks).fill_null(value=False)
    )
    classes = dataset.classes.filter(~pl.col("id").is_in(marks))
    return with_annotations(dataset, rows).with_tables(images=pictures, classes=classes)
