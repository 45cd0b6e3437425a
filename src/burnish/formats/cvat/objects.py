"""The tags, shapes and tracks of a CVAT job as rows of the tables, and back: the same for backups, XML and the server's API.

Frames are numbered as in the task. Labels and attributes go by their names (`api.py` turns the server's ids into names and back). A
track's rows are its key frames; attributes of the whole track stand on its first row. A skeleton's elements are rows of their own, with
the skeleton's (first) row as parent.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import DataError
from burnish.formats.cvat.labels import Label, mutable_names
from burnish.formats.cvat.shapes import KINDS, Size, shape_columns, source_columns
from burnish.formats.gathering import Gathered, add_annotation, add_extras, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TRACK_FIELDS: Final = frozenset({"frame", "group", "source", "label", "attributes", "shapes", "elements"})
_TAG_FIELDS: Final = frozenset({"frame", "group", "source", "label", "attributes", "score"})


@dataclass(frozen=True, slots=True)
class TaskView:
    """What is needed to place a task's objects.

    Attributes:
        task: Its number.
        images: Picture of each frame.
        sizes: Width and height of each frame.
        labels: The labels above, by their own names.
        path: For messages.
    """

    task: int
    images: Mapping[int, int]
    sizes: Mapping[int, Size]
    labels: Mapping[str, Label]
    path: str


@dataclass(slots=True)
class Copies:
    """Shapes that lie in the overlap of jobs: each job holds its own copy, the tables hold one.

    Attributes:
        overlap: Frames that lie in several jobs.
        rows: Rows of what earlier jobs brought there.
        tracks: How many tracks there are so far, for their numbers.
    """

    overlap: frozenset[int] = frozenset()
    rows: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    tracks: int = 0


def gather_objects(
    gathered: Gathered, found: Mapping[str, Any], view: TaskView, job: int | None = None, copies: Copies | None = None
) -> None:
    """Add the tags, shapes and tracks of one job (or of a whole task) to what is gathered; what does not fit becomes a finding.

    Args:
        gathered: Where rows go.
        found: With lists tags, shapes and tracks.
        view: The task.
        job: Number of the job that holds them; None where it is not known.
        copies: What earlier jobs of the same task brought, to know a copy again; also numbers the tracks.
    """
    copies = copies if copies is not None else Copies()
    seen: Counter[str] = Counter()
    for name, gather in (("tags", _gather_tag), ("shapes", _gather_shape)):
        for item in found.get(name) or ():
            key = _copy_key(name, item) if item["frame"] in copies.overlap else ""
            earlier = copies.rows.get(key, [])
            if key and job is not None and seen[key] < len(earlier):
                gathered.annotations[earlier[seen[key]] - 1]["jobs"].append(job)
                seen[key] += 1
                continue
            row = gather(gathered, item, view, job)
            if key and row is not None:
                copies.rows.setdefault(key, []).append(row)
                seen[key] += 1
    for track in found.get("tracks") or ():
        _gather_track(gathered, track, view, job, copies)


def _copy_key(name: str, item: Mapping[str, Any]) -> str:
    return name + json.dumps({k: v for k, v in item.items() if k != "id"}, sort_keys=True)


def _gather_tag(gathered: Gathered, tag: Mapping[str, Any], view: TaskView, job: int | None) -> int | None:
    image = _image(gathered, tag, view, "tag")
    if image is None:
        return None
    columns, extras = source_columns(tag)
    label = view.labels.get(tag["label"])
    row = add_annotation(gathered, image, _class_name(tag["label"], label), "tag", **columns, **_jobs(job))
    add_extras(gathered, "annotations", row, extras | {k: v for k, v in tag.items() if k not in _TAG_FIELDS})
    _add_attributes(gathered, row, tag.get("attributes") or (), label)
    return row


def _gather_shape(gathered: Gathered, shape: Mapping[str, Any], view: TaskView, job: int | None) -> int | None:
    image = _image(gathered, shape, view, "shape")
    label = view.labels.get(shape["label"])
    row = None if image is None else _add_shape(gathered, shape, (image, label, shape["label"]), view, **_jobs(job))
    if row is None:
        return None
    plain = _plain_elements(shape, label)
    if plain:
        gathered.annotations[row - 1] |= plain
        return row
    parts = {part.own_name: part for part in label.parts} if label else {}
    below: list[int] = []
    for element in shape.get("elements") or ():
        part = parts.get(element["label"])
        name = part.name if part else f"{shape['label']}/{element['label']}"
        added = _add_shape(gathered, element, (gathered.annotations[row - 1]["image"], part, name), view, parent=row, **_jobs(job))
        below += [] if added is None else [added]
    if below:
        gathered.annotations[row - 1] |= _around([gathered.annotations[number - 1] for number in below])
    return row


def _plain_elements(shape: Mapping[str, Any], label: Label | None) -> dict[str, Any]:
    """Points and visibility of a skeleton whose elements say nothing else: such a one is a single row, as in COCO."""
    elements = shape.get("elements") or ()
    names = [part.own_name for part in label.parts] if label else []
    if not elements or [element["label"] for element in elements] != names:
        return {}
    usual = {"z_order": 0, "rotation": 0, "group": 0, "attributes": [], "elements": []}
    usual |= {"type": "points", "frame": shape["frame"], "source": shape.get("source"), "score": 1}
    own = {"label", "points", "occluded", "outside"}
    points: list[float] = []
    visibility: list[int] = []
    for element in elements:
        flags = bool(element.get("outside")), bool(element.get("occluded"))
        strange = any(usual.get(key, "?") != value for key, value in element.items() if key not in own)
        if strange or all(flags) or len(element.get("points") or ()) != 2:  # noqa: PLR2004 - one point
            return {}
        points += map(float, element["points"])
        visibility.append(0 if flags[0] else 1 if flags[1] else 2)
    seen = [{"x1": x, "y1": y, "x2": x, "y2": y} for x, y, v in zip(points[::2], points[1::2], visibility, strict=True) if v]
    return {"points": points, "visibility": visibility, **_around(seen)}


def _around(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The box around the elements that are visible."""
    seen = [row for row in rows if not row.get("outside") and "x1" in row]
    if not seen:
        return {}
    low = {name: min(row[name] for row in seen) for name in ("x1", "y1")}
    return low | {name: max(row[name] for row in seen) for name in ("x2", "y2")}


