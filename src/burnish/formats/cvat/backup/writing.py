"""Writing CVAT's backups: what a server restores."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.job_borders import cut_at_jobs
from burnish.data.tidying import hidden_after_gaps
from burnish.engine.collector import collector_paused
from burnish.engine.files import write_bytes, write_text
from burnish.formats.carrying import not_carried
from burnish.formats.cvat.content import Content, Objects, content_of, task_objects
from burnish.formats.cvat.frames import MANIFEST, manifest_text
from burnish.formats.cvat.labels import FORM, Label, dataset_labels, label_dict
from burnish.formats.cvat.shapes import Size
from burnish.formats.cvat.tasks import subset_of, with_tasks
from burnish.formats.placing import HowPlaced, distinct_paths, place_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset

CARRIES: Final = frozenset(
    {"tag", "box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton", "cuboid"}
    | {
        "rotation",
        "parts",
        "visibility",
        "score",
        "source",
        "jobs",
        "track",
        "keyframe",
        "outside",
        "occluded",
        "z_order",
        "group",
        "parent",
    }
    | {"attributes", "colour", "skeleton", "subset", "split", "scene", "task", "deleted", "tasks", "jobs"}
)

_CHUNK: Final = 36  # frames in a piece that CVAT sends to the browser; its own default


@dataclass(frozen=True, slots=True)
class _Task:
    """One task on its way out."""

    row: Mapping[str, Any]
    told: Mapping[str, Any]
    images: pl.DataFrame
    jobs: Sequence[Mapping[str, Any]]
    folder: str


class _Span(NamedTuple):
    """The frames of a job, and whether people annotate it."""

    frames: range | frozenset[int]
    is_usual: bool


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write a backup: one task, or a project of several.

    What was read from a backup is written as it was, with what changed since. A dataset of another format becomes a task for each video and
    a task for the pictures of each split.

    Args:
        dataset: What to write; tracks as key frames.
        folder: The folder to fill.
        media: Whether pictures and videos are copied, linked or left out (CVAT restores a backup only with them).

    Returns:
        Findings on what CVAT cannot hold.
    """
    given = dataset
    dataset = hidden_after_gaps(with_tasks(dataset), which="views")[0]
    labels = dataset_labels(dataset)
    content = content_of(dataset, labels)
    tasks = _tasks(dataset)
    unread = _unread(dataset)
    with collector_paused():
        placed = [_write_task(dataset, folder, task, (labels, content, unread.get(task.row["id"], [])), media) for task in tasks]
    placed += _write_projects(dataset, folder, tasks, labels, media)
    return join_findings(*placed, findings_table(content.findings), not_carried(given, FORM, CARRIES))


def _tasks(dataset: Dataset) -> list[_Task]:
    told = extra_fields(dataset, FORM, "tasks")
    jobs = dataset.jobs.sort("task", "number").partition_by("task", as_dict=True, maintain_order=True)
    images = dataset.images.sort("frame", maintain_order=True).partition_by("task", as_dict=True, maintain_order=True)
    rows = dataset.tasks.to_dicts()
    found: list[_Task] = []
    for place, row in enumerate(rows):
        extras = told.get(row["id"], {})
        usual = "" if len(rows) == 1 else f"task_{place}"
        pictures = images[row["id"],] if (row["id"],) in images else dataset.images.clear()
        own = jobs[row["id"],].to_dicts() if (row["id"],) in jobs else []
        found.append(_Task(row, extras, pictures, own, extras.get("folder", usual) if extras else usual))
    return found


def _unread(dataset: Dataset) -> dict[int, list[dict[str, Any]]]:
    """What a reader kept because it could not be placed, by task."""
    rows = dataset.extras.filter((pl.col("format") == FORM) & (pl.col("table") == "unread"))
    found: dict[int, list[dict[str, Any]]] = {}
    for task, value in rows.select("row", "value").iter_rows():
        found.setdefault(task, []).append(json.loads(value))
    return found


