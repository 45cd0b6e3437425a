"""CVAT's own XML of what the server holds, written by burnish's writer, with what only a server knows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from burnish.testing.cvat.background import WorkError
from burnish.testing.cvat.records import Job, Project, Task
from burnish.testing.cvat.state import jobs_of, tasks_of

if TYPE_CHECKING:
    from burnish.formats.cvat.xml.flavours import Flavour
    from burnish.formats.cvat.xml.meta import Server
    from burnish.testing.cvat.calls import Call
    from burnish.testing.cvat.records import Data, User
    from burnish.testing.cvat.state import State

FLAVOURS: Final[dict[str, Flavour]] = {"CVAT for images 1.1": "images", "CVAT for video 1.1": "video"}
"""The formats by the server's name, and what the writer calls them."""
_DECIMALS: Final = 2


def export_xml(call: Call, target: Job | Project | Task, name: str) -> bytes:
    """The annotations of a target as XML of one of the FLAVOURS.

    Raises:
        WorkError: A track cannot be shown on every frame.
    """
    from burnish.errors import DataError  # noqa: PLC0415 - the tables take longer to load than the server
    from burnish.formats.cvat.xml import annotations_xml  # noqa: PLC0415 - likewise
    from burnish.testing.cvat.datasets import dataset_of, tasks_with_data  # noqa: PLC0415 - likewise

    told: dict[int | None, Server] = {
        number: _server(call, target if isinstance(target, Job) else task)
        for number, task in enumerate(tasks_with_data(call.state, target))
    }
    if isinstance(target, Project):
        told[None] = _server(call, target)
    try:
        dataset = dataset_of(call.state, target)
        return annotations_xml(dataset, None if isinstance(target, Project) else 0, FLAVOURS[name], _DECIMALS, told)
    except DataError as error:
        raise WorkError(str(error)) from error


def first_numbers(state: State, project: Project) -> dict[int, int]:
    """What is added to the frame numbers of each task, so that they run on through the tasks of a subset."""
    free: dict[str, int] = {}
    starts: dict[int, int] = {}
    for task in tasks_of(state, project):
        if task.data is not None and task.data.size:
            starts[task.id] = free.get(task.subset, 0)
            free[task.subset] = starts[task.id] + _source_number(task.data, task.data.size)
    return starts


def picture_name(data: Data, number: int, shift: int = 0) -> str:
    """How a frame is called in exports: a picture's file, or a video's number."""
    return f"frame_{shift + _source_number(data, number):06d}" if data.is_video else data.frames[number].name


def _source_number(data: Data, number: int) -> int:
    return data.start_frame + number * data.step


def _server(call: Call, target: Job | Project | Task) -> Server:
    from burnish.formats.cvat.xml.meta import Server  # noqa: PLC0415 - the tables take longer to load than the server

    task = target.task if isinstance(target, Job) else target
    common = Server(
        scope="job" if isinstance(target, Job) else "project" if isinstance(target, Project) else "task",
        id=str(target.id),
        created=str(task.created),
        updated=str(target.updated),
        dumped=str(call.state.now()),
        bugtracker=task.bug_tracker,
        owner=_person(task.owner),
        assignee=_person(target.assignee),
    )
    if isinstance(task, Project):
        return common
    jobs = [target] if isinstance(target, Job) else jobs_of(call.state, task, ground_truth=False)
    segments = tuple((str(job.id), f"{call.base}{call.path}/api/jobs/{job.id}") for job in jobs)
    return replace(common, overlap=task.overlap, mode=task.mode, segments=segments)


def _person(user: User | None) -> tuple[str, str] | None:
    return None if user is None else (user.username, user.email)
