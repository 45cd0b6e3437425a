"""The data of tasks: uploaded, described, and served frame by frame and in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from burnish.testing.cvat import uploads
from burnish.testing.cvat.answers import Answer, RefusalError, bad_request
from burnish.testing.cvat.background import Product, Work, WorkError, places, submit
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import Complaints, as_bool, check_number
from burnish.testing.cvat.frames import chunk, frame, preview
from burnish.testing.cvat.jobs import make_jobs
from burnish.testing.cvat.permissions import find_job, find_task
from burnish.testing.cvat.records import Data
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.sources import describe, ordered
from burnish.testing.cvat.state import jobs_of, stamp

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import Job, Task

_PLACEHOLDER: Final = "placeholder.jpg"


def new_data(call: Call) -> Data:
    """Room for a task's files."""
    number = call.state.new_id("data")
    folder = call.state.folder / "data" / str(number)
    folder.mkdir(parents=True)
    return Data(id=number, folder=folder, updated=call.state.now())


def take_in(call: Call, task: Task, settings: Json) -> None:
    """Read the uploaded files of a task, in the order that the settings say, and cut it into jobs.

    Raises:
        WorkError: There are no media among the files.
    """
    data = task.data
    assert data is not None, "files are uploaded before they are read"
    data.image_quality = int(settings.get("image_quality", 70))
    data.chunk_size = int(settings["chunk_size"]) if settings.get("chunk_size") else None
    data.sorting_method = settings.get("sorting_method", "lexicographical")
    data.start_frame = int(settings.get("start_frame") or 0)
    data.frame_filter = settings.get("frame_filter", "")
    files = ordered([file.name for file in data.folder.iterdir()], data.sorting_method, settings.get("upload_file_order") or [])
    try:
        describe(data, files, settings.get("stop_frame"), as_zip=as_bool(settings.get("use_zip_chunks")))
    except ValueError as error:
        message = f"ValueError: {error}"
        raise WorkError(message) from error
    data.updated = call.state.now()
    data.ready = True
    task.mode = "interpolation" if data.is_video else "annotation"
    make_jobs(call, task)


def _upload(call: Call) -> Answer:
    task = find_task(call, call.id)
    if call.state.works.get(_work_id(task)) or (task.data is not None and task.data.ready):
        raise bad_request(["Adding more data is not supported"])
    if uploads.is_start(call):
        task.data = task.data or new_data(call)
        return Answer(202)
    task.data = task.data or new_data(call)
    if uploads.is_create(call):
        return uploads.create(call, task.data.folder, named=True)
    settings = _settings(call)
    _keep_files(call, task.data)
    return Answer(200) if "upload-multiple" in call.headers else _begin(call, task, settings)


def _settings(call: Call) -> Json:
    settings, complaints = json_body(call), Complaints()
    check_number(settings, "image_quality", complaints, least=0, most=100)
    check_number(settings, "start_frame", complaints, least=0)
    check_number(settings, "stop_frame", complaints, least=0)
    check_number(settings, "chunk_size", complaints, least=1)
    if any(".." in str(name).split("/") for name in settings.get("server_files") or []):
        complaints.add("server_files", {"file": ["path contains a '..' segment"]})  # pyright: ignore[reportArgumentType]
    complaints.raise_any()
    if call.form is not None:
        order = [values for name, values in call.form.fields.items() if name.startswith("upload_file_order")]
        settings["upload_file_order"] = [name for values in order for name in values]
    return settings


def _keep_files(call: Call, data: Data) -> None:
    for file in call.form.files if call.form else ():
        uploads.target(data.folder, file.filename).write_bytes(file.content)


def _work_id(task: Task) -> str:
    return f"action=create&target=task&target_id={task.id}"


def _begin(call: Call, task: Task, settings: Json) -> Answer:
    def do() -> Product:
        take_in(call, task, settings)
        return Product()

    work = Work(id=_work_id(task), type="create:task", target="task", owner=call.user, do=do, created=call.state.now(), **places(task))
    return submit(call, work)


def _ready(task: Task, refusal: RefusalError) -> Data:
    if task.data is None or not task.data.ready:
        raise refusal
    return task.data


def _show_meta(data: Data, frames: list[Any], job: Job | None = None) -> Json:
    first, last = (job.start_frame, job.stop_frame) if job else (0, data.size - 1)
    shown = data.frames if data.is_video else data.frames[first : last + 1]
    chosen = set(frames)
    return {
        "chapters": [] if data.is_video else None,
        "chunks_updated_date": stamp(data.updated),
        "chunk_size": data.chunk_size,
        "size": len(frames),
        "image_quality": data.image_quality,
        "start_frame": data.start_frame + first * data.step,
        "stop_frame": data.start_frame + last * data.step,
        "frame_filter": data.frame_filter,
        "frames": [
            {
                "width": each.width,
                "height": each.height,
                "name": each.name if data.is_video or first + place in chosen else _PLACEHOLDER,
                "related_files": 0,
                "has_related_context": False,
            }
            for place, each in enumerate(shown)
        ],
        "deleted_frames": [number for number in data.deleted_frames if first <= number <= last],
        "included_frames": job.frames if job else None,
        "storage": "local",
        "cloud_storage_id": None,
    }


