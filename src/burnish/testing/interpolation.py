"""Compare interpolated tracks with what a real CVAT server wrote.

Run over a folder of cases: `python -m burnish.testing.interpolation FOLDER`. A case is a JSON file with `task` (size, frames, labels),
`get` (annotations as the server's API answers) and `frames` (the shapes that the server exported on every frame, numbers rounded to two
decimals).
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.findings import no_findings
from burnish.data.schema import IMAGES, MEDIA, TASKS
from burnish.data.tables import from_rows
from burnish.data.tracks import interpolate
from burnish.errors import DataError, FormatError
from burnish.formats.cvat.api import label_ids, with_names
from burnish.formats.cvat.labels import class_rows, every_label, label_extras, read_labels
from burnish.formats.cvat.objects import TaskView, gather_objects
from burnish.formats.cvat.shapes import TYPES, Size, ellipse_points
from burnish.formats.gathering import Gathered, add_extras, to_dataset
from burnish.formats.reading import PictureTables
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from burnish.data.dataset import Dataset

_CANVAS: Final = Size(4096, 4096)
_TOLERANCE: Final = 0.0101


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went.

    Attributes:
        name: Of the case.
        frames: How many frames were compared; 0 where the server itself could not export.
        differences: What differs, frame by frame, in words; empty when equal.
        reason: Why nothing was compared, or empty.
    """

    name: str
    frames: int
    differences: tuple[str, ...]
    reason: str = ""


def compare_folder(folder: Path | str) -> list[Outcome]:
    """Compare every case of a folder.

    Raises:
        FormatError: The folder holds no case, or a file is none.
    """
    paths = [path for path in sorted(Path(folder).glob("*.json")) if path.name != "INDEX.json"]
    if not paths:
        raise FormatError("no cases here; expected JSON files with task, get and frames.", path=folder)
    return [compare_case(path) for path in paths]


def compare_case(path: Path) -> Outcome:
    """Compare one case."""
    try:
        case = json.loads(path.read_text(encoding="utf-8"))
        task, frames = case["task"], case.get("frames")
    except (ValueError, KeyError) as error:
        raise FormatError(f"this is no case of interpolation: {error!r}.", path=path) from error
    name = str(case.get("case", path.stem))
    if frames is None:
        return Outcome(name, 0, (), str(case.get("export_error") or f"the server answered {case.get('put_status')}"))
    shown = interpolate(case_dataset(task, case["get"]))
    found = {image: [_shape(row) for row in rows] for image, rows in _rows_of_images(shown)}
    deleted: set[int] = set(task.get("deleted_frames") or ())
    numbers = {frame: str(_source_frame(task, frame)) for frame in range(task["size"]) if frame not in deleted}
    differences: list[str] = []
    for frame, number in numbers.items():
        differences += _differences(number, frames.get(number, []), found.get(frame, []))
    missing = sorted(set(frames) - set(numbers.values()))
    differences += [f"frame {number}: the server wrote it, the task does not have it" for number in missing]
    return Outcome(name, len(numbers), tuple(differences))


def case_dataset(task: Mapping[str, Any], found: Mapping[str, Any]) -> Dataset:
    """A task of pictures of 4096 x 4096 pixels with the annotations of an answer of the server; picture n is frame n."""
    size = int(task["size"])
    labels = read_labels(task["labels"])
    frames = range(size)
    deleted: set[int] = set(task.get("deleted_frames") or ())
    images = from_rows(
        IMAGES,
        (
            {
                "id": f,
                "media": 0,
                "task": 0,
                "frame": f,
                "true_frame": _source_frame(task, f),
                "width": 4096,
                "height": 4096,
                "deleted": f in deleted,
            }
            for f in frames
        ),
    )
    media = from_rows(MEDIA, [{"id": 0, "path": "frames", "kind": "sequence"}])
    gathered = Gathered("cvat")
    view = TaskView(0, {f: f for f in frames}, dict.fromkeys(frames, _CANVAS), {label.own_name: label for label in labels}, "get")
    gather_objects(gathered, with_names(found, label_ids(task["labels"])), view)
    names = [label.name for label in every_label(labels)]
    extras = label_extras(labels)
    for place, name in enumerate(names):
        add_extras(gathered, "classes", place, extras[name])
    pictures = PictureTables(media, images, no_findings())
    dataset = to_dataset(gathered, Path(), pictures, path=Path("get"), declared=names, class_columns=class_rows(labels))
    start = _source_frame(task, 0)
    numbers = {"start_frame": start, "stop_frame": task.get("stop_frame"), "step": _source_frame(task, 1) - start}
    return dataset.with_tables(tasks=from_rows(TASKS, [{"id": 0, "name": "case", **numbers}]))


def _source_frame(task: Mapping[str, Any], frame: int) -> int:
    step = str(task.get("frame_filter") or "").removeprefix("step=")
    return int(task.get("start_frame") or 0) + frame * int(step or 1)


