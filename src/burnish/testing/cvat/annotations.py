"""The annotations of tasks and jobs over HTTP: read, replace, change, delete; and a file of annotations to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.testing.cvat import storing, uploads
from burnish.testing.cvat.answers import Answer, RefusalError, bad_request, gone
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.checking import checked
from burnish.testing.cvat.imports import import_into_job, import_into_task
from burnish.testing.cvat.permissions import find_job, find_task
from burnish.testing.cvat.records import Annotations
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import jobs_of

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call


def _get_task(call: Call) -> Answer:
    task = find_task(call, call.id)
    if call.has("format"):
        raise gone("tasks", images=False)
    return Answer(json=storing.as_json(storing.read_task(call.state, task)))


def _get_job(call: Call) -> Answer:
    job = find_job(call, call.id)
    if call.has("format"):
        raise gone("jobs", images=False)
    return Answer(json=storing.as_json(storing.read_job(job)))


def _put_task(call: Call) -> Answer:
    task = find_task(call, call.id)
    return Answer(json=storing.as_json(storing.put_task(call.state, task, checked(json_body(call), with_ids=False))))


def _put_job(call: Call) -> Answer:
    job = find_job(call, call.id)
    found = checked(json_body(call), with_ids=False)
    before = job.annotations
    try:
        stored = storing.put_job(call.state, job, found)
    except RefusalError:
        job.annotations = before
        raise
    return Answer(json=storing.as_json(stored))


def _action(call: Call) -> str:
    if call.one("action") not in storing.ACTIONS:
        raise bad_request(["Please specify a correct 'action' for the request"])
    return call.one("action")


def _patch_task(call: Call) -> Answer:
    task, action = find_task(call, call.id), _action(call)
    found = checked(json_body(call), with_ids=action != "create")
    return Answer(json=storing.as_json(storing.patch_task(call.state, task, found, action)))


def _patch_job(call: Call) -> Answer:
    job, action = find_job(call, call.id), _action(call)
    found = checked(json_body(call), with_ids=action != "create")
    before = job.annotations
    try:
        stored = storing.patch_job(call.state, job, found, action)
    except RefusalError:
        job.annotations = before
        raise
    return Answer(json=storing.as_json(stored))


def _delete_of_task(call: Call) -> Answer:
    for job in jobs_of(call.state, find_task(call, call.id), ground_truth=False):
        job.annotations = Annotations()
    return Answer(204)


def _delete_of_job(call: Call) -> Answer:
    find_job(call, call.id).annotations = Annotations()
    return Answer(204)


_PIECES = {"PATCH": uploads.append, "HEAD": uploads.tell}

ROUTES = (
    Route(
        "tasks/{id}/annotations[/]",
        {"GET": _get_task, "PUT": _put_task, "PATCH": _patch_task, "DELETE": _delete_of_task, "POST": import_into_task},
    ),
    Route(
        "jobs/{id}/annotations[/]",
        {"GET": _get_job, "PUT": _put_job, "PATCH": _patch_job, "DELETE": _delete_of_job, "POST": import_into_job},
    ),
    Route("tasks/{id}/annotations/{file}", _PIECES),
    Route("jobs/{id}/annotations/{file}", _PIECES),
)
