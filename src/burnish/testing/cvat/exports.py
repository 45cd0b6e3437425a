"""Exports of jobs, tasks and projects: asked for, made in the background, downloaded."""

from __future__ import annotations

import uuid
import zipfile
from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer, bad_request, gone
from burnish.testing.cvat.background import Product, Work, WorkError, places, produced_file, submit
from burnish.testing.cvat.fields import as_bool
from burnish.testing.cvat.formats import EXPORTERS
from burnish.testing.cvat.frames import picture_bytes
from burnish.testing.cvat.other_formats import WRITTEN, export_other
from burnish.testing.cvat.permissions import find_job, find_project, find_task
from burnish.testing.cvat.records import Job, Project, Task
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import file_stamp, tasks_of
from burnish.testing.cvat.xml_writing import FLAVOURS, export_xml, first_numbers, picture_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.testing.cvat.calls import Call

    Target = Job | Project | Task


def _export(call: Call, noun: str, target: Target) -> Answer:
    name = call.one("format")
    if name not in {each.name for each in EXPORTERS}:
        raise bad_request(["Unknown format specified for the request"])
    with_images = as_bool(call.one("save_images"))
    subresource = "dataset" if with_images else "annotations"
    spelled = name.replace(" ", "_").replace(".", "~")
    work = Work(
        id=f"action=export&target={noun}&target_id={target.id}&user_id={call.user.id}&format={spelled}&subresource={subresource}",
        type=f"export:{subresource}",
        target=noun,
        owner=call.user,
        do=lambda: _written(call, target, name, with_images=with_images, filename=filename),
        format=name,
        download=call.url(f"{noun}s/{target.id}/dataset/download"),
        created=call.state.now(),
        **places(target),
    )
    filename = call.one("filename") or f"{noun}_{target.id}_{subresource}_{file_stamp(target.updated)}_{name.lower()}.zip"
    return submit(call, work)


def _written(call: Call, target: Target, name: str, *, with_images: bool, filename: str) -> Product:
    path = call.state.folder / "exports" / f"{uuid.uuid4()}.zip"
    path.parent.mkdir(exist_ok=True)
    if name in WRITTEN and not isinstance(target, Job):
        export_other(call.state, target, name, path, with_images=with_images)
        return Product(path, filename)
    if name not in FLAVOURS:
        message = f"NotImplementedError: the test server does not write {name} of a {type(target).__name__.lower()}"
        raise WorkError(message)
    xml = export_xml(call, target, name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("annotations.xml", xml)
        if with_images:
            _add_pictures(file, target, call)
    return Product(path, filename)


def _add_pictures(file: zipfile.ZipFile, target: Target, call: Call) -> None:
    tasks = tasks_of(call.state, target) if isinstance(target, Project) else [target if isinstance(target, Task) else target.task]
    starts = first_numbers(call.state, target) if isinstance(target, Project) else {}
    for task in tasks:
        if task.data is None:
            continue
        folder = f"images/{task.subset}/" if isinstance(target, Project) and task.subset else "images/"
        numbers = target.frame_numbers if isinstance(target, Job) else range(task.data.size)
        for number in numbers:
            if number not in task.data.deleted_frames:
                content, _ = picture_bytes(task.data, number)
                suffix = ".PNG" if task.data.is_video else ""
                file.writestr(f"{folder}{picture_name(task.data, number, starts.get(task.id, 0))}{suffix}", content)


def _of_task(call: Call) -> Answer:
    return _export(call, "task", find_task(call, call.id))


def _of_job(call: Call) -> Answer:
    return _export(call, "job", find_job(call, call.id))


def _of_project(call: Call) -> Answer:
    return _export(call, "project", find_project(call, call.id))


def _download(find: Callable[[Call, int], Target]) -> Callable[[Call], Answer]:
    def download(call: Call) -> Answer:
        find(call, call.id)
        return produced_file(call, "export:")

    return download


def _old_way(call: Call) -> Answer:
    noun = call.path.split("/")[2]
    raise gone(noun, images=True)


ROUTES = (
    Route("tasks/{id}/dataset", {"GET": _old_way}),
    Route("jobs/{id}/dataset", {"GET": _old_way}),
    Route("tasks/{id}/dataset/export", {"POST": _of_task}),
    Route("jobs/{id}/dataset/export", {"POST": _of_job}),
    Route("projects/{id}/dataset/export", {"POST": _of_project}),
    Route("tasks/{id}/dataset/download", {"GET": _download(find_task)}),
    Route("jobs/{id}/dataset/download", {"GET": _download(find_job)}),
    Route("projects/{id}/dataset/download", {"GET": _download(find_project)}),
)
