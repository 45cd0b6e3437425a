"""Jobs: listed, assigned, moved through stages and states; ground truth jobs are made and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.testing.cvat.answers import Answer, bad_request, forbidden
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import Complaints, check_choice, check_known
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.permissions import find_job, find_task, sees_job, sees_task
from burnish.testing.cvat.records import GROUND_TRUTH, Job
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import jobs_of, stamp
from burnish.testing.cvat.users import brief, find_user

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import Task

_STAGES: Final = ("annotation", "validation", "acceptance")
_STATES: Final = ("new", "in progress", "completed", "rejected")
_CHANGEABLE: Final = frozenset({"assignee", "stage", "state"})


def show_job(call: Call, job: Job) -> Json:
    """A job as the API shows it; who may not see its task does not learn that one's name."""
    task, data = job.task, job.task.data
    named = sees_task(call, task)
    assert data is not None, "a job is made from data"
    return {
        "url": call.url(f"jobs/{job.id}"),
        "id": job.id,
        "task_id": task.id,
        "task_name": task.name if named else None,
        "project_id": task.project.id if task.project else None,
        "project_name": task.project.name if task.project and named else None,
        "assignee": brief(call, job.assignee),
        "guide_id": next(
            (guide.id for guide in call.state.guides.values() if guide.task is task or (task.project and guide.project is task.project)),
            None,
        ),
        "dimension": "2d",
        "mode": task.mode,
        "media_type": "image",
        "bug_tracker": task.project.bug_tracker if task.project else task.bug_tracker or None,
        "status": job.status,
        "stage": job.stage,
        "state": job.state,
        "frame_count": len(job.frame_numbers),
        "start_frame": job.start_frame,
        "stop_frame": job.stop_frame,
        "data_chunk_size": data.chunk_size,
        "data_compressed_chunk_type": data.compressed_chunk_type,
        "data_original_chunk_type": data.original_chunk_type,
        "created_date": stamp(job.created),
        "updated_date": stamp(job.updated),
        "issues": {"url": call.url(f"issues?job_id={job.id}"), "count": sum(issue.job is job for issue in call.state.issues.values())},
        "labels": {"url": call.url(f"labels?job_id={job.id}")},
        "type": job.type,
        "organization": task.organization.id if task.organization else None,
        "target_storage": None,
        "source_storage": None,
        "assignee_updated_date": stamp(job.assignee_updated),
        "parent_job_id": None,
        "replicas_count": 0,
        "consensus_replicas": 0,
    }