def _rows_of_images(dataset: Dataset) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Shapes of each frame in the order in which CVAT writes them: by z order, plain shapes before tracks."""
    names = dataset.class_names()
    attributes = dataset.attributes.group_by("annotation", maintain_order=True).agg("name", "value")
    told = {a: dict(zip(n, v, strict=True)) for a, n, v in attributes.iter_rows()}
    rows = dataset.annotations.filter(pl.col("kind") != "tag")
    elements = rows.filter(pl.col("parent").is_not_null()).partition_by("parent", as_dict=True, maintain_order=True)
    whole = rows.filter(pl.col("parent").is_null())
    ordered = whole.sort(pl.col("z_order"), pl.col("track").is_not_null(), maintain_order=True)
    for (image,), part in ordered.partition_by("image", as_dict=True, maintain_order=True).items():
        yield (
            int(image),
            [
                {
                    **row,
                    "label": names[row["class"]],
                    "attributes": told.get(row["id"], {}),
                    "elements": [
                        {**e, "label": names[e["class"]].rpartition("/")[2], "attributes": told.get(e["id"], {})}
                        for e in (elements[row["id"],].to_dicts() if (row["id"],) in elements else [])
                    ],
                }
                for row in part.to_dicts()
            ],
        )


def _shape(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the case files tell a shape."""
    shape: dict[str, Any] = {
        "label": row["label"],
        "type": TYPES[row["kind"]],
        "attributes": row["attributes"],
        "occluded": bool(row["occluded"]),
    }
    if row["kind"] == "ellipse":
        cx, cy, right, top = ellipse_points(row)
        shape |= {"cx": cx, "cy": cy, "rx": right - cx, "ry": cy - top}
    elif row["kind"] == "mask":
        runs = rle.to_cvat(rle.decode(rle.decompress(row["mask"]), _CANVAS.height, _CANVAS.width))
        left, top, right, bottom = runs[-4:]
        shape |= {"rle": runs[:-4], "left": left, "top": top, "width": right - left + 1, "height": bottom - top + 1}
    elif row["kind"] == "box":
        shape["points"] = [row["x1"], row["y1"], row["x2"], row["y2"]]
    elif row["kind"] == "skeleton":
        shape["elements"] = [{**_shape(element), "outside": bool(element["outside"])} for element in row["elements"]]
        del shape["occluded"]
    else:
        shape["points"] = list(row["points"])
    shape |= {"group_id": row["group"], "source": row["source"] or "manual"}
    return shape if row["parent"] is not None else shape | {"z_order": row["z_order"], "rotation": row["rotation"] or 0.0}


def _differences(number: str, expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(expected) != len(found):
        yield f"frame {number}: the server shows {len(expected)} shapes, we show {len(found)}"
        return
    for place, (one, two) in enumerate(zip(expected, found, strict=True)):
        for text in _shape_differences(one, two):
            yield f"frame {number}, shape {place} ({one['label']} {one['type']}): {text}"


def _shape_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    defaults = {"rotation": 0.0, "group_id": 0, "source": "manual", "attributes": {}, "elements": []}
    for key in sorted((expected.keys() | found.keys()) - {"track", "elements"}):
        wanted, seen = expected.get(key, defaults.get(key)), found.get(key, defaults.get(key))
        if not _alike(wanted, seen):
            yield f"{key} is {_short(wanted)} on the server, {_short(seen)} here"
    one, two = expected.get("elements", []), found.get("elements", [])
    if len(one) != len(two):
        yield f"{len(one)} elements on the server, {len(two)} here"
        return
    for first, second in zip(one, two, strict=True):
        for text in _shape_differences(first, second):
            yield f"element {first['label']}: {text}"


def _alike(one: Any, two: Any) -> bool:
    if isinstance(one, bool) or isinstance(two, bool):
        return bool(one) == bool(two)
    if isinstance(one, int | float) and isinstance(two, int | float):
        return abs(one - two) <= _TOLERANCE
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(_alike(a, b) for a, b in zip(one, two, strict=True))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return one == two


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else text[:97] + "..."  # noqa: PLR2004 - a line on a screen


def main(arguments: list[str]) -> int:
    """Tell how many cases are equal, and the first differences of those that are not; exit code 1 when some differ."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m burnish.testing.interpolation FOLDER\n")
        return 2
    try:
        outcomes = compare_folder(arguments[0])
    except (FormatError, DataError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in _told(outcomes))
    return 1 if any(outcome.differences for outcome in outcomes) else 0


def _told(outcomes: list[Outcome]) -> Iterator[str]:
    compared = [outcome for outcome in outcomes if not outcome.reason]
    for outcome in compared:
        yield from (f"{outcome.name}: {text}" for text in outcome.differences[:3])
    equal = sum(not outcome.differences for outcome in compared)
    yield f"{equal} of {len(compared)} cases equal ({sum(outcome.frames for outcome in compared):,} frames)"
    yield from (f"{outcome.name}: nothing to compare, {outcome.reason}" for outcome in outcomes if outcome.reason)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
