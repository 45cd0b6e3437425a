"""Reading CVAT XML of tasks, jobs and projects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from burnish.data.findings import no_findings
from burnish.data.schema import IMAGES, JOBS, MEDIA, TASKS
from burnish.data.tables import from_rows
from burnish.engine.collector import collector_paused
from burnish.errors import DataError, FormatError
from burnish.formats.cvat.labels import FORM, Label, class_rows, every_label, label_dict, label_extras
from burnish.formats.cvat.objects import Copies, TaskView, gather_objects
from burnish.formats.cvat.tasks import SPLITS
from burnish.formats.cvat.xml.frames import Frame, Frames, canvas, frames_of
from burnish.formats.cvat.xml.labels import labels_of_meta
from burnish.formats.cvat.xml.layout import find_files
from burnish.formats.cvat.xml.meta import Scope, TaskMeta, project_offsets, project_server, read_meta, server_fields
from burnish.formats.cvat.xml.objects import TaskFile, task_objects
from burnish.formats.gathering import Gathered, add_extras, note, to_dataset
from burnish.formats.reading import PictureTables
from burnish.formats.xml_text import parse_xml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from burnish.data.dataset import Dataset
    from burnish.formats.cvat.shapes import Size

NAME: Final = "cvat_xml"


@dataclass(slots=True)
class _Reading:
    """What is gathered from all files; what the family shares, and what only XML tells."""

    root: Path
    gathered: Gathered = field(default_factory=lambda: Gathered(FORM))
    told: Gathered = field(default_factory=lambda: Gathered(NAME))
    media: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    images: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tasks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    jobs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    labels: dict[str, Label] = field(default_factory=dict[str, Label])
    copies: Copies = field(default_factory=Copies)


@dataclass(frozen=True, slots=True)
class _Task:
    """One task as it stands in a file."""

    meta: TaskMeta
    project: str | None
    images: Sequence[Element]
    tracks: Sequence[Element]
    offset: int = 0


def read(path: Path) -> Dataset:
    """Read an annotations.xml, a zip with one, or a folder with some, one for each task.

    Tracks are kept as key frames; the views between them, which XML for video tells too, are made again when they are needed. Pictures
    are looked for in images/ and beside the file; a file alone is read as well.

    Raises:
        FormatError: There is no such file, it is damaged, or it declares entities.
    """
    root, files = find_files(path)
    reading = _Reading(root)
    with collector_paused():
        for file in files:
            _read_file(reading, file)
        return _dataset(reading, path)


def _read_file(reading: _Reading, file: Path) -> None:
    tree = parse_xml(file)
    if tree.tag != "annotations":
        raise FormatError(f"the element at the top is <{tree.tag}>; expected <annotations>.", path=file)
    scope, element, metas = read_meta(tree, file)
    labels = labels_of_meta(element)
    _merge_labels(reading, labels, file)
    project = None
    if scope == "project" and element is not None:
        project = element.findtext("name") or file.parent.name
        server = project_server(element, tree.findtext("meta/dumped") or "")
        add_extras(reading.told, "projects", len(reading.told.extras), server_fields(server))
    for task in _tasks(tree, scope, metas, project, file):
        _read_task(reading, task, labels, file)


def _tasks(tree: Element, scope: Scope | None, metas: dict[str, TaskMeta], project: str | None, file: Path) -> list[_Task]:
    images, tracks = tree.findall("image"), tree.findall("track")
    if scope != "project":
        meta = next(iter(metas.values()), TaskMeta())
        named = meta if meta.name else replace(meta, name=f"job {meta.server.id}" if scope == "job" else file.parent.name or file.stem)
        return [_Task(named, None, images, tracks)]
    strangers = {found.get("task_id", "") for found in (*images, *tracks)} - metas.keys()
    if strangers:
        raise FormatError(f"pictures or tracks name the tasks {sorted(strangers)}, which <tasks> does not hold.", path=file)
    return [
        _Task(meta, project, [i for i in images if i.get("task_id") == number], [t for t in tracks if t.get("task_id") == number], offset)
        for (number, meta), offset in zip(metas.items(), project_offsets(list(metas.values())), strict=True)
    ]


def _merge_labels(reading: _Reading, labels: Sequence[Label], file: Path) -> None:
    for label in labels:
        known = reading.labels.setdefault(label.name, label)
        if label_dict(known) != label_dict(label):
            reason = f"Two files define the label '{label.name}' differently; the classes follow the first."
            note(reading.gathered, "label_differs", reason, given=label.name, path=_relative(file, reading.root))


def _read_task(reading: _Reading, task: _Task, labels: Sequence[Label], file: Path) -> None:
    number, meta = len(reading.tasks), task.meta
    frames = frames_of(meta, task.images, task.tracks, file.parent, file, offset=task.offset)
    images, sizes = _add_frames(reading, task, frames, file)
    row = {"id": number, "name": meta.name, "project": task.project, "subset": meta.subset}
    reading.tasks.append({**row, "start_frame": frames.start, "stop_frame": meta.stop, "step": frames.step})
    # A job's file tells its place in the task; here its frames are counted from 0.
    shift = meta.jobs[0][0] if meta.server.scope == "job" and meta.jobs else 0
    reading.jobs += [
        {"task": number, "number": place, "start_frame": first - shift, "stop_frame": last - shift, "kind": "annotation"}
        for place, (first, last) in enumerate(meta.jobs)
    ]
    add_extras(reading.told, "tasks", number, _kept(meta, shift))
    by_name = {label.own_name: label for label in labels}
    position = _relative(file, reading.root)
    found = task_objects(task.images, task.tracks, TaskFile(frames, by_name, reading.gathered, position))
    gather_objects(reading.gathered, found, TaskView(number, images, sizes, by_name, position), None, reading.copies)


def _kept(meta: TaskMeta, shift: int) -> dict[str, Any]:
    """What the tables have no column for."""
    server = server_fields(meta.server)
    kept: dict[str, Any] = {"server": server} if server.get("id") else {}
    kept |= {"first_frame": shift} if shift else {}
    kept |= {"source": meta.source} if meta.source else {}
    return kept | ({"size": list(meta.size)} if meta.size else {})


def _add_frames(reading: _Reading, task: _Task, frames: Frames, file: Path) -> tuple[dict[int, int], dict[int, Size]]:
    below = _relative(file.parent, reading.root)
    held = _source(reading, task, frames, below, file)
    smallest = _smallest(reading, task, frames, file)
    images: dict[int, int] = {}
    sizes: dict[int, Size] = {}
    shared = {
        "task": len(reading.tasks),
        "scene": task.meta.name,
        "subset": task.meta.subset,
        "split": SPLITS.get(str(task.meta.subset).lower()),
    }
    for frame, row in frames.rows.items():
        media = _add_picture(reading, row, below) if row.path else held
        size = row.size or smallest
        columns = {"width": size.width, "height": size.height} if size else {}
        true_frame = 0 if row.path else row.number
        image = {"id": len(reading.images), "media": media, "frame": frame, "true_frame": true_frame, "deleted": not row.told}
        reading.images.append({**image, **columns, **shared})
        images[frame] = image["id"]
        if size:
            sizes[frame] = size
    return images, sizes


def _source(reading: _Reading, task: _Task, frames: Frames, below: str, file: Path) -> int:
    """The media row of frames without pictures of their own: a video, or a list that nobody has named."""
    if all(row.path for row in frames.rows.values()):
        return -1
    meta = task.meta
    name = meta.source or f"{meta.name}"
    size = {"width": meta.size.width, "height": meta.size.height} if meta.size else {}
    kind = "video" if frames.is_video and (meta.source or meta.size) else "sequence"
    reading.media.append({"id": len(reading.media), "path": _joined(below, name), "kind": kind, **size})
    if not (file.parent / name).is_file():
        reason = f"{len(frames.rows)} frames have no pictures here; put them in images/ beside the file to see them."
        note(reading.gathered, "no_pictures", reason, is_issue=False, path=_relative(file, reading.root))
    return len(reading.media) - 1


def _smallest(reading: _Reading, task: _Task, frames: Frames, file: Path) -> Size | None:
    """A size for frames of which none is told: masks are runs over a whole picture."""
    if all(row.size for row in frames.rows.values()):
        return None
    try:
        size = canvas(mask for found in (*task.images, *task.tracks) for mask in found.iterfind("mask"))
    except DataError as error:
        raise FormatError(str(error), path=file) from error
    if size is not None:
        reason = f"The size of the pictures is not told; {size.width} x {size.height} pixels are the fewest that hold every mask."
        note(reading.gathered, "no_size", reason, path=_relative(file, reading.root))
    return size


def _add_picture(reading: _Reading, row: Frame, below: str) -> int:
    columns = {"width": row.size.width, "height": row.size.height} if row.size else {}
    reading.media.append({"id": len(reading.media), "path": _joined(below, row.path), "kind": "image", **columns})
    return len(reading.media) - 1


def _joined(below: str, name: str) -> str:
    return (PurePosixPath(below) / PurePosixPath(name.replace("\\", "/").lstrip("/"))).as_posix()


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _dataset(reading: _Reading, path: Path) -> Dataset:
    labels = list(reading.labels.values())
    names = [label.name for label in every_label(labels)]
    pictures = PictureTables(from_rows(MEDIA, reading.media), from_rows(IMAGES, reading.images), no_findings())
    extras = label_extras(labels)
    for place, name in enumerate(names):
        add_extras(reading.gathered, "classes", place, extras[name])
    reading.gathered.extras.extend(reading.told.extras)
    dataset = to_dataset(reading.gathered, reading.root, pictures, path=path, declared=names, class_columns=class_rows(labels))
    dataset = dataset.with_tables(tasks=from_rows(TASKS, reading.tasks), jobs=from_rows(JOBS, reading.jobs))
    return replace(dataset, origin=MappingProxyType({"format": NAME, "path": str(path)}))
