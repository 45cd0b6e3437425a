"""Writing MOT: a sequence for each task, with tracks on every frame on which they are seen."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.tracks import interpolate
from burnish.engine.files import write_text
from burnish.errors import DataError
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.decimals import decimal_text, exact, minus
from burnish.formats.mot.layout import DETECTIONS, INFO, LABELS, PICTURES, TRUTH
from burnish.formats.placing import HowPlaced, distinct_paths, place_media

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.data.dataset import Dataset

CARRIES: Final = frozenset({"box", "track", "task", "tasks", "scene"})
"""Scores go with boxes that are no tracks (det.txt), and the attributes `visibility` and `ignored` with the others (gt.txt)."""

_ATTRIBUTES: Final = ("visibility", "ignored")
_CORNERS: Final = ("x1", "y1", "x2", "y2")
_USUAL_FPS: Final = 30.0


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write each task as a sequence; a dataset without tasks, or with one, is a sequence in the folder itself.

    Boxes with a track or a class go to gt.txt (without a track under the id -1), boxes with a score and neither to det.txt.

    Returns:
        Findings on what MOT cannot hold.
    """
    shown = interpolate(dataset)
    names = dict(dataset.tasks.select("id", "name").iter_rows())
    tasks = shown.images["task"].unique(maintain_order=True).to_list()
    folders = distinct_paths({place: names.get(task) or "sequence" for place, task in enumerate(tasks)})
    found: list[pl.DataFrame] = []
    for place, task in enumerate(tasks):
        home = folder if len(tasks) == 1 else folder / folders[place].replace("/", "_")
        images = shown.images.filter(pl.col("task").eq_missing(task))
        found.append(_write_sequence(shown, images, home, names.get(task) or home.name, media))
    return join_findings(*found, _losses(dataset))


def _write_sequence(shown: Dataset, images: pl.DataFrame, home: Path, name: str, media: HowPlaced) -> pl.DataFrame:
    # Pictures without tasks all have the frame 0; they are then counted in the order of the table.
    numbered = images if images["task"].null_count() == 0 else images.with_columns(frame=pl.int_range(pl.len()).cast(pl.Int64))
    frames = dict(numbered.select("id", "frame").iter_rows())
    part = shown.with_tables(images=images, annotations=_written(shown, images))
    classes = {number: place for place, number in enumerate(shown.classes["id"].to_list(), start=1)}
    truth, found = _lines(part, frames, classes)
    write_text(home / TRUTH, "".join(truth))
    write_text(home / LABELS, "".join(f"{label}\n" for label in shown.classes["name"].to_list()))
    if found:
        write_text(home / DETECTIONS, "".join(found))
    files = part.image_files().filter(pl.col("kind") == "image")
    targets = {i: f"{PICTURES}/{frames[i] + 1:06d}{PurePosixPath(path).suffix}" for i, path in files.select("image", "path").iter_rows()}
    write_text(home / INFO, _info(part, name, max(frames.values(), default=-1) + 1))
    return join_findings(place_media(part, home, targets, media, numbered=True), _unplaced(images, targets, name))


def _unplaced(images: pl.DataFrame, targets: Mapping[int, str], name: str) -> pl.DataFrame:
    number = images.height - len(targets)
    reason = f"{number} frames of '{name}' are no picture files, so that {PICTURES}/ does not hold them; extract the video's frames there."
    return findings_table([finding("not_carried", reason)] if number else [])


def _written(dataset: Dataset, images: pl.DataFrame) -> pl.DataFrame:
    here = pl.col("image").is_in(images["id"].implode())
    whole = pl.all_horizontal(pl.col(*_CORNERS).is_not_null())
    return dataset.annotations.filter(here & whole & (pl.col("kind") == "box") & ~pl.col("outside"))


def _lines(part: Dataset, frames: Mapping[int, int], classes: Mapping[int, int]) -> tuple[list[str], list[str]]:
    """Lines of gt.txt and of det.txt, each in the order of frames."""
    rows = part.annotations.with_columns(frame=pl.col("image").replace_strict(frames, return_dtype=pl.Int64)).sort(
        "frame", maintain_order=True
    )
    told: dict[int, dict[str, str]] = {}
    for annotation, name, value in part.attributes.select("annotation", "name", "value").iter_rows():
        told.setdefault(annotation, {})[name] = value
    truth: list[str] = []
    found: list[str] = []
    for row in rows.to_dicts():
        start = f"{row['frame'] + 1},{-1 if row['track'] is None else row['track']},{_place(row)}"
        if _is_detection(row):
            found.append(f"{start},{row['score']!r},-1,-1,-1\n")
            continue
        own = told.get(row["id"], {})
        flag = 0 if own.get("ignored", "").lower() in {"true", "1"} else 1
        truth.append(f"{start},{flag},{classes.get(row['class'], -1)},{_visibility(own)}\n")
    return truth, found


def _is_detection(row: Mapping[str, Any]) -> bool:
    return row["track"] is None and row["class"] is None and row["score"] is not None


def _visibility(own: Mapping[str, str]) -> str:
    try:
        return decimal_text(exact(own["visibility"])) if "visibility" in own else "1"
    except DataError:
        return "1"


def _place(row: Mapping[str, Any]) -> str:
    x1, y1, x2, y2 = (exact(row[side]) for side in _CORNERS)
    return ",".join(decimal_text(value) for value in (x1, y1, minus(x2, x1), minus(y2, y1)))


def _info(part: Dataset, name: str, length: int) -> str:
    sizes = part.images.select("width", "height").drop_nulls()
    width, height = sizes.row(0) if sizes.height else (0, 0)
    fps = part.media["fps"].drop_nulls().first()
    endings = [PurePosixPath(path).suffix for path in part.image_files()["path"]]
    told = {"name": name, "imDir": PICTURES, "frameRate": decimal_text(exact(fps if isinstance(fps, float) else _USUAL_FPS))}
    told |= {"seqLength": str(length), "imWidth": str(width), "imHeight": str(height), "imExt": endings[0] if endings else ".jpg"}
    return "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in told.items())


def _losses(dataset: Dataset) -> pl.DataFrame:
    is_detection = pl.col("track").is_null() & pl.col("class").is_null() & pl.col("score").is_not_null()
    rows = dataset.annotations.with_columns(
        score=pl.when(~is_detection).then("score"), outside=pl.col("outside") & pl.col("track").is_null()
    )
    others = dataset.attributes.filter(~pl.col("name").is_in(_ATTRIBUTES))
    boxes = dataset.annotations.filter((pl.col("kind") == "box") & pl.any_horizontal(pl.col(*_CORNERS).is_null()))
    shapeless = (
        lost_annotations(boxes, "A corner of the box is missing, so there is nothing to write.") if boxes.height else findings_table([])
    )
    return join_findings(not_carried(dataset.with_tables(annotations=rows, attributes=others), "mot", CARRIES), shapeless)
