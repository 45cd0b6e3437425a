"""JSON of Yandex's crowd (Tasks, formerly Toloka): polygons and rectangles in shares of the picture's sides.

```
[{"inputValues": {"frame": 7, "image": "7.jpg"},
  "outputValues": {"polygons": [{"label": "car", "shape": "polygon", "points": [{"left": 0.1, "top": 0.2}, …]}]}}]
```

Values may also stand in the object itself. `frame` is a number in the video, or in the sorted list of the pictures, that lies beside the
file; `image` names the picture itself. What was not asked for here stays in extras.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
import polars as pl

from burnish.data.findings import finding, findings_table, join_findings, no_findings
from burnish.data.schema import IMAGES, MEDIA, TASKS
from burnish.data.tables import from_rows
from burnish.engine.files import write_text
from burnish.errors import FormatError
from burnish.formats.carrying import not_carried
from burnish.formats.gathering import Gathered, add_annotation, add_extras, note, to_dataset
from burnish.formats.placing import HowPlaced, place_media, target_paths
from burnish.formats.reading import PictureTables, list_files, list_pictures, picture_tables, read_text, walk_some
from burnish.formats.video_files import video_facts
from burnish.formats.videos import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.data.dataset import Dataset

NAME: Final = "yandex"
CARRIES: Final = frozenset({"box", "polygon", "scene", "task", "tasks"})

_HEAD: Final = 4096
_FILE: Final = "annotations.json"
_FEWEST: Final = 3


class _Entry(NamedTuple):
    """One picture: its number and name, its shapes, and what else was told."""

    frame: int
    image: str
    shapes: Sequence[Any]
    others: Mapping[str, Any]


def recognise(path: Path) -> bool:
    """Whether a file or folder holds a JSON list whose entries have a frame or an image and polygons."""
    if path.is_file():
        return path.suffix.lower() == ".json" and _is_crowd(path)
    return any(entry.suffix.lower() == ".json" and entry.is_file() and _is_crowd(entry) for entry in walk_some(path))


def _is_crowd(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD).lstrip(b"\xef\xbb\xbf \r\n\t")
    except OSError:
        return False
    return head.startswith(b"[") and b'"polygons"' in head and (b'"frame"' in head or b'"image"' in head)


def read(path: Path) -> Dataset:
    """Read a file, or the one such file of a folder; the video or the pictures are looked for beside it.

    Raises:
        FormatError: There is no such file or there are several, it is no such JSON, or what its numbers count is not there.
    """
    file = path if path.is_file() else _only_file(path)
    entries = _entries(file)
    gathered = Gathered(NAME)
    pictures = _pictures(file, entries)
    sizes = {row[0]: row[1:] for row in pictures.images.select("id", "width", "height").iter_rows()}
    for number, entry in enumerate(entries, start=1):
        add_extras(gathered, "images", number, entry.others)
        for shape in entry.shapes:
            _gather(gathered, shape, number, sizes.get(number, (None, None)), f"frame {entry.frame}")
    dataset = to_dataset(gathered, file.parent, pictures, path=path)
    return dataset.with_tables(tasks=from_rows(TASKS, [{"id": 0, "name": file.stem}]))


def _only_file(folder: Path) -> Path:
    found = [folder / name for name in list_files(folder, frozenset({".json"})) if _is_crowd(folder / name)]
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:5]) or "none"
        raise FormatError(
            f"expected one JSON list of frames with polygons in this folder; found {len(found)} ({names}). Name one.", path=folder
        )
    return found[0]


def _entries(file: Path) -> list[_Entry]:
    try:
        found = orjson.loads(read_text(file))
    except orjson.JSONDecodeError as error:
        raise FormatError(f"this is no JSON, or it is cut off: {error}.", path=file) from error
    if not isinstance(found, list):
        raise FormatError("expected a JSON list with one object for each picture.", path=file)
    entries = [_entry(item, place, file) for place, item in enumerate(found)]
    return sorted(entries, key=lambda entry: entry.frame)


def _entry(item: Any, place: int, file: Path) -> _Entry:
    if not isinstance(item, dict):
        raise FormatError("this entry is no JSON object.", path=file, position=f"entry {place}")
    # The seed's files hold null where nothing was asked or answered; the values then stand in the object itself.
    given = item.get("inputValues") or item
    answered = item.get("outputValues") or given
    shapes, frame, image = answered.get("polygons"), given.get("frame"), given.get("image")
    if not isinstance(shapes, list) or not (isinstance(frame, int) or isinstance(image, str)):
        raise FormatError(
            "this entry needs a list 'polygons', and a number 'frame' or a name 'image'.", path=file, position=f"entry {place}"
        )
    known = {"inputValues", "outputValues", "frame", "image", "polygons"}
    others = {key: value for part in (item, given, answered) for key, value in part.items() if key not in known}
    return _Entry(place if frame is None else frame, str(image or ""), shapes, others)


def _pictures(file: Path, entries: Sequence[_Entry]) -> PictureTables:
    root = file.parent
    if all(entry.image for entry in entries):
        names = [_below(root, entry.image) for entry in entries]
        return _numbered(picture_tables(root, names), entries)
    videos = [name for name in list_files(root, SUFFIXES) if PurePosixPath(name).stem == file.stem] or list_files(root, SUFFIXES)
    listed = list_pictures(root)
    if len(videos) == 1:
        return _frames_of(root, videos[0], entries)
    last = max((entry.frame for entry in entries), default=0)
    if videos or last >= len(listed):
        raise FormatError(
            f"its frames count a video or pictures up to number {last}; beside it lie {len(videos)} videos and {len(listed)} pictures. "
            f"Put the one video or all pictures beside it.",
            path=file,
        )
    return _numbered(picture_tables(root, [listed[entry.frame] for entry in entries]), entries)


def _below(root: Path, image: str) -> str:
    """The picture's path where it lies there; links to servers lead to their last part."""
    name = image if "://" not in image else image.split("?", maxsplit=1)[0].rpartition("/")[2]
    inner = f"images/{name}"
    return inner if (root / inner).is_file() and not (root / name).is_file() else name


