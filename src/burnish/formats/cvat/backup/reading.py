"""Reading CVAT's backups."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from burnish.data.findings import no_findings
from burnish.data.jobs import with_joined_tracks
from burnish.data.schema import IMAGES, JOB_KINDS, JOBS, MEDIA, TASKS
from burnish.data.tables import from_rows
from burnish.engine.archives import is_zip, member_names, unpacked
from burnish.engine.collector import collector_paused
from burnish.errors import FormatError
from burnish.formats.cvat.frames import Source, read_source, source_numbers, step_of
from burnish.formats.cvat.labels import FORM, Label, class_rows, every_label, label_dict, label_extras, read_labels
from burnish.formats.cvat.objects import Copies, TaskView, gather_objects
from burnish.formats.cvat.tasks import SPLITS
from burnish.formats.gathering import Gathered, add_extras, note, to_dataset
from burnish.formats.reading import PictureTables, list_files, read_text, walk_some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from burnish.data.dataset import Dataset
    from burnish.formats.cvat.shapes import Size

TASK: Final = "task.json"
PROJECT: Final = "project.json"
ANNOTATIONS: Final = "annotations.json"
DATA: Final = "data"

_OWN_FILES: Final = frozenset({TASK, ANNOTATIONS})
_TASK_FIELDS: Final = frozenset({"name", "subset", "labels", "jobs"})
_JOB_FIELDS: Final = frozenset({"start_frame", "stop_frame", "type", "frames"})
_OBJECT_LISTS: Final = frozenset({"tags", "shapes", "tracks"})


def recognise(path: Path) -> bool:
    """Whether a folder or archive holds a task.json or project.json, or archives that do."""
    if path.is_file():
        return is_zip(path) and _is_backup(path)
    return any(
        entry.name in {TASK, PROJECT} or (entry.suffix.lower() == ".zip" and is_zip(entry) and _is_backup(entry))
        for entry in walk_some(path)
    )


def _is_backup(path: Path) -> bool:
    try:
        return any(name.rpartition("/")[2] in {TASK, PROJECT} for name in member_names(path))
    except FormatError:
        return False


@dataclass(slots=True)
class _Reading:
    """What is gathered from all tasks."""

    root: Path
    gathered: Gathered = field(default_factory=lambda: Gathered(FORM))
    media: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    images: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tasks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    jobs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    labels: dict[str, Label] = field(default_factory=dict[str, Label])
    tracks: int = 0


def read(path: Path) -> Dataset:
    """Read a backup, a folder of backups, or an archive of either.

    An archive is unpacked into the user's cache. Annotations are as they are stored: tracks as key frames (`burnish.data.tracks` shows
    them on every frame), and shapes in the overlap of two jobs once.

    Raises:
        FormatError: There is no backup, or one of its files is damaged.
    """
    root = unpacked(path) if path.is_file() else path
    _refuse_archives(root)
    reading = _Reading(root)
    projects = _projects(root)
    found = sorted(_task_folders(root), key=lambda folder: (folder.as_posix().casefold(), folder.as_posix()))
    if not found and not projects:
        raise FormatError(f"there is no {TASK} and no {PROJECT} here.", path=path)
    for place, (folder, told) in enumerate(projects.items()):
        labels = read_labels(told.get("labels") or ())
        _merge_labels(reading, labels, folder)
        kept = {key: value for key, value in told.items() if key != "labels"}
        files = _other_files(root, folder, {PROJECT})
        add_extras(reading.gathered, "projects", place, {"folder": _relative(folder, root), "project": kept, **files})
    with collector_paused():
        for folder in found:
            _read_task(reading, folder, projects)
        return with_joined_tracks(_dataset(reading, path))


def _projects(root: Path) -> dict[Path, dict[str, Any]]:
    return {file.parent: _json_object(file) for file in sorted(root.rglob(PROJECT))}


def _task_folders(root: Path) -> Iterator[Path]:
    for file in root.rglob(TASK):
        yield file.parent


def _refuse_archives(root: Path) -> None:
    """Pictures are referred to where they lie, so a folder of archives has to be unpacked by its owner."""
    archives = [path for path in sorted(root.glob("*.zip")) if is_zip(path) and _is_backup(path)]
    if archives:
        raise FormatError(
            f"this folder holds {len(archives)} packed backups; name one of them, or unpack them side by side.", path=archives[0]
        )


def _json_object(path: Path) -> dict[str, Any]:
    found = _json(path)
    if not isinstance(found, dict):
        raise FormatError("this is no JSON object, which a task or project is.", path=path)
    return found


def _json(path: Path) -> Any:
    try:
        return orjson.loads(read_text(path))
    except orjson.JSONDecodeError as error:
        raise FormatError(f"this is no JSON, or it is cut off: {error}. Export the backup again.", path=path) from error


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _read_task(reading: _Reading, folder: Path, projects: Mapping[Path, Mapping[str, Any]]) -> None:
    task = _json_object(folder / TASK)
    data = task.get("data") or {}
    source = read_source(folder / DATA)
    number = len(reading.tasks)
    above = next((place for place in (folder, *folder.parents) if place in projects), None)
    labels = read_labels(task.get("labels") or (projects[above].get("labels") if above is not None else None) or ())
    raw = [label_dict(label) for label in labels]
    _merge_labels(reading, labels, folder / TASK)
    same = all(label_dict(reading.labels[label.name]) == told for label, told in zip(labels, raw, strict=True))
    numbers = source_numbers(data, source.length, folder / TASK)
    deleted: set[int] = set(data.get("deleted_frames") or ())
    view = _add_frames(reading, folder, source, numbers, deleted, number, task, labels)
    reading.tasks.append(
        {
            "id": number,
            "name": str(task.get("name") or folder.name),
            "project": None if above is None else str(projects[above].get("name") or above.name),
            "subset": task.get("subset") or None,
            "start_frame": numbers.start,
            "stop_frame": data.get("stop_frame"),
            "step": step_of(data.get("frame_filter"), folder / TASK),
        }
    )
    jobs = task.get("jobs") or []
    reading.jobs += [_job_row(number, place, job) for place, job in enumerate(jobs)]
    objects = _objects(folder)
    _gather_jobs(reading, objects, view, len(jobs))
    used = {numbers[frame] for frame in view.images}
    kept: dict[str, Any] = {
        "folder": _relative(folder, reading.root),
        "task": {key: value for key, value in task.items() if key not in _TASK_FIELDS},
        "labels": [label.own_name for label in labels] if same else raw,
        "inherits": "labels" not in task,
        "jobs": [{key: value for key, value in job.items() if key not in _JOB_FIELDS} for job in jobs],
        "objects": [{key: value for key, value in job.items() if key not in _OBJECT_LISTS} for job in objects],
        "subset": task.get("subset"),
        "deleted": sorted(frame for frame in deleted if frame not in view.images),
        "manifest": _kept_manifest(source, used),
        **_other_files(reading.root, folder, _OWN_FILES, _taken(source, used)),
    }
    add_extras(reading.gathered, "tasks", number, kept)


def _kept_manifest(source: Source, used: set[int]) -> dict[str, Any]:
    """The manifest's lines, but for pictures that are frames: those are told by the images."""
    if source.video is not None or not source.lines:
        return {"head": list(source.head), "lines": list(source.lines)}
    return {"head": list(source.head), "lines": list(source.lines), "unused": [n for n in range(source.length) if n not in used]}


