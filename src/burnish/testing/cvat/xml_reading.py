"""CVAT's own XML, plain or in a zip, into annotations with this server's numbers; what comes from a file says so in its source."""

from __future__ import annotations

import zipfile
from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from burnish.testing.cvat.background import WorkError
from burnish.testing.cvat.checking import checked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from burnish.testing.cvat.calls import Json
    from burnish.testing.cvat.records import Annotations, Label, Task

_SHAPES: Final = frozenset({"box", "polygon", "polyline", "points", "cuboid", "mask", "ellipse", "skeleton"})
_CUBOID: Final = (
    "xtl1",
    "ytl1",
    "xbl1",
    "ybl1",
    "xtr1",
    "ytr1",
    "xbr1",
    "ybr1",
    "xtl2",
    "ytl2",
    "xbl2",
    "ybl2",
    "xtr2",
    "ytr2",
    "xbr2",
    "ybr2",
)


def read_file(path: Path, task: Task, frames: Iterable[int]) -> Annotations:
    """Read a file of annotations for a task, or for a job on some of its frames.

    Raises:
        WorkError: In CVAT's words: the file is no XML, or names a frame or label that is not there.
    """
    reading = _Reading(task, frames)
    for text in _texts(path):
        try:
            root = ET.fromstring(text)
        except ET.ParseError as error:
            message = f"xml.etree.ElementTree.ParseError: {error}"
            raise WorkError(message) from error
        reading.read(root)
    return checked(reading.found, with_ids=False)


def _texts(path: Path) -> list[bytes]:
    if not zipfile.is_zipfile(path):
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as file:
        return [file.read(name) for name in file.namelist() if name.endswith(".xml")]


class _Reading:
    def __init__(self, task: Task, frames: Iterable[int]) -> None:
        assert task.data is not None, "annotations lie on frames"
        self._data, self._frames = task.data, set(frames)
        self._labels = task.labels
        self.found: dict[str, list[Json]] = {"tags": [], "shapes": [], "tracks": []}

    def read(self, root: ET.Element) -> None:
        """Gather what one XML holds."""
        for image in root.iter("image"):
            frame = self._frame_of(image)
            for element in image:
                if element.tag == "tag":
                    self.found["tags"].append(self._object(element, frame, self._labels))
                elif element.tag in _SHAPES:
                    self.found["shapes"].append(self._shape(element, frame))
        for track in root.iter("track"):
            self._read_track(track)

    def _number(self, source_frame: int) -> int:
        """A frame of the task from a frame of the source."""
        number, rest = divmod(source_frame - self._data.start_frame, self._data.step)
        if rest or number not in self._frames:
            message = f"ValueError: Unknown frame {source_frame}"
            raise WorkError(message)
        return number

    def _frame_of(self, image: ET.Element) -> int:
        """Pictures are found by name, whatever number the file gives them; frames of a video by number."""
        name = image.get("name", "")
        found = [number for number in sorted(self._frames) if not self._data.is_video and self._data.frames[number].name == name]
        if not found and not self._data.is_video:
            found = [number for number in sorted(self._frames) if PurePath(self._data.frames[number].name).stem == PurePath(name).stem]
        return found[0] if found else self._number(int(image.get("id", "-1")))

    def _label(self, element: ET.Element, labels: list[Label]) -> Label:
        name = element.get("label", "")
        if (found := next((label for label in labels if label.name == name), None)) is None:
            message = f"ValueError: Label {name!r} is not registered for this task"
            raise WorkError(message)
        return found

    def _object(self, element: ET.Element, frame: int, labels: list[Label]) -> Json:
        label = self._label(element, labels)
        common = {"label_id": label.id, "frame": frame, "group": int(element.get("group_id", "0")), "source": "file"}
        return {**common, "attributes": _attributes(element, label)}

    def _shape(self, element: ET.Element, frame: int) -> Json:
        shape = {**self._object(element, frame, self._labels), **_place(element)}
        if element.tag == "skeleton":
            parts = self._label(element, self._labels).sublabels
            shape["elements"] = [{**self._object(part, frame, parts), **_place(part)} for part in element if part.tag in _SHAPES]
        return shape

    def _read_track(self, element: ET.Element) -> None:
        label = self._label(element, self._labels)
        views = [view for view in element if view.tag in _SHAPES]
        track: Json = {**self._track(views, label), "group": int(element.get("group_id", "0"))}
        if any(view.tag == "skeleton" for view in views):
            track["elements"] = self._parts(views, label)
        if not track["shapes"]:
            raise WorkError("IndexError: list index out of range")
        # Single shapes that were written as tracks stay tracks, but for masks, which cannot be tracks.
        if track["shapes"][0]["type"] == "mask":
            self._add_single(track)
        else:
            self.found["tracks"].append(track)

    def _add_single(self, track: Json) -> None:
        shape = track["shapes"][0]
        common = {name: track[name] for name in ("label_id", "group", "source")}
        self.found["shapes"].append({**shape, **common, "attributes": [*shape["attributes"], *track["attributes"]]})

    def _track(self, views: list[ET.Element], label: Label, times: list[ET.Element] | None = None) -> Json:
        mutable = {attribute.id for attribute in label.attributes if attribute.mutable}
        keys: list[Json] = []
        told: list[Json] = []
        for view, time in zip(views, times or views, strict=True):
            values = _attributes(view, label)
            told = told or [each for each in values if each["spec_id"] not in mutable]
            if view.get("keyframe", "1") == "1":
                changing = [each for each in values if each["spec_id"] in mutable]
                keys.append({**_place(view), "frame": self._number(int(time.get("frame", "0"))), "attributes": changing})
        first = keys[0]["frame"] if keys else 0
        return {"label_id": label.id, "frame": first, "source": "file", "attributes": told, "shapes": keys}

    def _parts(self, views: list[ET.Element], label: Label) -> list[Json]:
        parts: list[Json] = []
        for sublabel in label.sublabels:
            pairs = [(part, view) for view in views for part in view if part.tag in _SHAPES and part.get("label") == sublabel.name]
            if pairs:
                parts.append(self._track([part for part, _ in pairs], sublabel, [view for _, view in pairs]))
        return parts


def _attributes(element: ET.Element, label: Label) -> list[Json]:
    numbers = {attribute.name: attribute.id for attribute in label.attributes}
    found = [(each.get("name", ""), each.text or "") for each in element if each.tag == "attribute"]
    return [{"spec_id": numbers[name], "value": value} for name, value in found if name in numbers]


def _place(element: ET.Element) -> Json:
    kind = "rectangle" if element.tag == "box" else element.tag
    flags = {name: element.get(name, "0") == "1" for name in ("occluded", "outside")}
    drawn = {"z_order": int(element.get("z_order", "0")), "rotation": float(element.get("rotation", "0"))}
    return {"type": kind, "points": _points(element), **flags, **drawn}


def _points(element: ET.Element) -> list[float]:
    def values(*names: str) -> list[float]:
        return [float(element.get(name, "0")) for name in names]

    if element.tag == "box":
        return values("xtl", "ytl", "xbr", "ybr")
    if element.tag == "ellipse":
        x, y, across, up = values("cx", "cy", "rx", "ry")
        return [x, y, x + across, y - up]
    if element.tag == "cuboid":
        return values(*_CUBOID)
    if element.tag == "mask":
        left, top, width, height = values("left", "top", "width", "height")
        runs = [float(run) for run in element.get("rle", "").split(",") if run.strip()]
        return [*runs, left, top, left + width - 1, top + height - 1]
    return [float(value) for pair in element.get("points", "").split(";") if pair for value in pair.split(",")]