def _numbered(pictures: PictureTables, entries: Sequence[_Entry]) -> PictureTables:
    frames = pl.Series([entry.frame for entry in entries], dtype=pl.Int64)
    return pictures._replace(images=pictures.images.with_columns(task=pl.lit(0, dtype=pl.Int64), frame=frames))


def _frames_of(root: Path, video: str, entries: Sequence[_Entry]) -> PictureTables:
    facts = video_facts(root / video)
    if facts.reason:
        raise FormatError(f"shapes are shares of the video's size, which is not known. {facts.reason}", path=root / video)
    size = {side: facts.columns[side] for side in ("width", "height")}
    media = from_rows(MEDIA, [{"id": 1, "path": video, "kind": "video", **facts.columns}])
    shared = {"media": 1, "task": 0, "scene": video, **size}
    rows = [{"id": n, "frame": place, "true_frame": e.frame, **shared} for place, (n, e) in enumerate(enumerate(entries, start=1))]
    return PictureTables(media, from_rows(IMAGES, rows), no_findings())


def _gather(gathered: Gathered, shape: Any, image: int, size: tuple[int | None, int | None], where: str) -> None:
    width, height = size
    if width is None or height is None:
        note(gathered, "no_size", "Shapes are shares of the picture's sides, and its size is not known.", image=image, position=where)
        return
    try:
        kind, columns = _columns(shape, width, height)
        label = shape["label"]
    except (KeyError, TypeError, ValueError) as error:
        note(gathered, "unreadable_shape", f"This shape is no polygon or rectangle of a label: {error!r}.", image=image, position=where)
        return
    row = add_annotation(gathered, image, str(label), kind, **columns)
    known = {"label", "shape", "points", "left", "top", "width", "height"}
    add_extras(gathered, "annotations", row, {key: value for key, value in shape.items() if key not in known})


