"""Files of annotations for tasks and jobs, and data sets for projects: uploaded, then read in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.testing.cvat import storing, uploads
from burnish.testing.cvat.answers import Answer, bad_request
from burnish.testing.cvat.background import Product, Work, WorkError, places, submit
from burnish.testing.cvat.formats import IMPORTERS
from burnish.testing.cvat.permissions import find_job, find_project, find_task
from burnish.testing.cvat.records import Annotations, Job, Project, Task
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.slicing import slice_annotations
from burnish.testing.cvat.state import jobs_of
from burnish.testing.cvat.xml_reading import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.testing.cvat.calls import Call

_MODES = ("replace", "append")
_READ = "CVAT 1.1"


def import_into_task(call: Call) -> Answer:
    """POST tasks/{id}/annotations."""
    return _import(call, "task", find_task(call, call.id), "annotations")


def import_into_job(call: Call) -> Answer:
    """POST jobs/{id}/annotations."""
    return _import(call, "job", find_job(call, call.id), "annotations")


def _into_project(call: Call) -> Answer:
    return _import(call, "project", find_project(call, call.id, change=True), "dataset")


def _import(call: Call, noun: str, target: Job | Project | Task, subresource: str) -> Answer:
    folder = call.state.folder / "imports"
    if uploads.is_create(call):
        return uploads.create(call, folder)
    name = call.one("format")
    if name not in {each.name for each in IMPORTERS}:
        raise bad_request([f"Unknown input format '{name}'"])
    mode = call.one("import_mode") or "replace"
    if mode not in _MODES:
        raise bad_request([f"Invalid import_mode='{mode}'. Allowed: {', '.join(_MODES)}"])
    if uploads.is_start(call):
        return Answer(202)
    path = uploads.received(call, folder, "annotation_file")
    if path is None:
        raise bad_request(["No annotation file was uploaded"])
    work = Work(
        id=f"action=import&target={noun}&target_id={target.id}&subresource={subresource}",
        type=f"import:{subresource}",
        target=noun,
        owner=call.user,
        do=lambda: _read(call, target, name, path, append=mode == "append"),
        created=call.state.now(),
        **places(target),
    )
    return submit(call, work)


def _read(call: Call, target: Job | Project | Task, name: str, path: Path, *, append: bool) -> Product:
    if name != _READ or isinstance(target, Project):
        message = (
            f"NotImplementedError: the test server reads {_READ} into tasks and jobs, not {name} into a {type(target).__name__.lower()}"
        )
        raise WorkError(message)
    if isinstance(target, Job):
        found = read_file(path, target.task, target.frame_numbers)
        part = slice_annotations(found, target.start_frame, target.stop_frame)
        target.annotations = target.annotations if append else Annotations()
        storing.patch_job(call.state, target, part, "create")
        return Product()
    assert target.data is not None, "a task without data has no annotations to import"
    found = read_file(path, target, range(target.data.size))
    if not append:
        for job in jobs_of(call.state, target, ground_truth=False):
            job.annotations = Annotations()
    storing.patch_task(call.state, target, found, "create")
    return Product()


ROUTES = (
    Route("projects/{id}/dataset[/]", {"POST": _into_project}),
    Route("projects/{id}/dataset/{file}", {"PATCH": uploads.append, "HEAD": uploads.tell}),
)
