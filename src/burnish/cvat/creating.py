"""New tasks: made under an unfinished name, filled, counted, and only then given their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import polars as pl

from burnish.cvat.background import wait_for
from burnish.cvat.connection import LostConnection
from burnish.cvat.transfer import upload_file
from burnish.cvat.tree import Node
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError, ServiceError
from burnish.formats.placing import distinct_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from burnish.data.dataset import Dataset

Json = dict[str, Any]

UNFINISHED: Final = " (unfinished)"

_SINGLE: Final = 8 * 2**20
"""Bytes from which a file is sent by itself, in pieces."""
_TOGETHER: Final = 32 * 2**20
_MANY: Final = 200
_LONGEST_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be made.

    Attributes:
        name: Its name.
        marker: By which it is known again on the server, also when this machine forgot it.
        files: Name on the server and place on this machine, in the order of the frames; or the one video.
        size: Frames that it will have; None where only the server can count them.
        about: Further fields: subset, segment_size, overlap.
        data: Further fields of its data: start_frame, stop_frame, frame_filter.
        deleted: Frames that are hidden.
    """

    name: str
    marker: str
    files: Sequence[tuple[str, Path]]
    size: int | None
    about: Json
    data: Json
    deleted: Sequence[int]


def plan_task(dataset: Dataset, task: int, *, name: str, key: str, segments: tuple[int, int]) -> NewTask:
    """What a task of the dataset becomes on a server.

    Raises:
        DataError: A picture's file is missing.
    """
    row = dataset.tasks.filter(pl.col("id") == task).row(0, named=True)
    images = dataset.images.filter(pl.col("task") == task).sort("frame")
    media = {m: (path, kind) for m, path, kind in dataset.media.select("id", "path", pl.col("kind").cast(pl.String)).iter_rows()}
    order = list(dict.fromkeys(images["media"].to_list()))
    names = distinct_paths({m: Path(media[m][0]).name for m in order})
    files = [(names[m], dataset.root / media[m][0]) for m in order]
    lacking = [path for _, path in files if not path.is_file()]
    if lacking:
        raise DataError(f"{len(lacking)} files of task '{name}' are not there, for instance {lacking[0]}. Pull or copy the media first.")
    is_video = any(media[m][1] == "video" for m in order)
    if is_video and len(order) > 1:
        raise DataError(f"Task '{name}' has {len(order)} videos, and CVAT takes one for a task. Give each a task of its own.")
    about: Json = {"subset": row["subset"] or ""}
    if segments[0]:
        about |= {"segment_size": segments[0], "overlap": segments[1]}
    marker = f"burnish:{quote(key, safe='')}/{quote(str(row['name']), safe='')}"
    deleted = images.filter(pl.col("deleted"))["frame"].to_list()
    size = None if is_video else images.height
    return NewTask(name[: _LONGEST_NAME - len(UNFINISHED)], marker, files, size, about, _video_data(row) if is_video else {}, deleted)


def _video_data(row: Mapping[str, Any]) -> Json:
    data: Json = {"start_frame": row["start_frame"]} if row["start_frame"] else {}
    if row["stop_frame"] is not None:
        data["stop_frame"] = row["stop_frame"]
    return data | ({"frame_filter": f"step={row['step']}"} if row["step"] > 1 else {})


def find_made(parent: Node, plan: NewTask) -> Node | None:
    """The task that an earlier run of the same key made, finished or not.

    Raises:
        DataError: There are several, or a task of that name is somebody else's.
    """
    query = {"project_id": parent.id} if parent.kind == "project" else {}
    connection = parent.connection
    found = [Node(connection, "task", task, parent) for task in connection.pages("tasks", tracker_link=plan.marker, **query)]
    if len(found) > 1:
        listed = ", ".join(node.url for node in found)
        raise DataError(
            f"Several tasks carry the mark of this run: {listed}. Delete all but one, or name the one that is meant as the address."
        )
    if found:
        return found[0]
    taken = [Node(connection, "task", task, parent) for task in connection.pages("tasks", name=plan.name, **query)]
    taken = [node for node in taken if parent.kind == "project" or node.about["project_id"] is None]
    if taken:
        raise DataError(
            f"{parent} has a task '{plan.name}' already ({taken[0].url}), and it is not of this run. Name its address to update it, "
            "another name with --name, or the run's own --key."
        )
    return None