def _write_task(
    dataset: Dataset, folder: Path, task: _Task, shared: tuple[tuple[Label, ...], Content, Sequence[Mapping[str, Any]]], media: HowPlaced
) -> pl.DataFrame:
    labels, content, unread = shared
    home = folder / task.folder if task.folder not in ("", ".") else folder
    frames = dict(task.images.select("id", "frame").iter_rows())
    sizes = {i: Size(w, h) for i, w, h in task.images.select("id", "width", "height").iter_rows() if w and h}
    rows = dataset.annotations.filter(pl.col("image").is_in(task.images["id"].implode()))
    jobs = task.jobs or _one_job(task)
    cut, attributes = cut_at_jobs(dataset, rows, frames, [_Span(_frames_of(job), job["kind"] == "annotation") for job in jobs])
    objects = task_objects(cut, frames, sizes, replace(content, attributes={**content.attributes, **attributes}))
    names, moved = _media_names(dataset, task)
    written = _jobs(objects, jobs, task.told.get("objects", []), unread)
    write_bytes(home / "annotations.json", orjson.dumps(written))
    write_text(home / "task.json", json.dumps(_task_dict(task, labels, jobs, is_video=_is_video(dataset, task)), ensure_ascii=False))
    write_text(home / "data" / MANIFEST, manifest_text(_manifest(dataset, task, names)))
    prefix = f"{task.folder}/" if task.folder not in ("", ".") else ""
    targets = {source: f"{prefix}data/{name}" for source, name in moved.items()}
    others = {name: name for name in task.told.get("files", []) if name not in targets}
    return join_findings(
        place_files(dataset.root, folder, targets, media), place_files(dataset.root, folder, others, media), _unmeasured(task, names)
    )


def _unmeasured(task: _Task, names: Mapping[int, str]) -> pl.DataFrame:
    """Pictures without a size, and splits that cut through a task."""
    told, said = subset_of(task.row["subset"], task.images["split"].to_list())
    if not said:
        reason = (
            f"Pictures of the task '{task.row['name']}' lie in several splits, and CVAT has one subset for each task; it stays '{told}'."
        )
        return join_findings(findings_table([finding("not_carried", reason)]), _unsized(task, names))
    return _unsized(task, names)


def _unsized(task: _Task, names: Mapping[int, str]) -> pl.DataFrame:
    rows = task.images.filter(pl.col("width").is_null() | pl.col("height").is_null())["id"].to_list()
    reason = "Its width and height are not known, and CVAT's manifest needs them."
    return findings_table(finding("no_size", reason, image=image, path=names.get(image)) for image in rows)


def _is_video(dataset: Dataset, task: _Task) -> bool:
    media = dataset.media.filter(pl.col("id").is_in(task.images["media"].unique().implode()))
    return bool((media["kind"].cast(pl.String) == "video").any())


def _media_names(dataset: Dataset, task: _Task) -> tuple[dict[int, str], dict[str, str]]:
    """Name below data/ of each picture, and of each file by its path."""
    paths = dict(dataset.media.select("id", "path").iter_rows())
    prefix = f"{task.folder}/data/" if task.folder not in ("", ".") else "data/"
    media = list(dict.fromkeys(task.images["media"].to_list()))
    wanted = {m: paths[m][len(prefix) :] if task.told and paths[m].startswith(prefix) else _own_name(paths[m]) for m in media}
    names = distinct_paths(wanted)
    return {i: names[m] for i, m in task.images.select("id", "media").iter_rows()}, {paths[m]: names[m] for m in media}


def _own_name(path: str) -> str:
    parts = [part for part in PurePosixPath(path).parts if part not in ("..", "/")]
    return "/".join(parts)


def _one_job(task: _Task) -> list[dict[str, Any]]:
    last = task.images["frame"].max()
    return [{"number": 0, "start_frame": 0, "stop_frame": int(last) if last is not None else 0, "kind": "annotation", "frames": None}]  # pyright: ignore[reportArgumentType]


