"""CVAT's own XML from what the server holds: every picture with its shapes, or every track with its frames."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from burnish.testing.cvat import storing
from burnish.testing.cvat.interpolation import views
from burnish.testing.cvat.records import Annotations, Job, Project, Task
from burnish.testing.cvat.state import tasks_of, with_sublabels
from burnish.testing.cvat.xml_meta import add_meta
from burnish.testing.cvat.xml_shapes import add_attributes, add_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import Data, Label
    from burnish.testing.cvat.state import State

IMAGES: Final = "CVAT for images 1.1"
VIDEO: Final = "CVAT for video 1.1"
FLAVOURS: Final = (IMAGES, VIDEO)


def export_xml(call: Call, target: Job | Project | Task, flavour: str) -> bytes:
    """The annotations of a target as XML of one of the FLAVOURS."""
    root = ET.Element("annotations")
    add_meta(root, call, target)
    tasks = tasks_of(call.state, target) if isinstance(target, Project) else [target.task if isinstance(target, Job) else target]
    starts = first_numbers(call.state, target) if isinstance(target, Project) else {}
    track_number = 0
    for task in tasks:
        if task.data is None:
            continue
        found = storing.read_job(target) if isinstance(target, Job) else storing.read_task(call.state, task)
        frames = target.frame_numbers if isinstance(target, Job) else list(range(task.data.size))
        scene = _Scene(task, task.data, found, frames, shift=starts.get(task.id))
        if flavour == IMAGES:
            scene.add_images(root)
        else:
            track_number = scene.add_tracks(root, track_number)
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8", short_empty_elements=False) + b"\n"


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


class _Scene:
    """What one task shows, frame by frame."""

    def __init__(self, task: Task, data: Data, found: Annotations, frames: Sequence[int], *, shift: int | None) -> None:
        every: list[Label] = with_sublabels(task.labels)
        self._task, self._data, self._found, self._frames = task, data, found, frames
        self._shift = shift
        self._labels = {label.id: label.name for label in every}
        self._names = {attribute.id: attribute.name for label in every for attribute in label.attributes}
        self._deleted = frozenset(data.deleted_frames)
        self._end = max(frames) + 1 if frames else 0

    def add_images(self, root: ET.Element) -> None:
        """Each frame that is not deleted, with what is visible on it, in drawing order, and its tags."""
        shown: dict[int, list[Json]] = {number: [] for number in self._frames if number not in self._deleted}
        for shape in self._found.shapes:
            if shape["frame"] in shown:
                shown[shape["frame"]].append(shape)
        for track in self._found.tracks:
            for view in self._visible(track):
                if view["frame"] in shown:
                    shown[view["frame"]].append(view)
        for number, shapes in shown.items():
            image = ET.SubElement(root, "image", self._about_image(number))
            for shape in sorted(shapes, key=lambda shape: shape["z_order"]):
                self._add_object(image, shape)
            for tag in self._found.tags:
                if tag["frame"] == number:
                    element = ET.SubElement(image, "tag", {"label": self._labels[tag["label_id"]], "source": tag["source"]})
                    add_attributes(element, tag["attributes"], self._names)

    def add_tracks(self, root: ET.Element, first: int) -> int:
        """Each track, then each single shape as a track of one frame; gives the next free number."""
        number = first
        for track, shown in [*self._tracks(), *self._single_frames()]:
            element = ET.SubElement(root, "track", {"id": str(number), **self._about(track)})
            for view in shown:
                self._add_view(element, view)
            number += 1
        return number

    def _about_image(self, number: int) -> dict[str, str]:
        frame = self._data.frames[0 if self._data.is_video else number]
        place = (self._shift or 0) + _source_number(self._data, number)
        within = {"subset": self._task.subset or "default", "task_id": str(self._task.id)} if self._shift is not None else {}
        return {
            "id": str(place),
            "name": picture_name(self._data, number, self._shift or 0),
            **within,
            "width": str(frame.width),
            "height": str(frame.height),
        }

    def _about(self, found: Json) -> dict[str, str]:
        about = {"label": self._labels[found["label_id"]], "source": found["source"]}
        return {**about, **({"group_id": str(found["group"])} if found["group"] else {})}

    def _add_object(self, image: ET.Element, shape: Json) -> None:
        element = add_shape(image, shape, self._names, self._about(shape))
        for part in shape.get("elements", []):
            add_shape(element, part, self._names, {**self._about(part), "outside": int(part["outside"]), "is_part": True})
        if shape["type"] == "skeleton":
            add_attributes(element, shape["attributes"], self._names)

    def _add_view(self, track: ET.Element, view: Json) -> None:
        about = {"frame": _source_number(self._data, view["frame"]), "keyframe": int(view["keyframe"])}
        if view["type"] != "skeleton":
            add_shape(track, view, self._names, {**about, "outside": int(view["outside"])})
            return
        element = add_shape(track, view, self._names, about)
        for part in view["elements"]:
            if part["keyframe"] or not part["outside"]:
                told = {
                    "label": self._labels[part["label_id"]],
                    "keyframe": int(part["keyframe"]),
                    "outside": int(part["outside"]),
                    "is_part": True,
                }
                add_shape(element, part, self._names, told)
        add_attributes(element, view["attributes"], self._names)

    def _views(self, track: Json, *, is_part: bool = False) -> list[Json]:
        """A track's views with the attributes of the whole track, and a skeleton's with its parts."""
        shown = views(deepcopy(track), self._end, deleted=self._deleted, through_outside=is_part)
        kept = [view for view in shown if view["frame"] not in self._deleted]
        common = {name: track[name] for name in ("label_id", "group", "source")}
        return [{**view, **common, "attributes": [*view["attributes"], *track["attributes"]], "elements": []} for view in kept]

    def _with_parts(self, track: Json) -> list[Json]:
        shown = self._views(track)
        by_frame = {view["frame"]: view for view in shown}
        for part in track.get("elements", []):
            for view in self._views(part, is_part=True):
                if view["frame"] in by_frame:
                    by_frame[view["frame"]]["elements"].append(view)
        # Where all parts are outside a skeleton is gone; the key frame on which the last one goes out is kept, as an end.
        return [view for view in shown if not view["elements"] or any(part["keyframe"] or not part["outside"] for part in view["elements"])]

    def _visible(self, track: Json) -> Iterator[Json]:
        for view in self._with_parts(track):
            if not view["outside"] and not (view["elements"] and all(part["outside"] for part in view["elements"])):
                yield view

    def _tracks(self) -> Iterator[tuple[Json, list[Json]]]:
        for track in self._found.tracks:
            yield track, self._with_parts(track)

    def _single_frames(self) -> Iterator[tuple[Json, list[Json]]]:
        for shape in sorted(self._found.shapes, key=lambda shape: shape["frame"]):
            if shape["frame"] in self._deleted:
                continue
            parts = [{**part, "keyframe": True} for part in shape.get("elements", [])]
            shown = [{**shape, "keyframe": True, "outside": False, "elements": parts}]
            after = shape["frame"] + 1
            if shape["type"] != "skeleton" and after in self._frames:
                shown.append({**shape, "keyframe": True, "outside": True, "frame": after})
            yield shape, shown
