"""The tags, shapes and tracks of a task as CVAT's objects: rows of the tables on their way out."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import finding
from burnish.errors import DataError
from burnish.formats.cvat.labels import FORM, Label, every_label
from burnish.formats.cvat.shapes import TYPES, Size, shape_points
from burnish.geometry import joining

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from burnish.data.dataset import Dataset

Row = dict[str, Any]

_HIDDEN: Final = 1
_COLUMNS: Final = (
    *("id", "image", "class", "kind", "x1", "y1", "x2", "y2", "rotation", "points", "parts", "visibility", "mask", "score", "source"),
    *("jobs", "track", "keyframe", "outside", "occluded", "z_order", "group", "parent"),
)


@dataclass(slots=True)
class Content:
    """What all tasks of a dataset are written from; `findings` gathers what CVAT has no place for."""

    labels: Mapping[int, Label]
    attributes: Mapping[int, Sequence[tuple[str, str, bool]]]
    extras: Mapping[int | None, Mapping[str, Any]]
    tracks: Mapping[int | None, Mapping[str, Any]]
    findings: list[Row] = field(default_factory=list[Row])


@dataclass(frozen=True, slots=True)
class Objects:
    """One task's objects, ready to be divided among jobs.

    Attributes:
        tags: Each with the jobs that hold it, or None.
        shapes: Likewise.
        tracks: Likewise; a track that several jobs hold has a piece for each.
    """

    tags: Sequence[tuple[Sequence[int] | None, Row]]
    shapes: Sequence[tuple[Sequence[int] | None, Row]]
    tracks: Sequence[tuple[Sequence[int] | None, Row]]


def content_of(dataset: Dataset, labels: Iterable[Label]) -> Content:
    """Look up what belongs to each annotation."""
    by_name = {label.name: label for label in every_label(labels)}
    classes = {number: by_name[name] for number, name in dataset.class_names().items() if name in by_name}
    attributes: dict[int, list[tuple[str, str, bool]]] = {}
    for annotation, name, value, mutable in dataset.attributes.select("annotation", "name", "value", "mutable").iter_rows():
        attributes.setdefault(annotation, []).append((name, value, mutable))
    return Content(classes, attributes, extra_fields(dataset, FORM, "annotations"), extra_fields(dataset, FORM, "tracks"))


def task_objects(
    annotations: pl.DataFrame, frames: Mapping[int, int], sizes: Mapping[int, Size], content: Content, *, views: bool = False
) -> Objects:
    """The objects of one task.

    Args:
        annotations: Rows on the task's pictures, in the order of the table.
        frames: Frame of each picture.
        sizes: Width and height of each picture.
        content: Labels, attributes and what CVAT left.
        views: Whether tracks hold every view and say of each whether it is a key frame, as in XML, rather than key frames alone.
    """
    rows = annotations.select(_COLUMNS).with_columns(pl.col("kind").cast(pl.String), pl.col("source").cast(pl.String)).to_dicts()
    rows: list[Row] = [{**row, "frame": frames[row["image"]], "size": sizes.get(row["image"])} for row in rows if _has_class(row, content)]
    children: dict[int, list[Row]] = {}
    for row in rows:
        if row["parent"] is not None:
            children.setdefault(row["parent"], []).append(row)
    free = [row for row in rows if row["track"] is None and row["parent"] is None]
    tags = [(row["jobs"], _tag(row, content)) for row in free if row["kind"] == "tag"]
    shapes = [(row["jobs"], shape) for row in free if row["kind"] != "tag" for shape in _shapes(row, children, content)]
    return Objects(tags, shapes, _tracks(rows, content, views=views))


def _has_class(row: Row, content: Content) -> bool:
    if row["class"] in content.labels:
        return True
    reason = "CVAT needs a label for every annotation; this one has no class and is left out."
    content.findings.append(finding("not_carried", reason, image=row["image"], annotation=row["id"]))
    return False


def _tag(row: Row, content: Content) -> Row:
    written = {
        "group": row["group"],
        "source": row["source"] or "manual",
        "frame": row["frame"],
        "attributes": _attributes(row["id"], content),
    }
    return {**written, "label": content.labels[row["class"]].own_name, **content.extras.get(row["id"], {})}


def _shapes(row: Row, children: Mapping[int, Sequence[Row]], content: Content) -> list[Row]:
    shape = _shape(row, content)
    if shape is None:
        return []
    below = [_shape(child, content) for child in children.get(row["id"], ())] or list(_drawn_elements(row, content))
    elements = [{key: value for key, value in part.items() if key != "elements"} for part in below if part is not None]
    return [{**shape, "elements": elements}]


def _shape(row: Row, content: Content) -> Row | None:
    placed = _placed(row, content)
    if placed is None:
        return None
    extras = {key: value for key, value in content.extras.get(row["id"], {}).items() if key != "points"}
    return {
        **placed,
        "group": row["group"],
        "source": row["source"] or "manual",
        "frame": row["frame"],
        "attributes": _attributes(row["id"], content),
        "score": 1.0 if row["score"] is None else row["score"],
        "elements": [],
        "label": content.labels[row["class"]].own_name,
        **extras,
    }


def _placed(row: Row, content: Content) -> Row | None:
    """Type, flags and points; None (and a finding) where CVAT cannot hold them."""
    try:
        points = shape_points(_one_ring(row), row["size"], content.extras.get(row["id"], {}))
    except DataError as error:
        content.findings.append(finding("not_carried", str(error), image=row["image"], annotation=row["id"]))
        return None
    if not _are_numbers(points):
        reason = "A corner or point is missing or not finite, so CVAT would refuse it; it is left out."
        content.findings.append(finding("not_carried", reason, image=row["image"], annotation=row["id"]))
        return None
    return {
        "type": TYPES[row["kind"]],
        "occluded": row["occluded"],
        "outside": row["outside"],
        "z_order": row["z_order"],
        "rotation": row["rotation"] or 0.0,
        "points": points,
    }


def _are_numbers(values: Sequence[float | None]) -> bool:
    # Asked of every shape: two passes in C are several times faster than one in Python.
    return None not in values and isfinite(sum(cast("Sequence[float]", values)))


def _one_ring(row: Row) -> Row:
    """CVAT's polygons have one ring: several are joined by bridges of no width, which keeps their area."""
    if row["kind"] != "polygon" or not row["parts"] or len(row["parts"]) == 1:
        return row
    points = np.asarray(row["points"], dtype=np.float64).reshape(-1, 2)
    rings = np.split(points, np.cumsum(row["parts"])[:-1])
    return {**row, "points": joining.join(rings).ravel().tolist()}


