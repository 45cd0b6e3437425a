"""Work in the background: asked for, polled, done, failed, cancelled.

The work itself is done by the poll that finds it finished (or by the first request after a while), in the thread that asks. So
everything that a client sees is in the order in which a busy server would show it, and a test gives the same answers each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from burnish.testing.cvat.answers import Answer, RefusalError, text
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import Job, Project, Task, User
    from burnish.testing.cvat.state import State

_KEPT_DONE: Final = timedelta(minutes=10)
_KEPT_FAILED: Final = timedelta(days=365)


class WorkError(Exception):
    """Work that fails with the message that CVAT shows: the error's class and its words."""


@dataclass(slots=True)
class Product:
    """What work leaves behind."""

    file: Path | None = None
    filename: str = ""
    result_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Work:
    """A background request."""

    id: str
    type: str
    """For instance export:annotations."""
    target: str
    owner: User
    do: Callable[[], Product]
    project_id: int | None = None
    task_id: int | None = None
    job_id: int | None = None
    org_id: int | None = None
    format: str | None = None
    download: str = ""
    """The address of the result, for work that makes a file."""
    status: str = "queued"
    message: str = ""
    product: Product = field(default_factory=Product)
    polls: int = 0
    is_cancelled: bool = False
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits or runs."""
        return self.status in {"queued", "started"} and not self.is_cancelled


def submit(call: Call, work: Work) -> Answer:
    """Put work into the queue: 202 with its id, or 409 with the same id if it is there and not done."""
    found = call.state.works.get(work.id)
    if found is not None and found.is_open:
        return Answer(409, {"rq_id": work.id})
    call.state.works.pop(work.id, None)
    call.state.works[work.id] = work
    return Answer(202, {"rq_id": work.id})


def places(thing: Project | Task | Job) -> Json:
    """The numbers of a target and of what it lies in."""
    if hasattr(thing, "start_frame"):
        job: Any = thing
        return {**places(job.task), "job_id": job.id}
    if hasattr(thing, "own_labels"):
        task: Any = thing
        return {"project_id": task.project.id if task.project else None, "task_id": task.id}
    return {"project_id": thing.id}


def settle(state: State, work: Work) -> None:
    """Do the work now."""
    work.started = work.started or state.now()
    try:
        work.product = work.do()
        work.status, work.message = "finished", ""
    except WorkError as error:
        work.status, work.message = "failed", f"{error}\n"
    except RefusalError as refusal:
        work.status, work.message = "failed", f"rest_framework.exceptions.ValidationError: {refusal.answer.json}\n"
    work.finished = state.now()


def settle_overdue(state: State) -> None:
    """Do what has waited long enough, polled or not."""
    now = state.now()
    for work in list(state.works.values()):
        if work.is_open and now - work.created >= state.patience:
            settle(state, work)


def produced_file(call: Call, kind: str) -> Answer:
    """The file that finished work made, under `rq_id`.

    Raises:
        RefusalError: 400 without an id, 404 for unknown work, 400 for work that is not done.
    """
    work = call.state.works.get(unquote(call.one("rq_id")))
    if not call.one("rq_id"):
        raise RefusalError(Answer(400, ["Missing request id in the query parameters"]))
    if work is None or not work.type.startswith(kind):
        raise RefusalError(text(404, "Unknown export request id"))
    if work.product.file is None:
        raise RefusalError(Answer(400, ["Export request is not finished yet" if work.is_open else "Export failed"]))
    disposition = f'attachment; filename="{work.product.filename}"'
    return Answer(file=work.product.file, media_type="application/zip", headers={"Content-Disposition": disposition})


def _show(_: Call, work: Work) -> Json:
    kept = _KEPT_FAILED if work.status == "failed" else _KEPT_DONE
    has_result = work.status == "finished" and work.download
    return {
        "status": work.status,
        "message": work.message,
        "id": work.id,
        "operation": {
            "type": work.type,
            "target": work.target,
            "project_id": work.project_id,
            "task_id": work.task_id,
            "job_id": work.job_id,
            "org_id": work.org_id,
            **({} if work.type == "calculate:quality" else {"format": work.format}),
            "lightweight": None,
        },
        "progress": 0.0,
        "created_date": stamp(work.created),
        "started_date": stamp(work.started),
        "finished_date": stamp(work.finished),
        "expiry_date": stamp(work.finished + kept) if work.finished else None,
        "owner": {"id": work.owner.id, "username": work.owner.username},
        "result_url": f"{work.download}?rq_id={quote(work.id, safe='~')}" if has_result else None,
        "result_id": work.product.result_id,
    }


_WORKS = Listing(
    _show,
    {
        "created_date": lambda work: work.created,
        "status": lambda work: work.status,
        "action": lambda work: work.type.partition(":")[0],
        "subresource": lambda work: work.type.partition(":")[2],
        "target": lambda work: work.target,
        "project_id": lambda work: work.project_id,
        "task_id": lambda work: work.task_id,
        "job_id": lambda work: work.job_id,
        "org_id": lambda work: work.org_id,
        "format": lambda work: work.format,
    },
    plain=frozenset({"status", "action", "subresource", "target", "project_id", "task_id", "job_id", "org_id", "format"}),
    order="-created_date",
)


def _list(call: Call) -> Answer:
    return page(call, [work for work in call.state.works.values() if work.owner is call.user], _WORKS)


def _mine(call: Call) -> Work:
    work = call.state.works.get(unquote(call.parameters["request"]))
    if work is None or not (work.owner is call.user or call.user.is_superuser):
        raise RefusalError(text(404, "There is no request with specified id"))
    return work


def _poll(call: Call) -> Answer:
    work = _mine(call)
    if not work.is_open and not work.is_cancelled:
        return Answer(json=_show(call, work))
    if work.is_cancelled:
        # A worker that has begun notices a little later: one more look, then it is gone.
        del call.state.works[work.id]
        return Answer(json=_show(call, work))
    work.polls += 1
    if work.polls > call.state.polls:
        settle(call.state, work)
    else:
        work.status, work.started = "started", work.started or call.state.now()
    return Answer(json=_show(call, work))


def _cancel(call: Call) -> Answer:
    work = _mine(call)
    if not work.is_open:
        raise RefusalError(Answer(400, ["Only queued or started requests can be cancelled"]))
    work.status, work.is_cancelled = "started", True
    return Answer(200)


ROUTES = (
    Route("requests", {"GET": _list}),
    Route("requests/{request}/cancel", {"POST": _cancel}),
    Route("requests/{request}", {"GET": _poll}),
)
