"""From the zip of a backup to a task or a project with new numbers."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from burnish.testing.cvat import storing
from burnish.testing.cvat.checking import checked
from burnish.testing.cvat.media import new_data, take_in
from burnish.testing.cvat.projects import new_project
from burnish.testing.cvat.records import GROUND_TRUTH
from burnish.testing.cvat.state import jobs_of
from burnish.testing.cvat.tasks import new_task

if TYPE_CHECKING:
    import zipfile

    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import Label, Project, Task


def restore_task(call: Call, file: zipfile.ZipFile) -> int:
    """Make the task of a backup; gives its number."""
    return _restore(call, file, "", None).id


def restore_project(call: Call, file: zipfile.ZipFile) -> int:
    """Make the project of a backup with its tasks; gives its number."""
    about = json.loads(file.read("project.json"))
    project = new_project(call, about["name"], about.get("labels", []), about.get("bug_tracker", ""))
    folders = {PurePosixPath(name).parts[0] for name in file.namelist() if name.startswith("task_")}
    for folder in sorted(folders, key=lambda name: int(name.removeprefix("task_"))):
        _restore(call, file, f"{folder}/", project)
    return project.id


def _restore(call: Call, file: zipfile.ZipFile, folder: str, project: Project | None) -> Task:
    about = json.loads(file.read(f"{folder}task.json"))
    spans = [job for job in about.get("jobs", []) if job.get("type", "annotation") == "annotation"]
    segment, overlap = _cut(spans)
    task = new_task(
        call, {**about, "labels": [] if project else about.get("labels", []), "segment_size": segment, "overlap": overlap}, project
    )
    task.data = new_data(call)
    _unpack(file, folder, task)
    settings = about["data"]
    order = _order(file, folder)
    known = {name: value for name, value in settings.items() if name not in {"sorting_method", "chunk_type"}}
    take_in(call, task, {**known, "sorting_method": "predefined" if order else "lexicographical", "upload_file_order": order})
    task.data.sorting_method = settings.get("sorting_method", "lexicographical")
    task.data.deleted_frames = settings.get("deleted_frames", [])
    task.overlap, task.segment_size = overlap, segment or task.data.size
    _annotate(call, file, folder, task)
    return task


def _cut(spans: list[Json]) -> tuple[int, int]:
    """How long the jobs are and how far they overlap."""
    if not spans:
        return 0, 0
    first = spans[0]
    size = first["stop_frame"] - first["start_frame"] + 1
    return size, first["stop_frame"] - spans[1]["start_frame"] + 1 if len(spans) > 1 else 0


def _unpack(file: zipfile.ZipFile, folder: str, task: Task) -> None:
    assert task.data is not None, "the data's folder is made before files go into it"
    for name in file.namelist():
        path = PurePosixPath(name)
        # Only the last part of a name is used: a member cannot get out of the folder.
        if name.startswith(f"{folder}data/") and path.name != "manifest.jsonl" and not name.endswith("/"):
            (task.data.folder / path.name).write_bytes(file.read(name))


def _order(file: zipfile.ZipFile, folder: str) -> list[str]:
    """The pictures in the order of the manifest; empty for a video."""
    name = f"{folder}data/manifest.jsonl"
    if name not in file.namelist():
        return []
    lines = [json.loads(line) for line in file.read(name).decode().splitlines() if line.strip()]
    return [PurePosixPath(line["name"]).name + line["extension"] for line in lines if "extension" in line]


def _annotate(call: Call, file: zipfile.ZipFile, folder: str, task: Task) -> None:
    jobs = [job for job in jobs_of(call.state, task) if job.type != GROUND_TRUTH]
    for job, found in zip(jobs, json.loads(file.read(f"{folder}annotations.json")), strict=False):
        storing.put_job(call.state, job, checked(_numbered(found, task.labels), with_ids=False))


def _numbered(found: Any, labels: list[Label], within: Label | None = None) -> Any:
    """Annotations with this server's numbers of labels and attributes in place of their names."""
    if isinstance(found, list):
        return [_numbered(each, labels, within) for each in found]
    if not isinstance(found, dict):
        return found
    label = within
    if "label" in found:
        parts = within.sublabels if within and within.sublabels else labels
        label = next((each for each in parts if each.name == found["label"]), None)
        if label is None:
            message = f"unknown label {found['label']!r}"
            raise ValueError(message)
    numbered: dict[str, Any] = {key: _numbered(value, labels, label) for key, value in found.items() if key not in {"label", "attributes"}}
    if "attributes" in found and label is not None:
        numbers = {each.name: each.id for each in label.attributes}
        numbered["attributes"] = [{"spec_id": numbers[each["name"]], "value": each["value"]} for each in found["attributes"]]
    return {**numbered, **({"label_id": label.id} if "label" in found and label else {})}
