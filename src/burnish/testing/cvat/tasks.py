"""Tasks: made empty, changed, listed, deleted with their jobs and files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer, bad_request
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import Complaints, check_known, check_number, check_text
from burnish.testing.cvat.labels import change_labels, check_labels, make_labels
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.permissions import find_project, find_task, in_context, sees_task
from burnish.testing.cvat.records import GROUND_TRUTH, Task
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import jobs_of, stamp
from burnish.testing.cvat.users import brief, find_user

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import Data, Job, Project
    from burnish.testing.cvat.state import State

_CHANGEABLE = frozenset(
    {
        "name",
        "labels",
        "owner_id",
        "assignee_id",
        "bug_tracker",
        "subset",
        "project_id",
        "source_storage",
        "target_storage",
        "organization_id",
    }
)


def show_task(call: Call, task: Task, *, assigned: bool = False) -> Json:
    """A task as the API shows it; it grows when it gets data."""
    jobs = jobs_of(call.state, task)
    data = task.data
    shown: Json = {
        "url": call.url(f"tasks/{task.id}"),
        "id": task.id,
        "name": task.name,
        "project_id": task.project.id if task.project else None,
        "project_name": task.project.name if task.project else None,
        "owner": brief(call, task.owner),
        "assignee": brief(call, task.assignee),
        "bug_tracker": task.bug_tracker,
        "created_date": stamp(task.created),
        "updated_date": stamp(task.updated),
        "overlap": task.overlap,
        "segment_size": task.segment_size,
        "status": task_status(jobs),
        "guide_id": next((guide.id for guide in call.state.guides.values() if guide.task is task), None),
        "data": data.id if data else None,
        "dimension": "2d" if task.mode else "",
        "mode": task.mode,
        "media_type": "image" if task.mode else "",
        "subset": task.subset,
        "organization_id": task.organization.id if task.organization else None,
        "organization": task.organization.id if task.organization else None,
        "target_storage": None,
        "source_storage": None,
        "jobs": {
            "count": len(jobs),
            "completed": sum(job.stage == "acceptance" and job.state == "completed" for job in jobs),
            "validation": sum(job.stage == "validation" for job in jobs),
            "url": call.url(f"jobs?task_id={task.id}"),
        },
        "labels": {"url": call.url(f"labels?task_id={task.id}")},
        "assignee_updated_date": stamp(task.updated) if assigned else None,
        "validation_mode": "gt" if any(job.type == GROUND_TRUTH for job in jobs) else None,
        "consensus_enabled": False,
    }
    return {**shown, **_show_data(data)} if data else shown


def task_status(jobs: list[Job]) -> str:
    """Annotation as long as one job is there, then validation, then completed."""
    statuses = {job.status for job in jobs}
    return next((status for status in ("annotation", "validation", "completed") if status in statuses), "annotation")


def new_task(call: Call, body: Json, project: Project | None = None) -> Task:
    """An empty task, owned by the caller."""
    now = call.state.now()
    task = Task(
        id=call.state.new_id("task"),
        name=body["name"],
        owner=call.user,
        project=project,
        organization=project.organization if project else call.organization,
        own_labels=make_labels(call.state, body.get("labels", [])),
        bug_tracker=body.get("bug_tracker", ""),
        subset=body.get("subset", ""),
        segment_size=int(body.get("segment_size") or 0),
        overlap=body.get("overlap"),
        created=now,
        updated=now,
    )
    call.state.tasks[task.id] = task
    return task


def delete_task(state: State, task: Task) -> None:
    """Take a task away with its jobs, issues, guide and files."""
    jobs = jobs_of(state, task)
    state.issues = {number: issue for number, issue in state.issues.items() if issue.job not in jobs}
    state.guides = {number: guide for number, guide in state.guides.items() if guide.task is not task}
    for job in jobs:
        del state.jobs[job.id]
    if task.data is not None:
        shutil.rmtree(task.data.folder, ignore_errors=True)
    del state.tasks[task.id]


def _show_data(data: Data) -> Json:
    shown: Json = {"data_cloud_storage_id": None, "size": data.size}
    if not data.ready:
        return shown
    types = {"data_original_chunk_type": data.original_chunk_type, "data_compressed_chunk_type": data.compressed_chunk_type}
    return {**shown, **types, "data_chunk_size": data.chunk_size, "image_quality": data.image_quality}


_TASKS = Listing(
    show_task,
    {
        "id": lambda task: task.id,
        "name": lambda task: task.name,
        "project_id": lambda task: task.project.id if task.project else None,
        "project_name": lambda task: task.project.name if task.project else None,
        "owner": lambda task: task.owner.username,
        "assignee": lambda task: task.assignee.username if task.assignee else None,
        "subset": lambda task: task.subset,
        "mode": lambda task: task.mode,
        "dimension": lambda task: "2d" if task.mode else "",
        "updated_date": lambda task: stamp(task.updated),
        "tracker_link": lambda task: task.bug_tracker,
    },
    plain=frozenset({"name", "project_id", "project_name", "owner", "assignee", "subset", "mode", "dimension", "tracker_link"}),
    search=("project_name", "name", "owner", "assignee", "subset", "mode"),
)


def _list(call: Call) -> Answer:
    seen = [task for task in call.state.tasks.values() if sees_task(call, task)]
    return page(call, in_context(call, seen), _TASKS)


def _create(call: Call) -> Answer:
    body, complaints = json_body(call), Complaints()
    check_text(body, "name", complaints)
    check_number(body, "segment_size", complaints, least=0)
    check_number(body, "overlap", complaints, least=0)
    complaints.raise_any()
    check_labels(body.get("labels", []))
    if body.get("project_id") and body.get("labels"):
        raise bad_request(["Task must have only one of Label set or project_id"])
    project = find_project(call, int(body["project_id"])) if body.get("project_id") else None
    task = new_task(call, body, project)
    return Answer(201, show_task(call, task), headers={"Location": call.url(f"tasks/{task.id}")})


def _get(call: Call) -> Answer:
    return Answer(json=show_task(call, find_task(call, call.id)))


def _patch(call: Call) -> Answer:
    task, body, complaints = find_task(call, call.id), json_body(call), Complaints()
    check_known(body, _CHANGEABLE)
    check_text(body, "name", complaints, required=False)
    complaints.raise_any()
    if "labels" in body:
        check_labels(body["labels"])
        change_labels(call.state, task.project or task, body["labels"])
    for name in ("name", "bug_tracker", "subset"):
        setattr(task, name, body.get(name, getattr(task, name)))
    if "assignee_id" in body:
        task.assignee = find_user(call, body["assignee_id"])
    task.updated = call.state.now()
    return Answer(json=show_task(call, task, assigned="assignee_id" in body))


def _delete(call: Call) -> Answer:
    delete_task(call.state, find_task(call, call.id, remove=True))
    return Answer(204)


ROUTES = (Route("tasks", {"GET": _list, "POST": _create}), Route("tasks/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}))
