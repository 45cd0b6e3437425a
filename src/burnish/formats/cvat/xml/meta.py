"""The <meta> of a file: what a task, job or project is, and what only the server knows of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from burnish.errors import FormatError
from burnish.formats.cvat.frames import step_of
from burnish.formats.cvat.shapes import Size
from burnish.formats.cvat.xml.markup import Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

Scope: TypeAlias = Literal["task", "job", "project"]

_SCOPES: Final[tuple[Scope, ...]] = ("task", "job", "project")
DEFAULT_SUBSET: Final = "default"
"""What CVAT writes for a task without a subset."""


@dataclass(frozen=True, slots=True)
class Server:
    """What only a server knows of a task, job or project; empty texts are not written but for those that CVAT leaves empty.

    Attributes:
        scope: What was exported.
        id: The server's number.
        created: When, as the server writes it.
        updated: Likewise.
        dumped: When the file was made.
        bugtracker: A link.
        overlap: Frames that two jobs share; computed from the jobs where None.
        mode: annotation or interpolation; told by the media where empty.
        segments: Number and link of each job.
        owner: Name and mail, or nothing.
        assignee: Likewise.
    """

    scope: Scope = "task"
    id: str = ""
    created: str = ""
    updated: str = ""
    dumped: str = ""
    bugtracker: str = ""
    overlap: int | None = None
    mode: str = ""
    segments: tuple[tuple[str, str], ...] = ()
    owner: tuple[str, str] | None = None
    assignee: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TaskMeta:
    """What a file says of a task or of the one job that it holds.

    Attributes:
        name: Empty for a job.
        subset: None where it has none.
        start: Number in the source of the first frame.
        stop: Last number, inclusive; None where nothing is told.
        step: From one frame to the next.
        mode: annotation, interpolation or empty.
        jobs: First and last frame of each job, in the numbers of the task.
        size: Width and height of a video.
        source: Name of a video.
        server: The rest.
    """

    name: str = ""
    subset: str | None = None
    start: int = 0
    stop: int | None = None
    step: int = 1
    mode: str = ""
    jobs: tuple[tuple[int, int], ...] = ()
    size: Size | None = None
    source: str = ""
    server: Server = Server()


def server_fields(server: Server) -> dict[str, Any]:
    """As JSON can hold it; what says nothing is left out."""
    return {name: value for name, value in asdict(server).items() if value not in ("", None, ())}


def server_of(fields: Mapping[str, Any]) -> Server:
    """The opposite of `server_fields`."""
    people: dict[str, Any] = {name: tuple(fields[name]) for name in ("owner", "assignee") if name in fields}
    segments = tuple((number, url) for number, url in fields.get("segments", ()))
    told: dict[str, Any] = {**fields, **people, "segments": segments}
    return Server(**told)


def task_nodes(meta: TaskMeta, labels: Sequence[Node] | None) -> list[Node]:
    """What stands within <task> or <job>; of a task in a project without labels."""
    server, is_job = meta.server, meta.server.scope == "job"
    length = len(range(meta.start, (meta.stop if meta.stop is not None else meta.start) + 1, meta.step))
    told = _some("id", server.id) + ([] if is_job else [Node("name", meta.name)])
    told += [
        Node("size", str(length)),
        Node("mode", meta.mode),
        Node("overlap", str(_overlap(meta))),
        Node("bugtracker", server.bugtracker),
    ]
    told += _some("created", server.created) + _some("updated", server.updated)
    told += [Node("subset", meta.subset or DEFAULT_SUBSET), Node("start_frame", str(meta.start)), Node("stop_frame", str(meta.stop or 0))]
    told += [Node("frame_filter", f"step={meta.step}" if meta.step > 1 else ""), Node("segments", _segments(meta))]
    told += _person("owner", server.owner) if server.owner or server.id else []
    told += _person("assignee", server.assignee)
    told += [] if labels is None else [Node("labels", labels)]
    return told if is_job else told + source_nodes(meta)


def project_nodes(server: Server, name: str, tasks: Sequence[TaskMeta], labels: Sequence[Node]) -> list[Node]:
    """What stands within <project>."""
    subsets = "\n".join(dict.fromkeys(task.subset or DEFAULT_SUBSET for task in tasks))
    told = [*_some("id", server.id), Node("name", name), Node("bugtracker", server.bugtracker)]
    told += _some("created", server.created) + _some("updated", server.updated)
    told += [Node("tasks", [Node("task", task_nodes(task, None)) for task in tasks]), Node("subsets", subsets)]
    told += _person("owner", server.owner) if server.owner or server.id else []
    return [*told, *_person("assignee", server.assignee), Node("labels", labels)]


def project_offsets(tasks: Sequence[TaskMeta]) -> list[int]:
    """What CVAT adds to the numbers of each task's pictures in a project's file: in each subset they go on behind the task before."""
    behind: dict[str, int] = {}
    offsets: list[int] = []
    for task in tasks:
        subset = task.subset or DEFAULT_SUBSET
        offsets.append(behind.get(subset, 0))
        behind[subset] = offsets[-1] + (task.stop or 0) + task.step
    return offsets


def meta_node(scope: Scope, nodes: Sequence[Node], dumped: str, behind: Sequence[Node] = ()) -> Node:
    """The <meta> element."""
    return Node("meta", [Node(scope, nodes), *_some("dumped", dumped), *behind])


def source_nodes(meta: TaskMeta) -> list[Node]:
    """Size and name of a video; CVAT tells a job's size behind everything else, and not its name."""
    if meta.size is None:
        return []
    size = Node("original_size", [Node("width", str(meta.size.width)), Node("height", str(meta.size.height))])
    return [size] if meta.server.scope == "job" or not meta.source else [size, Node("source", meta.source)]


