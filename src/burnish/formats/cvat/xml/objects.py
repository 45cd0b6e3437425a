"""The <image> and <track> elements of a file as CVAT's tags, shapes and tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.errors import DataError
from burnish.formats.cvat.labels import mutable_names
from burnish.formats.cvat.xml.shapes import SHAPES, attributes_of, shape_of
from burnish.formats.gathering import note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from burnish.formats.cvat.labels import Label
    from burnish.formats.cvat.xml.frames import Frames
    from burnish.formats.gathering import Gathered


@dataclass(frozen=True, slots=True)
class TaskFile:
    """What the elements of one task are read with.

    Attributes:
        frames: Its frames.
        labels: Its labels by their own names.
        gathered: Where notes go.
        path: Of the file, for notes.
    """

    frames: Frames
    labels: Mapping[str, Label]
    gathered: Gathered
    path: str


def task_objects(images: Sequence[Element], tracks: Sequence[Element], file: TaskFile) -> dict[str, list[dict[str, Any]]]:
    """Tags, shapes and tracks with frames of the task, as `burnish.formats.cvat.objects.gather_objects` takes them.

    What cannot be read becomes a finding with the picture or track that it stands in.
    """
    found: dict[str, list[dict[str, Any]]] = {"tags": [], "shapes": [], "tracks": []}
    for image in images:
        frame = file.frames.frame_of(int(image.get("id", "0")) - file.frames.offset)
        for element in image if frame is not None else ():
            where = f"image {image.get('id')}"
            if element.tag == "tag":
                found["tags"].append({**_shared(element), "frame": frame, "attributes": attributes_of(element)})
            elif shape := _read(element, file, where):
                parts = [{**part, "frame": frame} for part in _parts(element, file, where)]
                found["shapes"].append({**_shared(element), **shape, "frame": frame, "elements": parts})
    for track in tracks:
        found["tracks"].append(_track(track, file))
    return found


def _read(element: Element, file: TaskFile, where: str) -> dict[str, Any] | None:
    try:
        return shape_of(element)
    except DataError as error:
        note(file.gathered, "unreadable_shape", str(error), path=file.path, position=where)
        return None


def _parts(skeleton: Element, file: TaskFile, where: str) -> Iterator[dict[str, Any]]:
    for part in skeleton:
        if part.tag != "attribute" and (shape := _read(part, file, where)):
            yield {**_shared(part), **shape, "elements": []}


def _shared(element: Element) -> dict[str, Any]:
    group = element.get("group_id", "0")
    return {"label": element.get("label", ""), "source": element.get("source", "manual"), "group": int(group) if group.isdecimal() else 0}


class _View(NamedTuple):
    """One view of a track: its element, its shape, its frame, and where it stands."""

    element: Element
    shape: dict[str, Any]
    frame: int
    where: str


def _track(track: Element, file: TaskFile) -> dict[str, Any]:
    label = file.labels.get(track.get("label", ""))
    views = list(_views(track, file))
    keys = [_key(view.shape, view.frame, label) for view in views if _is_key(view.element)]
    _close_skeleton(views, keys, file.frames)
    first = views[0].shape["attributes"] if views else []
    return {
        **_shared(track),
        "frame": keys[0]["frame"] if keys else 0,
        "attributes": _fixed(first, label),
        "shapes": keys,
        "elements": _elements(views, label, track.get("source", "manual"), file),
    }


def _views(track: Element, file: TaskFile) -> Iterator[_View]:
    for element in track:
        if element.tag == "attribute":
            continue
        where = f"track {track.get('id')}, frame {element.get('frame')}"
        frame = file.frames.frame_of(int(element.get("frame", "0")))
        if frame is None:
            reason = f"A view of a track lies on number {element.get('frame')}, which no frame of the task has; it is left out."
            note(file.gathered, "frame_outside", reason, path=file.path, position=where)
        elif shape := _read(element, file, where):
            yield _View(element, shape, frame, where)


def _is_key(element: Element) -> bool:
    return element.get("keyframe", "1") != "0"


def _key(shape: Mapping[str, Any], frame: int, label: Label | None) -> dict[str, Any]:
    changing = mutable_names(label) if label else None
    attributes = [a for a in shape["attributes"] if changing is None or a["name"] in changing]
    return {**shape, "frame": frame, "attributes": attributes}


def _fixed(attributes: Sequence[Mapping[str, str]], label: Label | None) -> list[dict[str, str]]:
    """Those of the whole track; where no label tells which may change, none."""
    changing = mutable_names(label) if label else None
    return [] if changing is None else [dict(a) for a in attributes if a["name"] not in changing]


def _elements(views: Sequence[_View], label: Label | None, source: str, file: TaskFile) -> list[dict[str, Any]]:
    """The parts of a skeleton as tracks of their own, from the same source: the server tells that of the skeleton alone."""
    parts = {part.own_name: part for part in label.parts} if label else {}
    found: dict[str, dict[str, Any]] = {}
    for view in views:
        for element in view.element:
            if element.tag == "attribute" or (shape := _read(element, file, view.where)) is None:
                continue
            shared = {**_shared(element), "source": element.get("source", source)}
            own = parts.get(shared["label"])
            fresh = {**shared, "frame": view.frame, "attributes": _fixed(shape["attributes"], own), "shapes": [], "elements": []}
            track = found.setdefault(shared["label"], fresh)
            if _is_key(element):
                track["shapes"].append(_key(shape, view.frame, own))
    return [track for track in found.values() if track["shapes"]]


def _close_skeleton(views: Sequence[_View], keys: Sequence[dict[str, Any]], frames: Frames) -> None:
    """Mark key frames on which a skeleton itself is outside: XML does not say so, but shows it on none of the frames that follow."""
    shown = {view.frame for view in views if view.shape["type"] == "skeleton"}
    elements = {view.frame: [part for part in view.element if part.tag in SHAPES] for view in views}
    # On its first key frame an object is seen: a shape on the last frame but one is told by a single view.
    for key in keys[1:]:
        if key["type"] != "skeleton":
            continue
        following = key["frame"] + 1
        seen = any(part.get("outside") != "1" for part in elements[key["frame"]])
        if seen and following in frames.rows and following not in shown:
            key["outside"] = True
