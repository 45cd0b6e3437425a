"""The <image> and <track> elements of a file as CVAT's tags, shapes and tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from burnish.errors import DataError
from burnish.formats.cvat.labels import Label, mutable_names
from burnish.formats.cvat.xml.shapes import SHAPES, attributes_of, shape_of
from burnish.formats.gathering import Gathered, note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from burnish.formats.cvat.xml.frames import Frames

_BELOW: Final = frozenset({"attribute", "tag", *SHAPES})


def task_objects(
    images: Sequence[Element], tracks: Sequence[Element], frames: Frames, labels: Mapping[str, Label], gathered: Gathered, path: str
) -> dict[str, list[dict[str, Any]]]:
    """Tags, shapes and tracks with frames of the task, as `burnish.formats.cvat.objects.gather_objects` takes them.

    What cannot be read becomes a finding with the picture or track that it stands in.
    """
    found: dict[str, list[dict[str, Any]]] = {"tags": [], "shapes": [], "tracks": []}
    for image in images:
        frame = frames.frame_of(int(image.get("id", "0")) - frames.offset)
        for element in image if frame is not None else ():
            where = f"image {image.get('id')}"
            if element.tag == "tag":
                found["tags"].append({**_shared(element), "frame": frame, "attributes": attributes_of(element)})
            elif shape := _read(_image_shape, element, frame, gathered, path, where):
                found["shapes"].append(shape)
    for track in tracks:
        found["tracks"].append(_track(track, frames, labels, gathered, path))
    return found


def _read(make: Any, element: Element, frame: Any, gathered: Gathered, path: str, where: str) -> dict[str, Any] | None:
    try:
        return make(element, frame)
    except DataError as error:
        note(gathered, "unreadable_shape", str(error), path=path, position=where)
        return None


def _shared(element: Element) -> dict[str, Any]:
    group = element.get("group_id", "0")
    return {"label": element.get("label", ""), "source": element.get("source", "manual"), "group": int(group) if group.isdecimal() else 0}


def _image_shape(element: Element, frame: int) -> dict[str, Any]:
    parts = [child for child in element if child.tag in SHAPES]
    elements = [{**_shared(part), **shape_of(part), "frame": frame, "elements": []} for part in parts]
    return {**_shared(element), **shape_of(element), "frame": frame, "elements": elements}


def _track(track: Element, frames: Frames, labels: Mapping[str, Label], gathered: Gathered, path: str) -> dict[str, Any]:
    label = labels.get(track.get("label", ""))
    views = list(_views(track, frames, gathered, path))
    keys = [_key(element, shape, frame, label) for element, shape, frame in views if element.get("keyframe", "1") != "0"]
    _close_skeleton(views, keys, frames)
    first = attributes_of(views[0][0]) if views else []
    return {
        **_shared(track),
        "frame": keys[0]["frame"] if keys else 0,
        "attributes": _fixed(first, label),
        "shapes": keys,
        "elements": _elements(views, label),
    }


def _views(track: Element, frames: Frames, gathered: Gathered, path: str) -> Iterator[tuple[Element, dict[str, Any], int]]:
    """Each view with its shape and its frame."""
    for element in track:
        if element.tag == "attribute":
            continue
        where = f"track {track.get('id')}, frame {element.get('frame')}"
        frame = frames.frame_of(int(element.get("frame", "0")))
        if frame is None:
            reason = f"A view of a track lies on number {element.get('frame')}, which no frame of the task has; it is left out."
            note(gathered, "frame_outside", reason, path=path, position=where)
        elif shape := _read(_view_shape, element, None, gathered, path, where):
            yield element, shape, frame


def _view_shape(element: Element, _frame: None) -> dict[str, Any]:
    return shape_of(element)


def _key(element: Element, shape: Mapping[str, Any], frame: int, label: Label | None) -> dict[str, Any]:
    changing = mutable_names(label) if label else None
    attributes = [a for a in shape["attributes"] if changing is None or a["name"] in changing]
    return {**shape, "frame": frame, "attributes": attributes}


def _fixed(attributes: Sequence[Mapping[str, str]], label: Label | None) -> list[dict[str, str]]:
    """Those of the whole track; where no label tells which may change, none."""
    changing = mutable_names(label) if label else None
    return [] if changing is None else [dict(a) for a in attributes if a["name"] not in changing]


def _elements(views: Sequence[tuple[Element, Mapping[str, Any], int]], label: Label | None) -> list[dict[str, Any]]:
    """The parts of a skeleton as tracks of their own."""
    parts = {part.own_name: part for part in label.parts} if label else {}
    found: dict[str, dict[str, Any]] = {}
    for view, _, frame in views:
        for element in view:
            if element.tag == "attribute" or element.tag not in SHAPES:
                continue
            name = element.get("label", "")
            told = shape_of(element)
            track = found.setdefault(
                name,
                {
                    **_shared(element),
                    "frame": frame,
                    "attributes": _fixed(told["attributes"], parts.get(name)),
                    "shapes": [],
                    "elements": [],
                },
            )
            if element.get("keyframe", "1") != "0":
                track["shapes"].append(_key(element, told, frame, parts.get(name)))
    return [track for track in found.values() if track["shapes"]]


def _close_skeleton(views: Sequence[tuple[Element, Mapping[str, Any], int]], keys: Sequence[dict[str, Any]], frames: Frames) -> None:
    """Mark key frames on which a skeleton itself is outside: XML does not say so, but shows it on none of the frames that follow."""
    shown = {frame for _, shape, frame in views if shape["type"] == "skeleton"}
    elements = {frame: [part for part in view if part.tag in SHAPES] for view, _, frame in views}
    for key in keys:
        if key["type"] != "skeleton":
            continue
        following = key["frame"] + 1
        seen = any(part.get("outside") != "1" for part in elements[key["frame"]])
        if seen and following in frames.rows and following not in shown:
            key["outside"] = True
