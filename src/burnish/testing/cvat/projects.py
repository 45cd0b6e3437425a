"""Projects: made, changed, listed, deleted with all that is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import Complaints, check_known, check_text
from burnish.testing.cvat.labels import change_labels, check_labels, make_labels
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.permissions import find_project, in_context, sees_project
from burnish.testing.cvat.records import Project
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import jobs_of, stamp, tasks_of
from burnish.testing.cvat.tasks import delete_task
from burnish.testing.cvat.users import brief, find_user

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.state import State

_CHANGEABLE = frozenset({"name", "labels", "owner_id", "assignee_id", "bug_tracker", "source_storage", "target_storage", "organization_id"})


def show_project(call: Call, project: Project, *, assigned: bool = False) -> Json:
    """A project as the API shows it; the time of the assignment only right after it, as in CVAT."""
    tasks = tasks_of(call.state, project)
    return {
        "url": call.url(f"projects/{project.id}"),
        "id": project.id,
        "name": project.name,
        "owner": brief(call, project.owner),
        "assignee": brief(call, project.assignee),
        "guide_id": next((guide.id for guide in call.state.guides.values() if guide.project is project), None),
        "bug_tracker": project.bug_tracker,
        "created_date": stamp(project.created),
        "updated_date": stamp(project.updated),
        "status": _status(call.state, project),
        "dimension": "2d" if tasks else None,
        "organization": project.organization.id if project.organization else None,
        "organization_id": project.organization.id if project.organization else None,
        "target_storage": None,
        "source_storage": None,
        "tasks": {"count": len(tasks), "url": call.url(f"tasks?project_id={project.id}")},
        "labels": {"url": call.url(f"labels?project_id={project.id}")},
        "assignee_updated_date": stamp(project.updated) if assigned else None,
        "task_subsets": sorted({task.subset for task in tasks} - {""}),
    }


def new_project(call: Call, name: str, labels: list[Json], bug_tracker: str = "") -> Project:
    """A project with labels, owned by the caller, in the organization that was asked for."""
    now = call.state.now()
    project = Project(
        id=call.state.new_id("project"),
        name=name,
        owner=call.user,
        bug_tracker=bug_tracker,
        organization=call.organization,
        labels=make_labels(call.state, labels),
        created=now,
        updated=now,
    )
    call.state.projects[project.id] = project
    return project


def _status(state: State, project: Project) -> str:
    statuses = {job.status for task in tasks_of(state, project) for job in jobs_of(state, task)}
    return "completed" if statuses == {"completed"} else "annotation"


_PROJECTS = Listing(
    show_project,
    {
        "id": lambda project: project.id,
        "name": lambda project: project.name,
        "owner": lambda project: project.owner.username,
        "assignee": lambda project: project.assignee.username if project.assignee else None,
        "updated_date": lambda project: project.updated,
    },
    plain=frozenset({"name", "owner", "assignee"}),
    search=("name", "owner", "assignee"),
)


def _list(call: Call) -> Answer:
    seen = [project for project in call.state.projects.values() if sees_project(call, project)]
    return page(call, in_context(call, seen), _PROJECTS)


def _create(call: Call) -> Answer:
    body, complaints = json_body(call), Complaints()
    check_text(body, "name", complaints)
    complaints.raise_any()
    labels = body.get("labels", [])
    check_labels(labels)
    project = new_project(call, body["name"], labels, body.get("bug_tracker", ""))
    return Answer(201, show_project(call, project), headers={"Location": call.url(f"projects/{project.id}")})


def _get(call: Call) -> Answer:
    return Answer(json=show_project(call, find_project(call, call.id)))


def _patch(call: Call) -> Answer:
    project, body, complaints = find_project(call, call.id, change=True), json_body(call), Complaints()
    check_known(body, _CHANGEABLE)
    check_text(body, "name", complaints, required=False)
    complaints.raise_any()
    if "labels" in body:
        check_labels(body["labels"])
        change_labels(call.state, project, body["labels"])
    project.name = body.get("name", project.name)
    project.bug_tracker = body.get("bug_tracker", project.bug_tracker)
    if "assignee_id" in body:
        project.assignee = find_user(call, body["assignee_id"])
    project.updated = call.state.now()
    return Answer(json=show_project(call, project, assigned="assignee_id" in body))


def _delete(call: Call) -> Answer:
    project = find_project(call, call.id, remove=True)
    for task in tasks_of(call.state, project):
        delete_task(call.state, task)
    call.state.guides = {number: guide for number, guide in call.state.guides.items() if guide.project is not project}
    del call.state.projects[project.id]
    return Answer(204)


ROUTES = (Route("projects", {"GET": _list, "POST": _create}), Route("projects/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}))