def _add_shape(
    gathered: Gathered, shape: Mapping[str, Any], where: tuple[int, Label | None, str], view: TaskView, **more: Any
) -> int | None:
    image, label, name = where
    try:
        columns, extras = shape_columns(shape, view.sizes.get(shape["frame"]))
        told, unknown = source_columns(shape)
    except (KeyError, ValueError, DataError) as error:
        kind = shape.get("type")
        reason = (
            f"{error}" if isinstance(error, DataError) else f"A {kind} with {len(shape.get('points') or ())} numbers is no shape of CVAT."
        )
        note(gathered, "unreadable_shape", reason, path=view.path, image=image, position=f"frame {shape.get('frame')}")
        _keep_unread(gathered, view, {"shape": dict(shape)})
        return None
    kind = columns.pop("kind")
    row = add_annotation(gathered, image, _class_name(name, label), kind, **columns, **told, **more)
    add_extras(gathered, "annotations", row, extras | unknown)
    _add_attributes(gathered, row, shape.get("attributes") or (), label)
    return row


def _gather_track(gathered: Gathered, track: Mapping[str, Any], view: TaskView, job: int | None, copies: Copies) -> None:
    label = view.labels.get(track["label"])
    first = _add_track(gathered, track, (label, track["label"]), view, _jobs(job), copies)
    if first is None:
        return
    parts = {part.own_name: part for part in label.parts} if label else {}
    for element in track.get("elements") or ():
        part = parts.get(element["label"])
        name = part.name if part else f"{track['label']}/{element['label']}"
        _add_track(gathered, element, (part, name), view, {**_jobs(job), "parent": first}, copies)