def _drawn_elements(row: Row, content: Content) -> Iterable[Row]:
    """Elements of a skeleton whose points stand in one row, as in COCO."""
    if row["kind"] != "skeleton" or not row["points"]:
        return
    label = content.labels[row["class"]]
    visible = row["visibility"] or [2] * (len(row["points"]) // 2)
    for place, (part, seen) in enumerate(zip(label.parts, visible, strict=False)):
        yield {
            "type": "points",
            "occluded": seen == _HIDDEN,
            "outside": seen == 0,
            "z_order": 0,
            "rotation": 0.0,
            "points": row["points"][2 * place : 2 * place + 2],
            "group": 0,
            "source": row["source"] or "manual",
            "frame": row["frame"],
            "attributes": [],
            "score": 1.0,
            "label": part.own_name,
        }


def _attributes(annotation: int, content: Content, *, mutable: bool | None = None) -> list[Row]:
    told = content.attributes.get(annotation, ())
    return [{"value": value, "name": name} for name, value, changes in told if mutable is None or changes == mutable]


def _tracks(rows: Sequence[Row], content: Content, *, views: bool) -> list[tuple[Sequence[int] | None, Row]]:
    stored = [row for row in rows if row["track"] is not None and (views or row["keyframe"] is not False)]
    pieces: dict[tuple[int, int | None], list[Row]] = {}
    for row in stored:
        for job in row["jobs"] or (None,):
            pieces.setdefault((row["track"], job), []).append(row)
    elements: dict[tuple[int, int | None], list[tuple[int, int | None]]] = {}
    owners = {row["id"]: row["track"] for row in stored}
    for track, job in pieces:
        parent = pieces[track, job][0]["parent"]
        if parent is not None:
            elements.setdefault((owners.get(parent, -1), job), []).append((track, job))
    written: list[tuple[Sequence[int] | None, Row]] = []
    for (track, job), keys in pieces.items():
        if keys[0]["parent"] is None:
            below = [_track(pieces[key], content, views=views) for key in elements.get((track, job), ())]
            written.append((None if job is None else [job], {**_track(keys, content, views=views), "elements": below}))
    return written


def _track(keys: Sequence[Row], content: Content, *, views: bool) -> Row:
    first = min(keys, key=lambda row: row["frame"])
    told = content.tracks.get(keys[0]["id"], {})
    own = {key: value for key, value in told.items() if key != "strays"}
    shapes = [_key(row, content, views=views) for row in keys]
    fixed = next((found for row in keys if (found := _attributes(row["id"], content, mutable=False))), [])
    for row in keys:
        if row["score"] is not None:
            reason = "CVAT's tracks have no scores; that of this key frame is left out."
            content.findings.append(finding("not_carried", reason, image=row["image"], annotation=row["id"], given=str(row["score"])))
    return {
        "group": first["group"],
        "source": first["source"] or "manual",
        "frame": first["frame"],
        "attributes": fixed,
        "shapes": [shape for shape in shapes if shape is not None] + list(told.get("strays", [])),
        "elements": [],
        "label": content.labels[first["class"]].own_name,
        **own,
    }


def _key(row: Row, content: Content, *, views: bool) -> Row | None:
    placed = _placed(row, content)
    if placed is None:
        return None
    extras = {key: value for key, value in content.extras.get(row["id"], {}).items() if key != "points"}
    told = {"keyframe": row["keyframe"] is not False} if views else {}
    return {**placed, "attributes": _attributes(row["id"], content, mutable=True), "frame": row["frame"], **told, **extras}
