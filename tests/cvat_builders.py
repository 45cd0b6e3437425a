"""Backups of CVAT's tasks as hypothesis strategies and as plain files, for tests of the whole family."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from format_builders import HEIGHT, WIDTH, put_picture
from hypothesis import strategies as st

from burnish.data.dataset import Dataset

RECORDED = Path(__file__).parents[2] / "shared/cvat-recordings"

SVG = (
    '<line x1="50" y1="20" x2="50" y2="80" data-type="edge" data-node-from="1" data-node-to="2"></line>'
    '<circle r="1.5" cx="50" cy="20" data-type="element node" data-element-id="1" data-node-id="1" data-label-name="head"></circle>'
    '<circle r="1.5" cx="50" cy="80" data-type="element node" data-element-id="2" data-node-id="2" data-label-name="foot"></circle>'
)


def attribute(name: str, *, mutable: bool = False, values: Sequence[str] = ("",)) -> dict[str, Any]:
    return {"name": name, "mutable": mutable, "input_type": "text", "default_value": values[0], "values": list(values)}


def label(
    name: str, kind: str = "any", attributes: Sequence[dict[str, Any]] = (), parts: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    below = [{"name": part, "color": "#ba9109", "attributes": [], "type": "points"} for part in parts]
    return {"name": name, "color": "#ff6037", "attributes": list(attributes), "type": kind, "sublabels": below, **more}


LABELS = [
    label("car", attributes=[attribute("model"), attribute("speed", mutable=True, values=("0", "200", "5"))]),
    label("дорога & <путь>"),
    label("person", "skeleton", parts=("head", "foot"), svg=SVG),
    label("rain", "tag", attributes=[attribute("kind")]),
]

numbers = st.integers(-8, 160).map(lambda n: n / 8) | st.floats(-50, 50, allow_nan=False).map(lambda x: x + 0.0)
texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cn"]), max_size=6)
sources = st.sampled_from(["manual", "semi-auto", "auto", "file"])


@st.composite
def points_of(draw: st.DrawFn, kind: str) -> list[float]:
    """Points of one shape as CVAT's JSON holds them."""
    if kind == "rectangle":
        x, y = draw(numbers), draw(numbers)
        return [x, y, x + draw(st.integers(0, 40)) / 8, y + draw(st.integers(0, 40)) / 8]
    if kind == "ellipse":  # eighths, so that the box around it has the same digits
        cx, cy, rx, ry = (draw(st.integers(1, 80)) / 8 for _ in range(4))
        return [cx, cy, cx + rx, cy - ry]
    if kind == "mask":
        width, height = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        left, top = draw(st.integers(0, WIDTH - width)), draw(st.integers(0, HEIGHT - height))
        # Both corners are set, so that no smaller box holds the mask.
        pixels = [True, *draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))[1:]]
        pixels[-1] = True
        return [*map(float, _runs(pixels)), float(left), float(top), float(left + width - 1), float(top + height - 1)]
    pairs = {"polygon": (3, 5), "polyline": (2, 4), "points": (1, 3), "cuboid": (8, 8)}[kind]
    size = draw(st.integers(*pairs))
    return draw(st.lists(numbers, min_size=2 * size, max_size=2 * size))


def _runs(pixels: Sequence[bool]) -> list[int]:
    runs, value = [0], False
    for pixel in pixels:
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


KINDS = ("rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask")


@st.composite
def placed(draw: st.DrawFn, kind: str, **more: Any) -> dict[str, Any]:
    turned = kind in {"rectangle", "ellipse"}
    return {
        "type": kind,
        "occluded": draw(st.booleans()),
        "outside": False,
        "z_order": draw(st.integers(-2, 2)),
        "rotation": draw(st.sampled_from([0.0, 12.5, 359.125])) if turned else 0.0,
        "points": [] if kind == "skeleton" else draw(points_of(kind)),
        **more,
    }


def _told(name: str, value: str) -> dict[str, str]:
    return {"value": value, "name": name}


@st.composite
def shapes(draw: st.DrawFn, frames: int) -> dict[str, Any]:
    kind = draw(st.sampled_from([*KINDS, "skeleton"]))
    frame, group = draw(st.integers(0, frames - 1)), draw(st.integers(0, 3))
    name = "person" if kind == "skeleton" else draw(st.sampled_from(["car", "дорога & <путь>"]))
    attributes = [_told("model", draw(texts)), _told("speed", draw(texts))] if name == "car" else []
    shared = {"group": group, "source": draw(sources), "frame": frame, "attributes": attributes, "score": 1.0, "elements": []}
    found = draw(placed(kind, **shared, label=name))
    if kind == "skeleton":
        usual = {"group": 0, "source": found["source"], "frame": frame, "attributes": [], "score": 1.0}
        found["elements"] = [draw(placed("points", **usual, label=part)) | {"outside": draw(st.booleans())} for part in ("head", "foot")]
        for element in found["elements"]:
            element |= {"points": element["points"][:2], "z_order": 0}
        found["elements"][0]["outside"] = False
    return found


@st.composite
def tags(draw: st.DrawFn, frames: int) -> dict[str, Any]:
    frame, group = draw(st.integers(0, frames - 1)), draw(st.integers(0, 3))
    return {"group": group, "source": draw(sources), "frame": frame, "attributes": [_told("kind", draw(texts))], "label": "rain"}