def _add_track(  # noqa: PLR0917 - a track, where it goes and what goes with it
    gathered: Gathered, track: Mapping[str, Any], named: tuple[Label | None, str], view: TaskView, more: Mapping[str, Any], copies: Copies
) -> int | None:
    """Add a track's key frames; its first row, or None when it has none that can be placed."""
    copies.tracks += 1
    label, name = named
    told, unknown = source_columns(track)
    rows: list[int] = []
    strays: list[dict[str, Any]] = []
    for shape in sorted(track.get("shapes") or (), key=lambda shape: shape["frame"]):
        image = view.images.get(shape["frame"])
        added = None
        if image is not None:
            shared = {**more, "track": copies.tracks, "keyframe": True, **_lists(more)}
            added = _add_key(gathered, shape, (image, label, name), view, {**told, **shared})
        if added is None:
            strays.append(dict(shape))
        else:
            rows.append(added)
    if not rows:
        note(gathered, "empty_track", f"A track of '{name}' has no key frame on a frame of the task.", path=view.path, given=name)
        _keep_unread(gathered, view, {"track": dict(track)})
        return None
    _tell_strays(gathered, strays, view, rows[0])
    own = {k: v for k, v in track.items() if k not in TRACK_FIELDS} | unknown
    if track.get("frame") != track["shapes"][0]["frame"]:
        own["frame"] = track.get("frame")
    if own or strays:
        add_extras(gathered, "tracks", rows[0], own | ({"strays": strays} if strays else {}))
    _add_attributes(gathered, rows[0], track.get("attributes") or (), None)
    return rows[0]


def _lists(more: Mapping[str, Any]) -> dict[str, Any]:
    """A list of its own for each row: rows that share one would change together."""
    return {"jobs": list(more["jobs"])} if "jobs" in more else {}


def _add_key(
    gathered: Gathered, shape: Mapping[str, Any], where: tuple[int, Label | None, str], view: TaskView, columns: Mapping[str, Any]
) -> int | None:
    image, label, name = where
    try:
        found, extras = shape_columns(shape, view.sizes.get(shape["frame"]))
    except (KeyError, ValueError, DataError) as error:
        reason = f"{error}" if isinstance(error, DataError) else f"A {shape.get('type')} of a track is no shape of CVAT."
        note(gathered, "unreadable_shape", reason, path=view.path, image=image, position=f"frame {shape.get('frame')}")
        return None
    kind = found.pop("kind")
    row = add_annotation(gathered, image, _class_name(name, label), kind, **found, **columns)
    add_extras(gathered, "annotations", row, extras)
    _add_attributes(gathered, row, shape.get("attributes") or (), label, mutable=True)
    return row


def _tell_strays(gathered: Gathered, strays: Sequence[Mapping[str, Any]], view: TaskView, row: int) -> None:
    for shape in strays:
        if shape["frame"] not in view.images:
            reason = f"A key frame lies on frame {shape['frame']}, which the task does not have; it is kept for CVAT and not shown."
            note(gathered, "frame_outside", reason, path=view.path, annotation=row, position=f"frame {shape['frame']}")


def _image(gathered: Gathered, item: Mapping[str, Any], view: TaskView, kind: str) -> int | None:
    image = view.images.get(item["frame"])
    if image is None:
        last = max(view.images, default=-1)
        reason = (
            f"A {kind} of '{item['label']}' lies on frame {item['frame']}, but the task's frames are 0 to {last}; kept for CVAT, not shown."
        )
        note(gathered, "frame_outside", reason, path=view.path, position=f"frame {item['frame']}")
        _keep_unread(gathered, view, {kind: dict(item)})
    return image


def _keep_unread(gathered: Gathered, view: TaskView, item: Mapping[str, Any]) -> None:
    add_extras(gathered, "unread", view.task, item)


def _jobs(job: int | None) -> dict[str, Any]:
    return {} if job is None else {"jobs": [job]}


def _class_name(name: str, label: Label | None) -> str:
    return label.name if label else name


def _add_attributes(
    gathered: Gathered, row: int, attributes: Iterable[Mapping[str, Any]], label: Label | None, *, mutable: bool | None = None
) -> None:
    changing = mutable_names(label) if label and mutable is None else frozenset[str]()
    for attribute in attributes:
        name = str(attribute["name"])
        value = attribute.get("value")
        text = value if isinstance(value, str) else json.dumps(value)
        changes = name in changing if mutable is None else mutable
        gathered.attributes.append({"annotation": row, "name": name, "value": text, "mutable": changes})


def known_type(shape: Mapping[str, Any]) -> bool:
    """Whether a shape is of a type that the tables know."""
    return shape.get("type") in KINDS