def _columns(shape: Mapping[str, Any], width: int, height: int) -> tuple[str, dict[str, Any]]:
    if shape["shape"] == "rectangle":
        left, top = float(shape["left"]), float(shape["top"])
        right, bottom = left + float(shape["width"]), top + float(shape["height"])
        return "box", {"x1": left * width, "y1": top * height, "x2": right * width, "y2": bottom * height}
    if shape["shape"] != "polygon" or len(shape["points"]) < _FEWEST:
        raise ValueError(f"shape '{shape['shape']}' with {len(shape.get('points', ()))} points")
    x = [float(point["left"]) * width for point in shape["points"]]
    y = [float(point["top"]) * height for point in shape["points"]]
    points = [value for pair in zip(x, y, strict=True) for value in pair]
    return "polygon", {"points": points, "x1": min(x), "y1": min(y), "x2": max(x), "y2": max(y)}


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write annotations.json and the pictures in images/.

    Returns:
        Findings on what it cannot hold: shapes other than boxes and polygons of one ring, and pictures without a size.
    """
    targets = target_paths(dataset, below="images")
    names, kept = dataset.class_names(), _kept(dataset)
    parts = dataset.annotations.with_columns(pl.col("kind").cast(pl.String)).partition_by("image", as_dict=True, maintain_order=True)
    lost: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for place, row in enumerate(dataset.images.to_dicts()):
        rows = parts[row["id"],].to_dicts() if (row["id"],) in parts else []
        shapes = [shape for found in rows if (shape := _shape(found, row, names, lost)) is not None]
        shapes = [{**shape, **kept.get(number, {})} for number, shape in shapes]
        image = targets[row["id"]].removeprefix("images/")
        entries.append({"inputValues": {"frame": place, "image": image}, "outputValues": {"polygons": shapes}})
    write_text(folder / _FILE, json.dumps(entries, ensure_ascii=False, indent=1))
    told = not_carried(dataset, NAME, CARRIES)
    return join_findings(place_media(dataset, folder, targets, media), findings_table(lost), told)


def _kept(dataset: Dataset) -> dict[int | None, dict[str, Any]]:
    rows = dataset.extras.filter((pl.col("format") == NAME) & (pl.col("table") == "annotations"))
    return {row: json.loads(value) for row, value in rows.select("row", "value").iter_rows()}


def _shape(
    row: Mapping[str, Any], image: Mapping[str, Any], names: Mapping[int, str], lost: list[dict[str, Any]]
) -> tuple[int, dict[str, Any]] | None:
    reason = _refusal(row, image)
    if reason:
        lost.append(finding("not_carried", reason, image=row["image"], annotation=row["id"]))
        return None
    if row["kind"] not in {"box", "polygon"}:
        return None  # told for all of its kind together
    width, height = image["width"], image["height"]
    if row["kind"] == "box":
        size = {"width": (row["x2"] - row["x1"]) / width, "height": (row["y2"] - row["y1"]) / height}
        place: dict[str, Any] = {"shape": "rectangle", "left": row["x1"] / width, "top": row["y1"] / height, **size}
    else:
        pairs = zip(row["points"][::2], row["points"][1::2], strict=True)
        place = {"shape": "polygon", "points": [{"left": x / width, "top": y / height} for x, y in pairs]}
    return row["id"], {"label": names[row["class"]], **place}


def _refusal(row: Mapping[str, Any], image: Mapping[str, Any]) -> str:
    if row["class"] is None:
        return "yandex needs a label for every shape; this one has no class and is left out."
    if not image["width"] or not image["height"]:
        return "The size of the picture is not known, and shapes are shares of it."
    if row["kind"] == "polygon" and row["parts"] and len(row["parts"]) > 1:
        return "A polygon of several rings has no place here; it is left out."
    if row["kind"] in {"box", "polygon"} and any(row[side] is None for side in ("x1", "y1", "x2", "y2")):
        return "A corner is missing, so there is nothing to write."
    return ""
