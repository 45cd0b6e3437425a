"""What the server holds of a task, job or project as a dataset, which burnish's own writers take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from burnish.data.findings import no_findings
from burnish.data.schema import IMAGES, JOBS, MEDIA, TASKS
from burnish.data.tables import from_rows
from burnish.formats.cvat.labels import FORM, class_rows, every_label, label_extras, read_labels
from burnish.formats.cvat.objects import Copies, TaskView, gather_objects
from burnish.formats.cvat.shapes import Size
from burnish.formats.cvat.xml import NAME
from burnish.formats.gathering import Gathered, add_extras, to_dataset
from burnish.formats.reading import PictureTables
from burnish.testing.cvat import storing
from burnish.testing.cvat.naming import label_fields, with_names
from burnish.testing.cvat.records import Job, Project, Task
from burnish.testing.cvat.state import jobs_of, tasks_of

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.testing.cvat.records import Data
    from burnish.testing.cvat.state import State

    Target = Job | Project | Task

_FOLDER: Final = "uploaded"


def tasks_with_data(state: State, target: Target) -> list[Task]:
    """The tasks of which something can be exported, in the order of a project."""
    tasks = tasks_of(state, target) if isinstance(target, Project) else [target.task if isinstance(target, Job) else target]
    return [task for task in tasks if task.data is not None and task.data.size]


def dataset_of(state: State, target: Target) -> Dataset:
    """Tasks are numbered from 0 as `tasks_with_data` gives them; of a job there are its frames alone, counted from 0."""
    gathering = _Gathering(state, target)
    for task in tasks_with_data(state, target):
        assert task.data is not None, "such tasks were left out"
        gathering.add_task(task, task.data)
    return gathering.dataset()


class _Gathering:
    def __init__(self, state: State, target: Target) -> None:
        self._state, self._target = state, target
        self._labels = read_labels(label_fields(label) for label in (target.task if isinstance(target, Job) else target).labels)
        self._objects, self._told, self._copies = Gathered(FORM), Gathered(NAME), Copies()
        self._media: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []
        self._tasks: list[dict[str, Any]] = []
        self._jobs: list[dict[str, Any]] = []

    def add_task(self, task: Task, data: Data) -> None:
        """Add frames and annotations of a task, or of the job in it."""
        job, number = self._target if isinstance(self._target, Job) else None, len(self._tasks)
        first, last = (job.start_frame, job.stop_frame) if job else (0, data.size - 1)
        spans = (
            [(0, last - first)] if job else [(each.start_frame, each.stop_frame) for each in jobs_of(self._state, task, ground_truth=False)]
        )
        self._jobs += [
            {"task": number, "number": place, "start_frame": start, "stop_frame": stop, "kind": "annotation"}
            for place, (start, stop) in enumerate(spans)
        ]
        self._tasks.append(
            {
                "id": number,
                "name": task.name,
                "project": self._target.name if isinstance(self._target, Project) else None,
                "subset": task.subset or None,
                "start_frame": data.start_frame + first * data.step,
                "stop_frame": data.start_frame + last * data.step,
                "step": data.step,
            }
        )
        add_extras(self._told, "tasks", number, {"first_frame": first} if first else {})
        add_extras(self._objects, "tasks", number, {"folder": _FOLDER})
        images = self._add_frames(data, job.frame_numbers if job else range(data.size), first)
        found = storing.read_job(job) if job else storing.read_task(self._state, task)
        sizes = {frame: Size(*self._size(image)) for frame, image in images.items()}
        by_name = {label.own_name: label for label in self._labels}
        view = TaskView(number, images, sizes, by_name, f"task {task.id}")
        named = with_names(storing.as_json(found), task.labels)
        # As in CVAT's files; the API tells shapes by their numbers.
        named["shapes"].sort(key=lambda shape: shape["frame"])
        gather_objects(self._objects, named, view, None, self._copies)

    def _size(self, image: int) -> tuple[int, int]:
        row = self._images[image]
        return row["width"], row["height"]

    def _add_frames(self, data: Data, frames: range | list[int], first: int) -> dict[int, int]:
        """Picture of each frame of the task."""
        images: dict[int, int] = {}
        deleted = set(data.deleted_frames)
        for frame in frames:
            source = data.frames[0 if data.is_video else frame]
            size = {"width": source.width, "height": source.height}
            if not data.is_video or not images:
                path = f"{_FOLDER}/data/{source.name}"
                self._media.append({"id": len(self._media), "path": path, "kind": "video" if data.is_video else "image", **size})
            images[frame] = len(self._images)
            self._images.append(
                {
                    "id": images[frame],
                    "media": len(self._media) - 1,
                    "task": len(self._tasks) - 1,
                    "frame": frame - first,
                    "true_frame": data.start_frame + frame * data.step if data.is_video else 0,
                    "deleted": frame in deleted,
                    **size,
                }
            )
        return images

    def dataset(self) -> Dataset:
        """All that was added."""
        names = [label.name for label in every_label(self._labels)]
        extras = label_extras(self._labels)
        for place, name in enumerate(names):
            add_extras(self._objects, "classes", place, extras[name])
        self._objects.extras.extend(self._told.extras)
        pictures = PictureTables(from_rows(MEDIA, self._media), from_rows(IMAGES, self._images), no_findings())
        # A project without tasks is called as its folder by the writer.
        root = Path(self._target.name) if isinstance(self._target, Project) else Path()
        found = to_dataset(self._objects, root, pictures, path=root, declared=names, class_columns=class_rows(self._labels))
        return found.with_tables(tasks=from_rows(TASKS, self._tasks), jobs=from_rows(JOBS, self._jobs))