def _merge_labels(reading: _Reading, labels: Sequence[Label], path: Path) -> None:
    for label in labels:
        known = reading.labels.setdefault(label.name, label)
        if label_dict(known) != label_dict(label):
            reason = f"Two tasks define the label '{label.name}' differently; the classes follow the first, each task keeps its own."
            note(reading.gathered, "label_differs", reason, given=label.name, path=_relative(path, reading.root))


def _add_frames(  # noqa: PLR0917 - what a task's frames are made of
    reading: _Reading,
    folder: Path,
    source: Source,
    numbers: range,
    deleted: set[int],
    task: int,
    told: Mapping[str, Any],
    labels: Sequence[Label],
) -> TaskView:
    below = folder.relative_to(reading.root) / DATA
    images: dict[int, int] = {}
    sizes: dict[int, Size] = {}
    first_media = len(reading.media)
    if source.video is not None:
        size = source.size_of(0)
        columns = {"width": size.width, "height": size.height} if size else {}
        path = (below / source.video).as_posix()
        reading.media.append({"id": first_media, "path": path, "kind": "video", "frame_count": source.length or None, **columns})
    shared = {"task": task, "scene": (below.parent.as_posix() if below.parent != Path() else str(told.get("name") or ""))}
    for frame, number in enumerate(numbers):
        if source.video is None and number >= source.length:
            break
        size = source.size_of(number)
        media = first_media if source.video is not None else _add_picture(reading, below, source, number, size)
        row: dict[str, Any] = {
            "id": len(reading.images),
            "media": media,
            "frame": frame,
            "true_frame": number if source.video is not None else 0,
            **shared,
        }
        if size:
            row |= {"width": size.width, "height": size.height}
            sizes[frame] = size
        row |= {"subset": told.get("subset") or None, "split": SPLITS.get(str(told.get("subset")).lower()), "deleted": frame in deleted}
        images[frame] = len(reading.images)
        reading.images.append(row)
    by_name = {label.own_name: label for label in labels}
    return TaskView(task, images, sizes, by_name, _relative(folder / ANNOTATIONS, reading.root))