def is_unfinished(task: Node) -> bool:
    """Whether a task was begun and not completed."""
    return task.name.endswith(UNFINISHED)


def make_task(parent: Node, plan: NewTask, labels: Sequence[Json], found: Node | None, *, progress: Progress = silent) -> Node:
    """Make a task with its media under an unfinished name, or continue one.

    Raises:
        ServiceError: The server refuses, or does not show as many frames as were sent.
    """
    if found is not None and not _has_data(found):
        # An upload that was cut off cannot be looked into, and the task holds nothing yet.
        found.connection.delete(found.path)
        found = None
    task = found or _begin(parent, plan, labels, progress)
    meta = task.connection.get(f"{task.path}/data/meta")
    if plan.size is not None and meta["size"] != plan.size:
        raise ServiceError(
            f"{task} shows {meta['size']} frames, and {plan.size} were sent; it stays unfinished. Delete it on the server and run the same "
            "command again."
        )
    if sorted(meta["deleted_frames"]) != sorted(plan.deleted):
        task.connection.patch(f"{task.path}/data/meta", {"deleted_frames": sorted(plan.deleted)})
    return _fresh(task)


def finish_task(task: Node, plan: NewTask) -> Node:
    """Give a complete task its own name."""
    return replace(task, about=task.connection.patch(task.path, {"name": plan.name}))


def _begin(parent: Node, plan: NewTask, labels: Sequence[Json], progress: Progress) -> Node:
    connection = parent.connection
    owner: Json = {"project_id": parent.id} if parent.kind == "project" else {"labels": list(labels)}
    body = {"name": plan.name + UNFINISHED, "bug_tracker": plan.marker, **owner, **plan.about}
    try:
        about = connection.post("tasks", body)
    except LostConnection:
        made = next(iter(connection.pages("tasks", tracker_link=plan.marker)), None)
        about = made or connection.post("tasks", body)
    task = Node(connection, "task", about, parent)
    _upload(task, plan, progress)
    return _fresh(task)


def _upload(task: Node, plan: NewTask, progress: Progress) -> None:
    connection, path = task.connection, f"{task.path}/data/"
    connection.request("POST", path, headers={"Upload-Start": ""})
    together = [(name, file) for name, file in plan.files if file.stat().st_size < _SINGLE]
    with progress.task(f"{plan.name}: files", len(plan.files)) as advance:
        for group in _groups(together):
            fields: list[tuple[str, Any]] = [("image_quality", "95")]
            fields += [(f"client_files[{place}]", (name, file.read_bytes())) for place, (name, file) in enumerate(group)]
            connection.request("POST", path, headers={"Upload-Multiple": ""}, fields=fields)
            advance(len(group))
        for name, file in plan.files:
            if file.stat().st_size >= _SINGLE:
                upload_file(connection, path, file, name, label=f"{name}: bytes", progress=progress)
                advance(1)
    settings = {
        "image_quality": 95,
        "use_cache": True,
        "use_zip_chunks": True,
        "sorting_method": "predefined",
        "upload_file_order": [name for name, _ in plan.files],
        **plan.data,
    }
    asked = connection.request("POST", path, body=settings, headers={"Upload-Finish": ""}).json()
    wait_for(connection, asked["rq_id"], label=f"{plan.name}: the server reads the media", progress=progress)


def _groups(files: Sequence[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    group: list[tuple[str, Path]] = []
    held = 0
    for name, file in files:
        size = file.stat().st_size
        if group and (held + size > _TOGETHER or len(group) == _MANY):
            yield group
            group, held = [], 0
        group.append((name, file))
        held += size
    if group:
        yield group


def _has_data(task: Node) -> bool:
    """Whether the media are there; a server that is still reading them is waited for."""
    try:
        wait_for(task.connection, f"action=create&target=task&target_id={task.id}", label=f"{task.name}: the server reads the media")
    except ServiceError as error:
        if error.status != 404:  # noqa: PLR2004 - it forgot the request, as it does after a while
            return False
    try:
        task.connection.get(f"{task.path}/data/meta")
    except ServiceError as error:
        if error.status not in (400, 404):
            raise
        return False
    return True


def _fresh(task: Node) -> Node:
    return Node(task.connection, "task", task.connection.get(task.path), task.parent)
