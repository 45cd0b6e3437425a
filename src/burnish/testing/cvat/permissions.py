"""Who may see and change what: administrators everything, others what they own, are assigned to, or share in an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from burnish.testing.cvat.answers import forbidden, not_found

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call
    from burnish.testing.cvat.records import Job, Organization, Project, Task

Owned = TypeVar("Owned", "Project", "Task")

_MANAGERS = frozenset({"owner", "maintainer"})


def find_project(call: Call, number: int, *, change: bool = False, remove: bool = False) -> Project:
    """A project that the caller may see, or change, or remove.

    Raises:
        RefusalError: 404 if there is none, 403 if it is somebody else's.
    """
    if (project := call.state.projects.get(number)) is None:
        raise not_found("Project")
    allowed = is_owner(call, project) if remove else may_change_project(call, project) if change else sees_project(call, project)
    if not allowed:
        raise forbidden()
    return project


def find_task(call: Call, number: int, *, remove: bool = False) -> Task:
    """A task that the caller may see and change, or remove.

    Raises:
        RefusalError: 404 if there is none, 403 if it is somebody else's.
    """
    if (task := call.state.tasks.get(number)) is None:
        raise not_found("Task")
    allowed = is_owner(call, task) or (task.project is not None and is_owner(call, task.project)) if remove else sees_task(call, task)
    if not allowed:
        raise forbidden()
    return task


def find_job(call: Call, number: int) -> Job:
    """A job that the caller may see and annotate.

    Raises:
        RefusalError: 404 if there is none, 403 if it is somebody else's.
    """
    if (job := call.state.jobs.get(number)) is None:
        raise not_found("Job")
    if not sees_job(call, job):
        raise forbidden()
    return job


def sees_project(call: Call, project: Project) -> bool:
    """Owners, assignees, and managers of the organization."""
    return is_owner(call, project) or project.assignee is call.user


def may_change_project(call: Call, project: Project) -> bool:
    """Those who see it."""
    return sees_project(call, project)


def sees_task(call: Call, task: Task) -> bool:
    """Its owner and assignee, and those of its project; the assignee of one of its jobs does not."""
    return is_owner(call, task) or task.assignee is call.user or (task.project is not None and sees_project(call, task.project))


def sees_job(call: Call, job: Job) -> bool:
    """Its assignee, and those who see its task."""
    return job.assignee is call.user or sees_task(call, job.task)


def is_owner(call: Call, thing: Project | Task) -> bool:
    """Whether the caller owns it or manages all that there is."""
    return call.user.is_superuser or thing.owner is call.user or _manages(call, thing.organization)


def in_context(call: Call, things: list[Owned]) -> list[Owned]:
    """What belongs to the organization that was asked for; all if none was."""
    if call.organization is None and not call.is_personal:
        return things
    return [thing for thing in things if thing.organization is call.organization]


def _manages(call: Call, organization: Organization | None) -> bool:
    mine = (each for each in call.state.memberships.values() if each.user is call.user)
    return organization is not None and any(each.organization is organization and each.role in _MANAGERS for each in mine)