def _some(name: str, text: str) -> list[Node]:
    return [Node(name, text)] if text else []


def _person(name: str, person: tuple[str, str] | None) -> list[Node]:
    return [Node(name, "" if person is None else [Node("username", person[0]), Node("email", person[1])])]


def _segments(meta: TaskMeta) -> list[Node]:
    told = meta.server.segments
    named = [told[place] if place < len(told) else ("", "") for place in range(len(meta.jobs))]
    return [
        Node("segment", [*_some("id", number), Node("start", str(start)), Node("stop", str(stop)), *_some("url", url)])
        for (number, url), (start, stop) in zip(named, meta.jobs, strict=True)
    ]


def _overlap(meta: TaskMeta) -> int:
    if meta.server.overlap is not None:
        return meta.server.overlap
    return max(0, meta.jobs[0][1] - meta.jobs[1][0] + 1) if len(meta.jobs) > 1 else 0


def read_meta(root: Element, path: Path) -> tuple[Scope | None, Element | None, dict[str, TaskMeta]]:
    """What was exported, its element, and its tasks (or the one job) by the server's number.

    Raises:
        FormatError: A number is none.
    """
    for scope in _SCOPES:
        element = root.find(f"meta/{scope}")
        if element is None:
            continue
        dumped = root.findtext("meta/dumped") or ""
        if scope == "project":
            return scope, element, {_text(task, "id"): _task(task, "task", dumped, path) for task in element.iterfind("tasks/task")}
        meta = _task(element, scope, dumped, path, root.find("meta/original_size"))
        return scope, element, {_text(element, "id"): meta}
    return None, None, {}


def project_server(element: Element, dumped: str) -> Server:
    """What only the server knows of a project."""
    return Server(
        "project", **_dates(element), dumped=dumped, owner=_read_person(element, "owner"), assignee=_read_person(element, "assignee")
    )


def _task(element: Element, scope: Scope, dumped: str, path: Path, behind: Element | None = None) -> TaskMeta:
    subset = _text(element, "subset")
    size = element.find("original_size") if behind is None else behind
    frame_filter = _text(element, "frame_filter")
    jobs = [(_int(found, "start", path), _int(found, "stop", path)) for found in element.iterfind("segments/segment")]
    numbers = tuple((_text(found, "id"), _text(found, "url")) for found in element.iterfind("segments/segment"))
    server = Server(
        scope,
        **_dates(element),
        dumped=dumped,
        overlap=_int(element, "overlap", path) if _text(element, "overlap") else None,
        mode=_text(element, "mode"),
        segments=numbers,
        owner=_read_person(element, "owner"),
        assignee=_read_person(element, "assignee"),
    )
    return TaskMeta(
        name=_text(element, "name"),
        subset=None if subset in {"", DEFAULT_SUBSET} else subset,
        start=_int(element, "start_frame", path) if _text(element, "start_frame") else 0,
        stop=_int(element, "stop_frame", path) if _text(element, "stop_frame") else None,
        step=step_of(frame_filter, path),
        mode=_text(element, "mode"),
        jobs=tuple(jobs),
        size=None if size is None else Size(_int(size, "width", path), _int(size, "height", path)),
        source=_text(element, "source"),
        server=server,
    )


def _dates(element: Element) -> dict[str, Any]:
    return {name: _text(element, name) for name in ("id", "created", "updated", "bugtracker")}


def _read_person(element: Element, name: str) -> tuple[str, str] | None:
    found = element.find(name)
    return None if found is None or not len(found) else (_text(found, "username"), _text(found, "email"))


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _int(element: Element, name: str, path: Path) -> int:
    text = _text(element, name)
    try:
        return int(text)
    except ValueError as error:
        raise FormatError(f"<{name}> is '{text}'; expected a whole number.", path=path) from error
