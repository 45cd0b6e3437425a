"""Backups of tasks and projects: written in the background, downloaded, uploaded, restored under new numbers."""

from __future__ import annotations

import json
import uuid
import zipfile
from typing import TYPE_CHECKING

from burnish.testing.cvat import storing, uploads
from burnish.testing.cvat.answers import Answer, RefusalError, bad_request
from burnish.testing.cvat.background import Product, Work, WorkError, places, produced_file, submit
from burnish.testing.cvat.manifests import manifest_lines
from burnish.testing.cvat.naming import label_fields, with_names
from burnish.testing.cvat.permissions import find_project, find_task
from burnish.testing.cvat.restoring import restore_project, restore_task
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import file_stamp, jobs_of, tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from burnish.testing.cvat.calls import Call
    from burnish.testing.cvat.records import Project, Task
    from burnish.testing.cvat.state import State


def _export(call: Call, noun: str, target: Project | Task) -> Answer:
    filename = call.one("filename") or f"{noun}_{target.name.lower()}_backup_{file_stamp(target.updated)}.zip"
    work = Work(
        id=f"action=export&target={noun}&target_id={target.id}&user_id={call.user.id}&subresource=backup",
        type="export:backup",
        target=noun,
        owner=call.user,
        do=lambda: Product(write_backup(call.state, target), filename),
        download=call.url(f"{noun}s/{target.id}/backup/download"),
        created=call.state.now(),
        **places(target),
    )
    return submit(call, work)


def write_backup(state: State, target: Project | Task) -> Path:
    """Write the zip of a task or of a project with its tasks; gives its place.

    Raises:
        WorkError: A task has no data.
    """
    path = state.folder / "exports" / f"{uuid.uuid4()}.zip"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        if target.id in state.tasks and state.tasks[target.id] is target:
            _write_task(state, file, "", state.tasks[target.id])
        else:
            _write_project(state, file, state.projects[target.id])
    return path


def _write_project(state: State, file: zipfile.ZipFile, project: Project) -> None:
    labels = [label_fields(label) for label in project.labels]
    about = {"name": project.name, "bug_tracker": project.bug_tracker, "status": "annotation", "labels": labels, "version": "1.0"}
    file.writestr("project.json", json.dumps(about))
    for place, task in enumerate(tasks_of(state, project)):
        _write_task(state, file, f"task_{place}/", task)


def _write_task(state: State, file: zipfile.ZipFile, folder: str, task: Task) -> None:
    data = task.data
    if data is None or not data.ready:
        message = "rest_framework.exceptions.ValidationError: a task without data cannot be backed up"
        raise WorkError(message)
    jobs = jobs_of(state, task)
    about = {
        "name": task.name,
        "bug_tracker": task.bug_tracker,
        "status": "annotation",
        "subset": task.subset,
        "labels": [label_fields(label) for label in task.labels],
        "version": "1.0",
        "data": {
            "chunk_size": data.chunk_size,
            "image_quality": data.image_quality,
            "start_frame": data.start_frame,
            "stop_frame": data.stop_frame,
            "storage_method": data.storage_method,
            "sorting_method": data.sorting_method,
            "chunk_type": data.compressed_chunk_type,
            "deleted_frames": data.deleted_frames,
            "storage": "local",
            **({"frame_filter": data.frame_filter} if data.frame_filter else {}),
        },
        "jobs": [
            {
                "status": job.status,
                "type": job.type,
                "start_frame": job.start_frame,
                "stop_frame": job.stop_frame,
                **({"frames": job.frames} if job.frames is not None else {}),
            }
            for job in jobs
        ],
    }
    file.writestr(f"{folder}task.json", json.dumps(about))
    named = [with_names(storing.as_json(storing.read_job(job)), task.labels) for job in jobs]
    file.writestr(f"{folder}annotations.json", json.dumps(named))
    for source in sorted(data.folder.iterdir()):
        file.write(source, f"{folder}data/{source.name}")
    file.writestr(f"{folder}data/manifest.jsonl", "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in manifest_lines(data)))


def _import(call: Call, noun: str, restore: Callable[[Call, zipfile.ZipFile], int]) -> Answer:
    folder = call.state.folder / "imports"
    if uploads.is_start(call):
        return Answer(202)
    if uploads.is_create(call):
        return uploads.create(call, folder)
    path = uploads.received(call, folder, f"{noun}_file")
    if path is None:
        raise bad_request([f"{noun}_file is missing"])
    work = Work(
        id=f"action=import&target={noun}&id={uuid.uuid4()}&subresource=backup",
        type="import:backup",
        target=noun,
        owner=call.user,
        do=lambda: _restored(call, path, restore),
        created=call.state.now(),
    )
    return submit(call, work)


def _restored(call: Call, path: Path, restore: Callable[[Call, zipfile.ZipFile], int]) -> Product:
    try:
        with zipfile.ZipFile(path) as file:
            return Product(result_id=restore(call, file))
    except zipfile.BadZipFile:
        message = "zipfile.BadZipFile: File is not a zip file"
        raise WorkError(message) from None
    except (KeyError, ValueError, TypeError) as error:
        message = f"rest_framework.exceptions.ValidationError: the backup cannot be read: {error!r}"
        raise WorkError(message) from error


def _of_task(call: Call) -> Answer:
    return _export(call, "task", find_task(call, call.id))


def _of_project(call: Call) -> Answer:
    return _export(call, "project", find_project(call, call.id))


def _download_task(call: Call) -> Answer:
    find_task(call, call.id)
    return produced_file(call, "export:backup")


def _download_project(call: Call) -> Answer:
    find_project(call, call.id)
    return produced_file(call, "export:backup")


def _import_task(call: Call) -> Answer:
    return _import(call, "task", restore_task)


def _import_project(call: Call) -> Answer:
    return _import(call, "project", restore_project)


def _old_way(call: Call) -> Answer:
    raise RefusalError(Answer(410, f"This endpoint is no longer supported: POST {call.path}/export instead."))


_PIECES = {"PATCH": uploads.append, "HEAD": uploads.tell}

ROUTES = (
    Route("tasks/backup[/]", {"POST": _import_task}),
    Route("projects/backup[/]", {"POST": _import_project}),
    Route("tasks/backup/{file}", _PIECES),
    Route("projects/backup/{file}", _PIECES),
    Route("tasks/{id}/backup", {"GET": _old_way}),
    Route("projects/{id}/backup", {"GET": _old_way}),
    Route("tasks/{id}/backup/export", {"POST": _of_task}),
    Route("projects/{id}/backup/export", {"POST": _of_project}),
    Route("tasks/{id}/backup/download", {"GET": _download_task}),
    Route("projects/{id}/backup/download", {"GET": _download_project}),
)
