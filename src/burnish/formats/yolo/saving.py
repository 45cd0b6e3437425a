"""Writing YOLO: pictures in images/, label files in labels/, and data.yaml; or pictures sorted by class."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, get_args

import polars as pl
import yaml

from burnish.data.findings import finding, findings_table, join_findings
from burnish.engine.names import safe_name
from burnish.errors import ConfigError
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.placing import HowPlaced, place_media, target_paths
from burnish.formats.yolo.lines import DrawnTask, label_lines
from burnish.formats.yolo.loading import NAME, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from burnish.data.dataset import Dataset

CARRIES: Final = frozenset({"box", "polygon", "skeleton", "visibility", "split", "superclass", "colour", "priority"})
"""What label files carry, by the words of `burnish.formats.carrying`; rotation with the task obb, score when asked for."""

_KINDS: Final = frozenset({"box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton", "cuboid"})
_PLACED: Final = pl.all_horizontal(pl.col("x1", "y1", "x2", "y2").is_finite().fill_null(value=False))


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy", task: Task | None = None, scores: bool = False) -> pl.DataFrame:
    """Write a dataset for YOLO's trainers.

    Class ids become 0, 1, 2, ... in the order of the classes table; names bring them back.
    Coordinates have twelve decimals: read again, corners differ by less than a millionth of a pixel.

    Args:
        dataset: What to write.
        folder: An empty folder, or one that is not there.
        media: Whether pictures are copied, linked, or left where they are (then only labels are written).
        task: detect, segment, obb, pose, or classify (folders named as classes); by what the dataset holds where not given.
        scores: Whether lines end with the score of predictions. Trainers refuse such lines.

    Returns:
        Findings: what is not written, what is written as something simpler, renamed and missing pictures.

    Raises:
        ConfigError: There is no such task.
    """
    if task is not None and task not in get_args(Task):
        raise ConfigError(f"There is no task '{task}' of YOLO; known are {', '.join(get_args(Task))}.")
    chosen = task or suitable_task(dataset)
    if chosen == "classify":
        return _write_sorted(dataset, folder, media)
    return _write_labels(dataset, folder, media, chosen, scores=scores)


def suitable_task(dataset: Dataset) -> Task:
    """The task that loses least: pose for skeletons, segment for polygons and masks, obb for turned boxes, classify for tags alone."""
    table = dataset.annotations
    kinds = set(table["kind"].cast(pl.String).unique().to_list())
    if "skeleton" in kinds:
        return "pose"
    if kinds & {"polygon", "mask"}:
        return "segment"
    if kinds == {"tag"}:
        return "classify"
    return "obb" if bool((table["rotation"] != 0).any()) else "detect"


def _write_labels(dataset: Dataset, folder: Path, media: HowPlaced, task: DrawnTask, *, scores: bool) -> pl.DataFrame:
    targets = target_paths(dataset, below="images", by_split=True, one_stem=True)
    classes = dataset.classes
    index = classes.select(pl.col("id").alias("class")).with_row_index("index")
    sizes = dataset.scan("images", "id", "width", "height").rename({"id": "image"}).collect()
    joined = dataset.annotations.join(index, on="class", how="left", maintain_order="left")
    whole = joined.join(sizes, on="image", how="left", maintain_order="left")
    drawn = pl.col("kind").cast(pl.String).is_in(list(_KINDS))
    ready = whole.filter(drawn & _PLACED & pl.col("index").is_not_null() & pl.col("width").is_not_null() & pl.col("height").is_not_null())
    keypoints = _keypoint_count(ready, classes)
    lines = label_lines(ready, task, keypoints, scores=scores)
    _write_texts(folder, targets, lines.table)
    settings = _settings(dataset, classes, task, keypoints)
    (folder / "data.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    carried = CARRIES | _KINDS | ({"rotation"} if task in {"obb", "detect"} else set()) | ({"score"} if scores else set()) | {"parts"}
    return join_findings(
        place_media(dataset, folder, targets, media),
        not_carried(dataset, NAME, carried),
        _not_ready(whole.filter(drawn)),
        _without_split(dataset),
        lines.findings,
    )


def _without_split(dataset: Dataset) -> pl.DataFrame:
    """Where some pictures have a split, trainers do not see the others."""
    others = dataset.images.filter(pl.col("split").is_null())
    if others.height in {0, dataset.images.height}:
        return findings_table([])
    reason = (
        f"{others.height} of {dataset.images.height} pictures have no split and are in no part of data.yaml; burnish split divides all."
    )
    return findings_table([finding("no_split", reason)])


def _not_ready(rows: pl.DataFrame) -> pl.DataFrame:
    placed = rows.filter(_PLACED)
    return join_findings(
        lost_annotations(rows.filter(~_PLACED), "It has no finite corners, so it is not written."),
        lost_annotations(placed.filter(pl.col("index").is_null()), "It has no class, so it is not written."),
        lost_annotations(placed.filter(pl.col("width").is_null()), "The size of its picture is not known, so it is not written."),
    )


def _write_texts(folder: Path, targets: Mapping[int, str], lines: pl.DataFrame) -> None:
    """One file for each picture; a picture without objects has an empty one, which says that somebody looked."""
    texts = dict(lines.group_by("image", maintain_order=True).agg(pl.col("text").str.join("\n")).iter_rows())
    names = {image: f"labels/{os.path.splitext(target)[0].removeprefix('images/')}.txt" for image, target in targets.items()}  # noqa: PTH122
    for parent in {name.rpartition("/")[0] for name in names.values()}:
        (folder / parent).mkdir(parents=True, exist_ok=True)
    base = os.fspath(folder)
    for image, name in names.items():
        text = texts.get(image)
        # Path objects and text streams would take as long as all the rest.
        handle = os.open(f"{base}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            if text is not None:
                os.write(handle, (text + "\n").encode())
        finally:
            os.close(handle)


def _keypoint_count(rows: pl.DataFrame, classes: pl.DataFrame) -> int:
    drawn = rows.filter(pl.col("kind") == "skeleton")["points"].list.len().max()
    named = [len(json.loads(text).get("points", [])) for text in classes["skeleton"].drop_nulls()]
    return max([int(drawn or 0) // 2 if isinstance(drawn, int) else 0, *named])


def _settings(dataset: Dataset, classes: pl.DataFrame, task: Task, keypoints: int) -> dict[str, Any]:
    """data.yaml. It has no `path`: the folder may be moved, and trainers then take the place of the file."""
    splits = dataset.images["split"].unique(maintain_order=True).to_list()
    named = [split for split in ("train", "val", "test") if split in splits]
    named += [split for split in splits if split is not None and split not in named]
    entries = {split: f"images/{split}" for split in named} or {"train": "images", "val": "images"}
    settings: dict[str, Any] = {**entries, "names": dict(enumerate(classes["name"].to_list()))}
    skeletons = {n: json.loads(text) for n, text in enumerate(classes["skeleton"]) if text is not None}
    if task == "pose":
        settings["kpt_shape"] = [keypoints, 3]
        settings["kpt_names"] = {number: skeleton.get("points", []) for number, skeleton in skeletons.items() if skeleton.get("points")}
    own: dict[str, Any] = {} if named else {"undivided": True}
    if task == "obb":
        own["task"] = task
    if details := _class_details(classes):
        own["classes"] = details
    whole = dataset.extras.filter((pl.col("format") == NAME) & (pl.col("table") == "dataset"))["value"].to_list()
    kept = {key: value for text in reversed(whole) for key, value in json.loads(text).items()}
    return {**settings, **kept, **({"burnish": own} if own else {})}


def _class_details(classes: pl.DataFrame) -> dict[int, dict[str, Any]]:
    """What data.yaml has no key for, and trainers pass over."""
    usual = {"superclass": None, "colour": None, "priority": 0, "skeleton": None}
    rows = classes.select(*usual).iter_rows(named=True)
    details = {number: {key: value for key, value in row.items() if value != usual[key]} for number, row in enumerate(rows)}
    return {number: fields for number, fields in details.items() if fields}


def _write_sorted(dataset: Dataset, folder: Path, media: HowPlaced) -> pl.DataFrame:
    """SPLIT/CLASS/picture by the first tag of each picture."""
    tags = dataset.annotations.filter((pl.col("kind") == "tag") & pl.col("class").is_not_null())
    first = tags.unique("image", keep="first", maintain_order=True)
    names = dataset.class_names()
    folders = {image: safe_name(names[number]) for image, number in first.select("image", "class").iter_rows()}
    splits = dict(dataset.scan("images", "id", "split").collect().iter_rows())
    for split in dict.fromkeys(splits.values()):
        for name in dataset.classes["name"]:
            (folder / (split or "") / safe_name(name)).mkdir(parents=True, exist_ok=True)
    whole = target_paths(dataset)
    targets = _sorted_targets({image: (splits[image], name, whole[image]) for image, name in folders.items()})
    untagged = dataset.images.filter(~pl.col("id").is_in(list(folders)))
    more = tags.filter(~pl.col("id").is_in(first["id"].implode()))
    return join_findings(
        place_media(dataset, folder, targets, media),
        not_carried(dataset, NAME, {"tag", "split"}),
        lost_annotations(more, "A picture lies in one folder: a second label is not written."),
        lost_annotations(tags.filter(pl.col("class").is_null()), "It has no class, so it is not written."),
        lost_annotations(
            untagged.with_columns(image="id", id=pl.lit(None, dtype=pl.Int64)), "The picture has no label, so no folder takes it."
        ),
    )


def _sorted_targets(wanted: Mapping[int, tuple[str | None, str, str]]) -> dict[int, str]:
    """Pictures keep their own name in the class's folder; where two would meet, the path becomes part of the name."""
    plain = {image: "/".join([*filter(None, (split, name)), path.rpartition("/")[2]]) for image, (split, name, path) in wanted.items()}
    twice = _repeated(plain.values())
    return {
        image: "/".join([*filter(None, (split, name)), safe_name(path)]) if plain[image].casefold() in twice else plain[image]
        for image, (split, name, path) in wanted.items()
    }


def _repeated(paths: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {key for path in paths if (key := path.casefold()) in seen or seen.add(key)}  # type: ignore[func-returns-value]
