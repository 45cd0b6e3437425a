"""The head of CVAT's XML: what the task, job or project is, and its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from burnish.testing.cvat.records import Job, Project, Task
from burnish.testing.cvat.state import jobs_of, tasks_of, with_sublabels

if TYPE_CHECKING:
    from datetime import datetime

    from burnish.testing.cvat.calls import Call
    from burnish.testing.cvat.records import Label, User


def add_meta(root: ET.Element, call: Call, target: Job | Project | Task) -> None:
    """Add version and meta."""
    _add(root, "version", "1.1")
    meta = ET.SubElement(root, "meta")
    export = f"{call.base}{call.path}"
    if isinstance(target, Project):
        _add_project(meta, call, target, export)
    else:
        task = target.task if isinstance(target, Job) else target
        about = ET.SubElement(meta, "job" if isinstance(target, Job) else "task")
        _add_task(about, call, target, export)
        _add_labels(about, task.labels)
        if isinstance(target, Task):
            _add_source(about, task)
    _add(meta, "dumped", _moment(call.state.now()))
    if isinstance(target, Job):
        _add_size(meta, target.task)


def _add_project(meta: ET.Element, call: Call, project: Project, export: str) -> None:
    about = ET.SubElement(meta, "project")
    for name, value in {"id": project.id, "name": project.name, "bugtracker": project.bug_tracker}.items():
        _add(about, name, value)
    _add(about, "created", _moment(project.created))
    _add(about, "updated", _moment(project.updated))
    tasks = ET.SubElement(about, "tasks")
    for task in tasks_of(call.state, project):
        one = ET.SubElement(tasks, "task")
        _add_task(one, call, task, export)
        _add_source(one, task)
    ET.SubElement(about, "subsets").text = "\n".join(sorted({task.subset or "default" for task in tasks_of(call.state, project)}))
    _add_user(about, "owner", project.owner)
    _add_user(about, "assignee", project.assignee)
    _add_labels(about, project.labels)


def _add_task(about: ET.Element, call: Call, target: Job | Task, export: str) -> None:
    task = target.task if isinstance(target, Job) else target
    data = task.data
    assert data is not None, "only tasks with data are exported"
    first, last = (target.start_frame, target.stop_frame) if isinstance(target, Job) else (0, data.size - 1)
    _add(about, "id", target.id)
    if isinstance(target, Task):
        _add(about, "name", task.name)
    _add(about, "size", len(target.frame_numbers) if isinstance(target, Job) else data.size)
    _add(about, "mode", task.mode)
    _add(about, "overlap", task.overlap)
    _add(about, "bugtracker", task.bug_tracker)
    _add(about, "created", _moment(task.created))
    _add(about, "updated", _moment(target.updated))
    _add(about, "subset", task.subset or "default")
    _add(about, "start_frame", data.start_frame + first * data.step)
    _add(about, "stop_frame", data.start_frame + last * data.step)
    _add(about, "frame_filter", data.frame_filter)
    segments = ET.SubElement(about, "segments")
    for job in [target] if isinstance(target, Job) else jobs_of(call.state, task, ground_truth=False):
        segment = ET.SubElement(segments, "segment")
        for name, value in {"id": job.id, "start": job.start_frame, "stop": job.stop_frame, "url": f"{export}/api/jobs/{job.id}"}.items():
            _add(segment, name, value)
    _add_user(about, "owner", task.owner)
    _add_user(about, "assignee", target.assignee)


def _add_labels(parent: ET.Element, labels: list[Label]) -> None:
    found = ET.SubElement(parent, "labels")
    for label in with_sublabels(labels):
        one = ET.SubElement(found, "label")
        for name, value in {"name": label.name, "color": label.color, "type": label.type}.items():
            _add(one, name, value)
        attributes = ET.SubElement(one, "attributes")
        for each in label.attributes:
            attribute = ET.SubElement(attributes, "attribute")
            for name in ("name", "mutable", "input_type", "default_value"):
                _add(attribute, name, getattr(each, name))
            _add(attribute, "values", "\n".join(each.values))
        if label.svg is not None:
            _add(one, "svg", _named_svg(label))
        if label.parent is not None:
            _add(one, "parent", label.parent.name)


def _named_svg(label: Label) -> str:
    svg = label.svg or ""
    for part in label.sublabels:
        svg = svg.replace(f'data-label-id="{part.id}"', f'data-label-name="{part.name}"')
    return svg


def _add_source(about: ET.Element, task: Task) -> None:
    if task.data is not None and task.data.is_video:
        _add_size(about, task)
        _add(about, "source", task.data.frames[0].name)


def _add_size(parent: ET.Element, task: Task) -> None:
    if task.data is not None and task.data.is_video:
        size = ET.SubElement(parent, "original_size")
        _add(size, "width", task.data.frames[0].width)
        _add(size, "height", task.data.frames[0].height)


def _add_user(parent: ET.Element, name: str, user: User | None) -> None:
    found = ET.SubElement(parent, name)
    if user is not None:
        _add(found, "username", user.username)
        _add(found, "email", user.email)


def _add(parent: ET.Element, name: str, value: Any) -> None:
    ET.SubElement(parent, name).text = "" if value is None else str(value)


def _moment(moment: datetime) -> str:
    return str(moment)