def _task_meta(call: Call) -> Answer:
    data = _ready(find_task(call, call.id), bad_request(["Data is not uploaded for the task yet"]))
    return Answer(json=_show_meta(data, list(range(data.size))))


def _job_meta(call: Call) -> Answer:
    job = find_job(call, call.id)
    data = _ready(job.task, bad_request(["Data is not uploaded for the task yet"]))
    return Answer(json=_show_meta(data, job.frame_numbers, job))


def _delete_frames(call: Call, task: Task, first: int, last: int) -> None:
    data = _ready(task, bad_request(["Data is not uploaded for the task yet"]))
    body = json_body(call)
    if "deleted_frames" not in body:
        return
    told: list[Any] = body["deleted_frames"]
    no_numbers = [place for place, number in enumerate(told) if not isinstance(number, int)]
    if no_numbers:
        raise bad_request({"deleted_frames": {str(place): ["A valid integer is required."] for place in no_numbers}})
    frames: set[int] = set(told)
    if not all(first <= number <= last for number in frames):
        raise bad_request({"deleted_frames": ["Frames must be within the range of the task or job"]})
    others = {number for number in data.deleted_frames if not first <= number <= last}
    data.deleted_frames = sorted(frames | others)
    task.updated = call.state.now()


def _change_task_meta(call: Call) -> Answer:
    task = find_task(call, call.id)
    _delete_frames(call, task, 0, (task.data.size if task.data else 0) - 1)
    return _task_meta(call)


def _change_job_meta(call: Call) -> Answer:
    job = find_job(call, call.id)
    _delete_frames(call, job.task, job.start_frame, job.stop_frame)
    return _job_meta(call)


def _task_data(call: Call) -> Answer:
    data = _ready(find_task(call, call.id), RefusalError(Answer(404, "Task has no media")))
    return _piece(call, data, list(range(data.size)))


def _job_data(call: Call) -> Answer:
    job = find_job(call, call.id)
    data = _ready(job.task, RefusalError(Answer(404, "Task has no media")))
    return _piece(call, data, job.frame_numbers, job)


def _piece(call: Call, data: Data, frames: list[int], job: Job | None = None) -> Answer:
    """A frame, a chunk or a preview, as `type`, `number` or `index`, and `quality` ask."""
    original = call.one("quality", "compressed") == "original"
    kind, number = call.one("type"), call.one("index") or call.one("number")
    if kind == "preview":
        return preview(data, frames[0])
    if kind not in {"frame", "chunk"} or not number.isdigit():
        raise bad_request(["Data type not specified or has wrong value"])
    if kind == "frame":
        _check_frame(int(number), data, frames, job)
        return frame(data, int(number), original=original)
    # The old way counts a job's chunks from the beginning of the task.
    skipped = 0 if call.one("index") or job is None else job.start_frame // (data.chunk_size or 1)
    return chunk(data, frames, int(number) - skipped, original=original)


def _check_frame(number: int, data: Data, frames: list[int], job: Job | None) -> None:
    if job is not None and number not in frames:
        raise bad_request(f"Incorrect requested frame number: {number}")
    if number >= data.size:
        raise bad_request(f"Invalid frame '{number}'. The frame number should be in the [0, {data.size}] range")


def _task_preview(call: Call) -> Answer:
    data = _ready(find_task(call, call.id), RefusalError(Answer(404, "Task has no media")))
    return preview(data, 0)


def _job_preview(call: Call) -> Answer:
    job = find_job(call, call.id)
    return preview(_ready(job.task, RefusalError(Answer(404, "Task has no media"))), job.frame_numbers[0])


def _project_preview(call: Call) -> Answer:
    for task in call.state.tasks.values():
        if task.project is not None and task.project.id == call.id and jobs_of(call.state, task):
            return preview(_ready(task, RefusalError(Answer(404, "Task has no media"))), 0)
    raise RefusalError(Answer(404, "Project image preview not found"))


ROUTES = (
    Route("tasks/{id}/data[/]", {"GET": _task_data, "POST": _upload}),
    Route("tasks/{id}/data/meta", {"GET": _task_meta, "PATCH": _change_task_meta}),
    Route("tasks/{id}/data/{file}", {"PATCH": uploads.append, "HEAD": uploads.tell}),
    Route("tasks/{id}/preview", {"GET": _task_preview}),
    Route("jobs/{id}/data[/]", {"GET": _job_data}),
    Route("jobs/{id}/data/meta", {"GET": _job_meta, "PATCH": _change_job_meta}),
    Route("jobs/{id}/preview", {"GET": _job_preview}),
    Route("projects/{id}/preview", {"GET": _project_preview}),
)