def _jobs(
    objects: Objects, jobs: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]], unread: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One entry a job. What names no job goes to each job that has its frame, as the server does it."""
    written: list[dict[str, Any]] = [
        {"version": 0, **(told[place] if place < len(told) else {}), "tags": [], "shapes": [], "tracks": []} for place in range(len(jobs))
    ]
    spans = [_frames_of(job) for job in jobs]
    usual = [place for place, job in enumerate(jobs) if job["kind"] == "annotation"] or list(range(len(jobs)))
    for name, items in (("tags", objects.tags), ("shapes", objects.shapes), ("tracks", objects.tracks)):
        for held, item in items:
            places = held if held is not None else [place for place in usual if item["frame"] in spans[place]] or usual[:1]
            for place in places:
                written[min(place, len(jobs) - 1)][name].append(item)
    for item in unread:
        for kind, found in item.items():
            written[0][f"{kind}s"].append(found)
    return written


def _frames_of(job: Mapping[str, Any]) -> range | frozenset[int]:
    return frozenset(job["frames"]) if job["frames"] else range(job["start_frame"], job["stop_frame"] + 1)


def _task_dict(task: _Task, labels: Sequence[Label], jobs: Sequence[Mapping[str, Any]], *, is_video: bool) -> dict[str, Any]:
    told = task.told.get("task", {})
    given = task.told.get("labels")
    by_name = {label.own_name: label for label in labels}
    if given is None:
        shown = [label_dict(label) for label in labels]
    elif all(isinstance(label, str) for label in given):
        fresh = [name for name in by_name if name not in given and _is_new(by_name[name])]
        shown = [label_dict(by_name[name]) for name in [*given, *fresh] if name in by_name]
    else:
        shown = list(given)
    written: dict[str, Any] = {"name": task.row["name"], "bug_tracker": "", "status": "annotation", **told}
    written["subset"] = subset_of(task.row["subset"], task.images["split"].to_list())[0] or task.told.get("subset") or ""
    if not task.told.get("inherits"):
        written["labels"] = shown
    written.setdefault("version", "1.0")
    written["data"] = _data_dict(task, told.get("data"), is_video=is_video)
    extras = task.told.get("jobs", [])
    written["jobs"] = [_job_dict(job, extras[place] if place < len(extras) else {}) for place, job in enumerate(jobs)]
    return written


def _is_new(label: Label) -> bool:
    """Whether a label came from elsewhere than a backup: it is then shown in every task."""
    return not label.others and label.kind != "tag"


def _data_dict(task: _Task, told: Mapping[str, Any] | None, *, is_video: bool) -> dict[str, Any]:
    deleted = task.images.filter(pl.col("deleted"))["frame"].to_list() + task.told.get("deleted", [])
    frames = task.images["frame"]
    last = int(frames.max()) if len(frames) else 0  # pyright: ignore[reportArgumentType]
    usual: dict[str, Any] = {
        "chunk_size": _CHUNK,
        "image_quality": 70,
        "start_frame": task.row["start_frame"],
        "stop_frame": task.row["start_frame"] + last * task.row["step"],
        "storage_method": "cache",
        "sorting_method": "predefined" if not is_video else "lexicographical",
        "chunk_type": "video" if is_video else "imageset",
        "storage": "local",
    }
    if task.row["step"] > 1:
        usual["frame_filter"] = f"step={task.row['step']}"
    return {**(told or usual), "deleted_frames": sorted(deleted)}


def _job_dict(job: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    frames = {"frames": job["frames"]} if job["frames"] else {}
    return {
        "status": "annotation",
        **told,
        "type": job["kind"],
        "start_frame": job["start_frame"],
        "stop_frame": job["stop_frame"],
        **frames,
    }


def _manifest(dataset: Dataset, task: _Task, names: Mapping[int, str]) -> list[dict[str, Any]]:
    told = task.told.get("manifest", {})
    if _is_video(dataset, task):
        return [*told.get("head", _head("video")), *(told.get("lines") or [_video_properties(dataset, task, names)])]
    lines = told.get("lines")
    if lines and [
        f"{line['name']}{line.get('extension', '')}" for number, line in enumerate(lines) if number not in set(told.get("unused", []))
    ] == list(names.values()):
        return [*told["head"], *lines]
    return [*told.get("head", _head("images")), *(_picture_line(row, names[row["id"]]) for row in task.images.to_dicts())]


def _head(kind: str) -> list[dict[str, Any]]:
    return [{"version": "1.1"}, {"type": kind}]


def _picture_line(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    stem, dot, ending = name.rpartition(".")
    named = {"name": stem, "extension": dot + ending} if dot else {"name": name, "extension": ""}
    return {**named, **({"width": row["width"], "height": row["height"]} if row["width"] else {})}


def _video_properties(dataset: Dataset, task: _Task, names: Mapping[int, str]) -> dict[str, Any]:
    row = dataset.media.filter(pl.col("id") == task.images["media"][0]).row(0, named=True)
    size = [row["width"] or task.images["width"][0], row["height"] or task.images["height"][0]]
    length = row["frame_count"] or int(task.images["true_frame"].max()) + 1  # pyright: ignore[reportArgumentType]
    return {"properties": {"name": next(iter(names.values())), "resolution": size, "length": length}}


def _write_projects(
    dataset: Dataset, folder: Path, tasks: Sequence[_Task], labels: Sequence[Label], media: HowPlaced
) -> list[pl.DataFrame]:
    told = extra_fields(dataset, FORM, "projects")
    placed: list[pl.DataFrame] = []
    for row in told.values():
        home = folder / row["folder"] if row["folder"] != "." else folder
        written = {**row["project"], "labels": [label_dict(label) for label in labels]}
        write_text(home / "project.json", json.dumps(written, ensure_ascii=False))
        placed.append(place_files(dataset.root, folder, {name: name for name in row.get("files", [])}, media))
    if not told and len(tasks) > 1 and not any(task.told for task in tasks):
        name = dataset.root.resolve().name or "dataset"
        written = {
            "name": name,
            "bug_tracker": "",
            "status": "annotation",
            "labels": [label_dict(label) for label in labels],
            "version": "1.0",
        }
        write_text(folder / "project.json", json.dumps(written, ensure_ascii=False))
    return placed