def _add_picture(reading: _Reading, below: Path, source: Source, number: int, size: Any) -> int:
    columns = {"width": size.width, "height": size.height} if size else {}
    reading.media.append({"id": len(reading.media), "path": (below / source.names[number]).as_posix(), "kind": "image", **columns})
    return len(reading.media) - 1


def _job_row(task: int, place: int, job: Mapping[str, Any]) -> dict[str, Any]:
    kind = job.get("type") if job.get("type") in JOB_KINDS else "annotation"
    frames = {"frames": list(job["frames"])} if job.get("frames") else {}
    return {
        "task": task,
        "number": place,
        "start_frame": int(job["start_frame"]),
        "stop_frame": int(job["stop_frame"]),
        "kind": kind,
        **frames,
    }


def _objects(folder: Path) -> list[dict[str, Any]]:
    path = folder / ANNOTATIONS
    if not path.is_file() or not path.stat().st_size:
        return []
    found = _json(path)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list) or not all(isinstance(job, dict) for job in found):
        raise FormatError("expected a list with one object of tags, shapes and tracks for each job.", path=path)
    return found


def _gather_jobs(reading: _Reading, objects: Sequence[Mapping[str, Any]], view: TaskView, jobs: int) -> None:
    copies = Copies(tracks=reading.tracks, overlap=_overlap(reading.jobs, view.task))
    for place, job in enumerate(objects):
        gather_objects(reading.gathered, job, view, place if jobs else None, copies)
    reading.tracks = copies.tracks


def _overlap(jobs: Sequence[Mapping[str, Any]], task: int) -> frozenset[int]:
    """Frames that lie in several jobs of a task."""
    seen: Counter[int] = Counter()
    for job in jobs:
        if job["task"] == task:
            seen.update(job.get("frames") or range(job["start_frame"], job["stop_frame"] + 1))
    return frozenset(frame for frame, number in seen.items() if number > 1)


def _taken(source: Source, used: set[int]) -> set[str]:
    """Files below data/ that frames of the task are taken from; pictures between its steps are none of them, and are kept as they are."""
    return {source.video} if source.video is not None else {source.names[number] for number in used}


def _other_files(root: Path, folder: Path, own: frozenset[str] | set[str], taken: set[str] | None = None) -> dict[str, Any]:
    """Files of a task (with `taken`) or project that are neither its tables nor its frames: guides, related pictures, whatever there is."""
    media = {f"{DATA}/{name}" for name in taken or ()}
    if taken is None:
        found = [entry.name for entry in sorted(folder.iterdir()) if entry.is_file()]
        found += [f"assets/{name}" for name in list_files(folder / "assets")] if (folder / "assets").is_dir() else []
    else:
        found = list_files(folder)
    others = [name for name in found if name not in own and name not in media and name != f"{DATA}/manifest.jsonl"]
    return {"files": [_relative(folder / name, root) for name in others if not name.endswith(".zip")]} if others else {}


def _dataset(reading: _Reading, path: Path) -> Dataset:
    labels = list(reading.labels.values())
    names = [label.name for label in every_label(labels)]
    pictures = PictureTables(from_rows(MEDIA, reading.media), from_rows(IMAGES, reading.images), no_findings())
    extras = label_extras(labels)
    for place, name in enumerate(names):
        add_extras(reading.gathered, "classes", place, extras[name])
    dataset = to_dataset(reading.gathered, reading.root, pictures, path=path, declared=names, class_columns=class_rows(labels))
    return dataset.with_tables(tasks=from_rows(TASKS, reading.tasks), jobs=from_rows(JOBS, reading.jobs))