def make_jobs(call: Call, task: Task) -> None:
    """Cut a task's frames into jobs, as long and with as much overlap as the task says."""
    assert task.data is not None, "jobs are cut from data"
    size = task.data.size
    whole = task.segment_size == 0 or task.segment_size > size
    task.overlap = 0 if whole else min(task.overlap or 0, task.segment_size // 2)
    task.segment_size = size if whole else task.segment_size
    for start in range(0, max(size - task.overlap, 1), task.segment_size - task.overlap):
        add_job(call, task, start, min(start + task.segment_size, size) - 1)


def add_job(call: Call, task: Task, start: int, stop: int, *, kind: str = "annotation", frames: list[int] | None = None) -> Job:
    """One job over a span of frames, ends included."""
    now = call.state.now()
    job = Job(
        id=call.state.new_id("job"), task=task, start_frame=start, stop_frame=stop, type=kind, frames=frames, created=now, updated=now
    )
    call.state.jobs[job.id] = job
    return job


_JOBS = Listing(
    show_job,
    {
        "id": lambda job: job.id,
        "task_id": lambda job: job.task.id,
        "task_name": lambda job: job.task.name,
        "project_id": lambda job: job.task.project.id if job.task.project else None,
        "project_name": lambda job: job.task.project.name if job.task.project else None,
        "assignee": lambda job: job.assignee.username if job.assignee else None,
        "state": lambda job: job.state,
        "stage": lambda job: job.stage,
        "type": lambda job: job.type,
        "mode": lambda job: job.task.mode,
        "dimension": lambda _: "2d",
        "updated_date": lambda job: stamp(job.updated),
    },
    plain=frozenset({"task_id", "task_name", "project_id", "project_name", "assignee", "state", "stage", "type", "mode", "dimension"}),
    search=("task_name", "project_name", "assignee", "state", "stage"),
)


def _list(call: Call) -> Answer:
    seen = [job for job in call.state.jobs.values() if sees_job(call, job)]
    if call.organization is not None or call.is_personal:
        seen = [job for job in seen if job.task.organization is call.organization]
    return page(call, seen, _JOBS)


def _create(call: Call) -> Answer:
    body = json_body(call)
    if body.get("type") != GROUND_TRUTH:
        raise bad_request({"type": [f'Unsupported job type "{body.get("type")}"']})
    task = find_task(call, int(body.get("task_id", 0)))
    if task.data is None or not task.data.ready:
        raise bad_request(["This task has no data attached yet. Please set up task data and try again"])
    if any(job.type == GROUND_TRUTH for job in jobs_of(call.state, task)):
        raise bad_request([f'Task #{task.id} has "gt" validation mode already'])
    frames = _chosen_frames(body, task.data.size)
    job = add_job(call, task, 0, task.data.size - 1, kind=GROUND_TRUTH, frames=frames)
    return Answer(201, show_job(call, job), headers={"Location": call.url(f"jobs/{job.id}")})


def _chosen_frames(body: Json, size: int) -> list[int]:
    """Frames named one by one, or every so many until the asked number is reached: enough for a test."""
    if body.get("frame_selection_method") == "manual":
        frames = sorted({int(frame) for frame in body.get("frames", [])})
        if not frames or not all(0 <= frame < size for frame in frames):
            raise bad_request({"frames": ["Some frames are outside of the task"] if frames else ["The list of frames cannot be empty"]})
        return frames
    count = max(1, min(size, int(body.get("frame_count") or size * float(body.get("frame_share") or 0))))
    return [index * size // count for index in range(count)]


def _get(call: Call) -> Answer:
    return Answer(json=show_job(call, find_job(call, call.id)))


def _patch(call: Call) -> Answer:
    job, body, complaints = find_job(call, call.id), json_body(call), Complaints()
    check_known(body, _CHANGEABLE)
    # Annotators move their own job's state; who works on it and its stage is for those who run the task.
    if set(body) - {"state"} and not sees_task(call, job.task):
        raise forbidden()
    check_choice(body, "stage", _STAGES, complaints)
    check_choice(body, "state", _STATES, complaints)
    complaints.raise_any()
    now = call.state.now()
    if "assignee" in body:
        assignee = find_user(call, body["assignee"])
        job.assignee_updated = now if assignee is not job.assignee else job.assignee_updated
        job.assignee = assignee
    if body.get("stage", job.stage) != job.stage:
        job.stage, job.state = body["stage"], "new"
    job.state = body.get("state", job.state)
    job.updated = job.task.updated = now
    return Answer(json=show_job(call, job))


def _delete(call: Call) -> Answer:
    job = find_job(call, call.id)
    if job.type != GROUND_TRUTH:
        raise bad_request(["Only ground truth jobs can be removed"])
    del call.state.jobs[job.id]
    return Answer(204)


def _validation_layout(call: Call) -> Answer:
    task = find_task(call, call.id)
    truth = next((job for job in jobs_of(call.state, task) if job.type == GROUND_TRUTH), None)
    frames = truth.frame_numbers if truth else []
    return Answer(json={"mode": "gt" if truth else None, "frames_per_job_count": None, "validation_frames": frames, "disabled_frames": []})


ROUTES = (
    Route("jobs", {"GET": _list, "POST": _create}),
    Route("jobs/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}),
    Route("tasks/{id}/validation_layout", {"GET": _validation_layout}),
)
