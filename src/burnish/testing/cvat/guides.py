"""Annotators' guides in Markdown, and the pictures that they show."""

from __future__ import annotations

import mimetypes
import uuid
from typing import TYPE_CHECKING

from burnish.testing.cvat import uploads
from burnish.testing.cvat.answers import Answer, bad_request, not_found
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.permissions import find_project, find_task, sees_job
from burnish.testing.cvat.records import Asset, Guide
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import jobs_of, stamp, tasks_of
from burnish.testing.cvat.users import brief

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json


def _written(guide: Guide) -> Json:
    whose = {"task_id": guide.task.id if guide.task else None, "project_id": guide.project.id if guide.project else None}
    return {"id": guide.id, **whose, "markdown": guide.markdown}


def _find(call: Call, number: int) -> Guide:
    guide = call.state.guides.get(number)
    if guide is None:
        raise not_found("AnnotationGuide")
    tasks = [guide.task] if guide.task else tasks_of(call.state, guide.project) if guide.project else []
    # Who annotates one of the jobs may read the guide.
    if any(sees_job(call, job) for task in tasks for job in jobs_of(call.state, task)):
        return guide
    find_project(call, guide.project.id) if guide.project else find_task(call, guide.task.id if guide.task else 0)
    return guide


def _create(call: Call) -> Answer:
    body, now = json_body(call), call.state.now()
    if bool(body.get("project_id")) == bool(body.get("task_id")):
        raise bad_request(["Either task_id or project_id must be specified for a guide"])
    project = find_project(call, int(body["project_id"]), change=True) if body.get("project_id") else None
    task = None if project else find_task(call, int(body["task_id"]))
    if any(guide.project is project and guide.task is task for guide in call.state.guides.values()):
        raise bad_request(["There is already a guide for this task or project"])
    guide = Guide(id=call.state.new_id("guide"), project=project, task=task, markdown=body.get("markdown", ""), created=now, updated=now)
    call.state.guides[guide.id] = guide
    return Answer(201, _written(guide))


def _get(call: Call) -> Answer:
    guide = _find(call, call.id)
    return Answer(json={**_written(guide), "created_date": stamp(guide.created), "updated_date": stamp(guide.updated)})


def _patch(call: Call) -> Answer:
    guide = _find(call, call.id)
    guide.markdown = json_body(call).get("markdown", guide.markdown)
    guide.updated = call.state.now()
    return Answer(json=_written(guide))


def _delete(call: Call) -> Answer:
    guide = _find(call, call.id)
    call.state.assets = {name: asset for name, asset in call.state.assets.items() if asset.guide is not guide}
    del call.state.guides[guide.id]
    return Answer(204)


def _create_asset(call: Call) -> Answer:
    if call.form is None or not call.form.files or "guide_id" not in call.form.fields:
        raise bad_request({"file": ["No file was submitted."]})
    guide = _find(call, int(call.form.fields["guide_id"][-1]))
    name, sent = str(uuid.uuid4()), call.form.files[0]
    path = uploads.target(call.state.folder / "assets" / name, sent.filename)
    path.write_bytes(sent.content)
    asset = Asset(uuid=name, filename=path.name, file=path, owner=call.user, guide=guide, created=call.state.now())
    call.state.assets[name] = asset
    shown = {
        "uuid": name,
        "filename": asset.filename,
        "created_date": stamp(asset.created),
        "owner": brief(call, asset.owner),
        "guide_id": guide.id,
    }
    return Answer(201, shown)


def _get_asset(call: Call) -> Answer:
    asset = call.state.assets.get(call.parameters["uuid"])
    if asset is None:
        raise not_found("Asset")
    _find(call, asset.guide.id)
    return Answer(file=asset.file, media_type=mimetypes.guess_type(asset.filename)[0] or "application/octet-stream")


def _delete_asset(call: Call) -> Answer:
    if call.parameters["uuid"] not in call.state.assets:
        raise not_found("Asset")
    _find(call, call.state.assets[call.parameters["uuid"]].guide.id)
    del call.state.assets[call.parameters["uuid"]]
    return Answer(204)


ROUTES = (
    Route("guides", {"POST": _create}),
    Route("guides/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}),
    Route("assets", {"POST": _create_asset}),
    Route("assets/{uuid}", {"GET": _get_asset, "DELETE": _delete_asset}),
)