@st.composite
def tracks(draw: st.DrawFn, frames: int) -> dict[str, Any]:
    kind = draw(st.sampled_from([*KINDS, "skeleton"]))
    name = "person" if kind == "skeleton" else draw(st.sampled_from(["car", "дорога & <путь>"]))
    at = sorted(draw(st.sets(st.integers(0, frames - 1), min_size=1, max_size=4)))
    changing = [_told("speed", draw(texts))] if name == "car" else []
    keys = [draw(placed(kind, attributes=list(changing), frame=frame)) | {"outside": draw(st.booleans())} for frame in at]
    keys[0]["outside"] = False
    fixed = [_told("model", draw(texts))] if name == "car" else []
    shared = {"frame": at[0], "group": draw(st.integers(0, 3)), "source": draw(sources)}
    found = {**shared, "attributes": fixed, "shapes": keys, "elements": [], "label": name}
    if kind == "skeleton":
        found["elements"] = [draw(_element(part, at, shared["source"])) for part in ("head", "foot")]
        for key in keys:
            key["outside"] = False
    return found


@st.composite
def _element(draw: st.DrawFn, part: str, at: Sequence[int], source: str) -> dict[str, Any]:
    keys = [draw(placed("points", attributes=[], frame=frame)) | {"outside": draw(st.booleans())} for frame in at]
    for key in keys:
        key |= {"points": key["points"][:2], "z_order": 0}
    if part == "head":
        keys[0]["outside"] = False
    return {"frame": at[0], "group": 0, "source": source, "attributes": [], "shapes": keys, "elements": [], "label": part}


@st.composite
def backups(draw: st.DrawFn) -> dict[str, Any]:
    """task.json, annotations.json and the number of frames of a task of pictures with one job."""
    frames = draw(st.integers(1, 7))
    start, step = draw(st.sampled_from([(0, 1), (0, 3), (4, 1), (5, 2)]))
    found = {
        "version": 0,
        "tags": draw(st.lists(tags(frames), max_size=2)),
        "shapes": draw(st.lists(shapes(frames), max_size=4)),
        "tracks": draw(st.lists(tracks(frames), max_size=3)),
    }
    deleted = draw(st.sampled_from([[], [], [frames - 1]])) if frames > 1 else []
    return {"task": task(frames, start=start, step=step, deleted=deleted), "annotations": [found], "frames": frames}


def task(
    frames: int, *, start: int = 0, step: int = 1, deleted: Sequence[int] = (), jobs: Sequence[dict[str, Any]] = (), **more: Any
) -> dict[str, Any]:
    """A task.json."""
    data = {"chunk_size": 36, "image_quality": 70, "start_frame": start, "stop_frame": start + step * (frames - 1)}
    data |= {"storage_method": "cache", "sorting_method": "natural", "chunk_type": "imageset", "storage": "local"}
    data |= {"deleted_frames": list(deleted), **({"frame_filter": f"step={step}"} if step > 1 else {})}
    usual = [{"status": "annotation", "type": "annotation", "start_frame": 0, "stop_frame": frames - 1}]
    told = {"name": "дорога 1", "bug_tracker": "", "status": "annotation", "subset": "Train", "labels": LABELS, "version": "1.0"}
    return {**told, "data": data, "jobs": list(jobs) or usual, **more}


def write_backup(folder: Path, found: dict[str, Any], names: Sequence[str] = ()) -> Path:
    """Write the files of a task with real pictures, of which only every so-many-th is a frame of it."""
    data = found["task"]["data"]
    step = int(data.get("frame_filter", "step=1").removeprefix("step="))
    count = data["start_frame"] + step * (found["frames"] - 1) + 1
    named = list(names) or [f"кадр_{number:03d}.png" for number in range(count)]
    for name in named:
        put_picture(folder / "data" / name)
    lines = [{"version": "1.1"}, {"type": "images"}]
    for name in named:
        stem, _, ending = name.rpartition(".")
        lines.append({"name": stem, "extension": f".{ending}", "width": WIDTH, "height": HEIGHT})
    (folder / "data/manifest.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    (folder / "task.json").write_text(json.dumps(found["task"], ensure_ascii=False), "utf-8")
    (folder / "annotations.json").write_text(json.dumps(found["annotations"], ensure_ascii=False), "utf-8")
    return folder


def meaning(dataset: Dataset, *, tracked: bool = True) -> dict[tuple[str, int], list[tuple]]:
    """What a dataset says of each frame of each task, whatever its ids; without tracks the views of one are like any other shapes."""
    names, tasks = dataset.class_names(), dict(dataset.tasks.select("id", "name").iter_rows())
    where = {i: (tasks[t], f) for i, t, f in dataset.images.select("id", "task", "frame").iter_rows()}
    attributes: dict[int, list[tuple]] = {}
    for annotation, name, value, mutable in dataset.attributes.select("annotation", "name", "value", "mutable").iter_rows():
        attributes.setdefault(annotation, []).append((name, value, *([mutable] if tracked else [])))
    rows = dataset.annotations.with_columns(pl.col("kind").cast(pl.String), pl.col("source").cast(pl.String)).to_dicts()
    order = {track: place for place, track in enumerate(dict.fromkeys(row["track"] for row in rows))}
    said: dict[tuple[str, int], list[tuple]] = {}
    told: dict[int, tuple] = {}
    columns = ("x1", "y1", "x2", "y2", "points", "visibility", "mask", "occluded", "outside", "z_order", "group", "source")
    for row in rows:
        parent = told[row["parent"]][:2] if row["parent"] in told else None
        track = (order[row["track"]], bool(row["keyframe"])) if tracked and row["track"] is not None else None
        told[row["id"]] = (names[row["class"]], row["kind"], row["rotation"] or 0.0, *(row[c] for c in columns), track, parent)
        said.setdefault(where[row["image"]], []).append((*told[row["id"]], sorted(attributes.get(row["id"], []))))
    return {place: sorted(found, key=repr) for place, found in said.items()}
