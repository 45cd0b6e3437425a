"""What a task on the server becomes on disk: the folder that its backup would be, with the server's numbers of the objects beside."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import orjson

from burnish.cvat.background import run_background
from burnish.cvat.objects import LISTS, mark, specs_of, without_inner_ids
from burnish.cvat.transfer import download
from burnish.cvat.tree import Node, labels_at
from burnish.engine.archives import unpack
from burnish.engine.files import write_bytes, write_text
from burnish.engine.progress import Progress, silent
from burnish.errors import ServiceError
from burnish.formats.cvat.api import label_ids, labels_without_ids, with_names
from burnish.formats.cvat.frames import MANIFEST, manifest_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Json = dict[str, Any]

_BACKUP: Final = "task.json"


@dataclass(frozen=True, slots=True)
class Link:
    """Where a task came from.

    Attributes:
        host: Address of the server.
        organization: Short name of the organisation it lies in.
        task: The server's number.
        project: Number and name of its project, where it is in one.
        jobs: The jobs in order: number, first and last frame, type, and `known`: the content of each object (`kind id` -> mark).
    """

    host: str
    organization: str | None
    task: int
    project: tuple[int, str] | None
    jobs: Sequence[Json]

    def as_json(self) -> Json:
        """As it is kept with a dataset."""
        project = list(self.project) if self.project else None
        return {"host": self.host, "organization": self.organization, "task": self.task, "project": project, "jobs": list(self.jobs)}


def link_from(found: Mapping[str, Any]) -> Link:
    """A link as it was kept."""
    project = found.get("project")
    return Link(found["host"], found.get("organization"), found["task"], (project[0], project[1]) if project else None, found["jobs"])


def fetch_task(task: Node, folder: Path, *, media: bool, progress: Progress = silent) -> Link | None:
    """Write one task as its backup would be; None for a task without data.

    Media that are there from an earlier, interrupted try are not fetched again.

    Raises:
        ServiceError: The server refuses or does not answer.
        DataError: The disk is full.
    """
    connection = task.connection
    try:
        meta = connection.get(f"{task.path}/data/meta")
    except ServiceError as error:
        if error.status not in (400, 404):
            raise
        return None
    labels = labels_at(task)
    if media:
        _fetch_media(task, folder, str(meta.get("chunks_updated_date")), progress)
    else:
        _describe_media(task, folder, meta)
    jobs = [_job(job) for job in task.below]
    about = _task_dict(task, folder, meta, labels_without_ids(labels), jobs)
    held = [_objects(job, labels) for job in task.below]
    write_text(folder / _BACKUP, json.dumps(about, ensure_ascii=False))
    write_bytes(folder / "annotations.json", orjson.dumps(held))
    specs = specs_of(labels)
    known = [{f"{kind} {item['id']}": mark(kind, item, specs) for kind, name in LISTS.items() for item in found[name]} for found in held]
    told = [
        {"id": job.id, "start": job.about["start_frame"], "stop": job.about["stop_frame"], "type": job.about["type"], "known": each}
        for job, each in zip(task.below, known, strict=True)
    ]
    project = (task.about["project_id"], str(task.about["project_name"])) if task.about["project_id"] else None
    return Link(connection.address.host, connection.address.organization, task.id, project, told)


def read_objects(job: Node, labels: Sequence[Mapping[str, Any]]) -> Json:
    """What a job holds now, with names for labels and attributes, and with the numbers of its objects."""
    found = with_names(job.connection.get(f"{job.path}/annotations"), label_ids(labels))
    return {**found, **{name: [without_inner_ids(item) for item in found[name]] for name in LISTS.values()}}


def _objects(job: Node, labels: Sequence[Mapping[str, Any]]) -> Json:
    found = read_objects(job, labels)
    return {"version": 0, **{name: found[name] for name in LISTS.values()}}


def _job(job: Node) -> Json:
    about = job.about
    written = {name: about[name] for name in ("start_frame", "stop_frame", "type")} | {"status": about.get("status", "annotation")}
    if about["type"] == "ground_truth":
        frames = job.connection.get(f"{job.path}/data/meta").get("included_frames")
        written |= {"frames": frames} if frames is not None else {}
    return written


def _fetch_media(task: Node, folder: Path, stamp: str, progress: Progress) -> None:
    """The files as they were uploaded, which only the backup holds: originals of pictures that are turned by EXIF, and whole videos."""
    done = folder.with_suffix(".stamp")
    if folder.is_dir() and done.is_file() and done.read_text(encoding="utf-8") == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    archive = folder.with_suffix(".zip")
    label = f"task {task.id}"
    made = run_background(task.connection, f"{task.path}/backup/export", label=f"{label}: the server packs", progress=progress)
    download(task.connection, made["result_url"], archive, label=f"{label}: bytes", progress=progress)
    unpack(archive, folder, progress=progress)
    archive.unlink()
    write_text(done, stamp)


def _describe_media(task: Node, folder: Path, meta: Mapping[str, Any]) -> None:
    """The manifest that the server would write; the files themselves stay there."""
    frames: list[Json] = meta["frames"]
    if task.about["mode"] == "interpolation":
        first = frames[0]
        properties = {"name": first["name"], "resolution": [first["width"], first["height"]], "length": meta["stop_frame"] + 1}
        rows = [{"version": "1.1"}, {"type": "video"}, {"properties": properties}]
    else:
        rows = [{"version": "1.1"}, {"type": "images"}, *(_picture_line(frame) for frame in frames)]
    write_text(folder / "data" / MANIFEST, manifest_text(rows))


def _picture_line(frame: Mapping[str, Any]) -> Json:
    name = PurePosixPath(frame["name"])
    stem = str(name.with_suffix("")) if name.suffix else str(name)
    return {"name": stem, "extension": name.suffix, "width": frame["width"], "height": frame["height"]}


def _task_dict(task: Node, folder: Path, meta: Mapping[str, Any], labels: Sequence[Json], jobs: Sequence[Json]) -> Json:
    """task.json of the backup where one was fetched, with the jobs as they are now; otherwise one made from what the server says."""
    fetched: Json = {}
    with suppress(FileNotFoundError):
        fetched = json.loads((folder / _BACKUP).read_text(encoding="utf-8"))
    made: Json = {
        "name": task.name,
        "bug_tracker": task.about.get("bug_tracker") or "",
        "status": task.about.get("status", "annotation"),
        "subset": task.about.get("subset") or "",
        "version": "1.0",
    }
    data = _data_dict(task, meta)
    if "data" in fetched:
        data = {**fetched["data"], "deleted_frames": meta["deleted_frames"]}
    return {**fetched, **made, "labels": list(labels), "data": data, "jobs": list(jobs)}


def _data_dict(task: Node, meta: Mapping[str, Any]) -> Json:
    is_video = task.about["mode"] == "interpolation"
    # The server lists only the pictures that the task shows, so a range over them begins at 0; a video keeps its own numbers.
    span: Json = {"start_frame": 0, "stop_frame": meta["size"] - 1}
    if is_video:
        span = {"start_frame": meta["start_frame"], "stop_frame": meta["stop_frame"]}
        span |= {"frame_filter": meta["frame_filter"]} if meta.get("frame_filter") else {}
    return {
        "chunk_size": meta.get("chunk_size"),
        "image_quality": meta.get("image_quality", 70),
        **span,
        "storage_method": "cache",
        "storage": "local",
        "sorting_method": "lexicographical" if is_video else "predefined",
        "chunk_type": task.about.get("data_original_chunk_type") or ("video" if is_video else "imageset"),
        "deleted_frames": meta["deleted_frames"],
    }
