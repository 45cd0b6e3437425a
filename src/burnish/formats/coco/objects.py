"""Rows of the annotations table as COCO's objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import finding, findings_table
from burnish.formats.coco.shapes import areas, boxes_of, corners_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from burnish.data.dataset import Dataset

_USUAL: Final[dict[str, Any]] = {"rotation": 0.0, "outside": False, "occluded": False, "z_order": 0, "group": 0}
_OWN_VALUES: Final = ("rotation", "source", "produced_by", "keyframe", "outside", "occluded", "z_order", "group", "parent")
_MIN_NUMBERS: Final = 6
_FOREIGN_KINDS: Final = ("polyline", "points", "ellipse", "cuboid")


class Objects(NamedTuple):
    """Objects with a place in the picture, labels of whole pictures, and what is not quite said."""

    shapes: list[dict[str, Any]]
    tags: list[dict[str, Any]]
    findings: pl.DataFrame


def annotation_objects(dataset: Dataset) -> Objects:
    """All annotations of a dataset as COCO's objects, in table order."""
    table = dataset.annotations
    sizes = {i: (h, w) for i, w, h in dataset.scan("images", "id", "width", "height").collect().iter_rows()}
    extras, attributes = extra_fields(dataset, "coco", "annotations"), _attributes(dataset)
    corners = table.select("x1", "y1", "x2", "y2").fill_null(np.nan).to_numpy()
    boxes = boxes_of(corners)
    missed = {row: ends for row, ends in enumerate((corners_of(boxes) != corners)[:, 2:].tolist()) if any(ends)}
    derived = areas(table)
    shapes: list[dict[str, Any]] = []
    tags: list[dict[str, Any]] = []
    rows = zip(table.iter_rows(named=True), boxes.tolist(), (~np.isnan(boxes.sum(axis=1))).tolist(), derived.tolist(), strict=True)
    for number, (row, box, placed, area) in enumerate(rows):
        item: dict[str, Any] = {"id": row["id"], "image_id": row["image"]}
        if row["class"] is not None:
            item["category_id"] = row["class"]
        if placed:
            item |= {"bbox": box, "area": area, "iscrowd": int(row["crowd"])}
        item |= _drawing(row, sizes.get(row["image"], (None, None)))
        ends = zip(("x2", "y2"), missed.get(number, ()), strict=False) if placed else ()
        own = _own(row, _kind_as_read(item)) | {name: row[name] for name, wrong in ends if wrong}
        _add_fields(item, row, attributes.get(row["id"], {}), extras.get(row["id"], {}))
        if own:
            item["burnish"] = own
        (tags if row["kind"] == "tag" else shapes).append(item)
    return Objects(shapes, tags, findings_table(_findings(dataset, sizes)))


def _add_fields(item: dict[str, Any], row: Mapping[str, Any], attributes: dict[str, Any], extras: Mapping[str, Any]) -> None:
    if row["score"] is not None:
        item["score"] = row["score"]
    if row["track"] is not None:
        item["track_id"] = row["track"]
    if "caption" in attributes:
        item["caption"] = str(attributes.pop("caption"))
    both = {**attributes, **(extras.get("attributes") or {})}
    item.update({name: value for name, value in extras.items() if name != "attributes"})
    if both:
        item["attributes"] = both


def _drawing(row: Mapping[str, Any], size: tuple[int | None, int | None]) -> dict[str, Any]:
    if row["kind"] == "polygon" and row["points"] and _sound(row):
        return {"segmentation": list(_rings(row))}
    if row["kind"] == "mask" and row["mask"] is not None and size[0] is not None:
        return {"segmentation": {"size": list(size), "counts": row["mask"].decode()}}
    if row["kind"] == "skeleton" and row["points"]:
        visible = row["visibility"] or [2] * (len(row["points"]) // 2)
        triples = zip(row["points"][::2], row["points"][1::2], visible, strict=False)
        return {"keypoints": [n for triple in triples for n in triple], "num_keypoints": sum(v > 0 for v in visible)}
    return {}


def _sound(row: Mapping[str, Any]) -> bool:
    return all(len(ring) >= _MIN_NUMBERS for ring in _rings(row)) and len(row["points"]) % 2 == 0


def _rings(row: Mapping[str, Any]) -> Iterator[list[float]]:
    start = 0
    for count in row["parts"] or [len(row["points"]) // 2]:
        yield row["points"][start : start + 2 * count]
        start += 2 * count


def _kind_as_read(item: Mapping[str, Any]) -> str:
    if item.get("keypoints"):
        return "skeleton"
    drawn = item.get("segmentation")
    if drawn:
        return "polygon" if isinstance(drawn, list) else "mask"
    return "box" if "bbox" in item else "tag"


def _own(row: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Columns that the standard fields do not bring back."""
    own = {name: row[name] for name in _OWN_VALUES if row[name] is not None and row[name] != _USUAL.get(name)}
    if row["kind"] == kind:
        return own
    drawn = {name: row[name] for name in ("points", "parts", "visibility") if row[name] is not None}
    return {"kind": row["kind"], **drawn, **own}


def _attributes(dataset: Dataset) -> dict[int, dict[str, Any]]:
    """Attributes by annotation; a text that is a JSON number or truth value is written as one."""
    found: dict[int, dict[str, Any]] = {}
    for annotation, name, value in dataset.attributes.select("annotation", "name", "value").iter_rows():
        found.setdefault(annotation, {})[name] = _scalar(value)
    return found


def _scalar(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) and json.dumps(value) == text else text


def _findings(dataset: Dataset, sizes: Mapping[int, tuple[int | None, int | None]]) -> Iterator[dict[str, Any]]:
    table = dataset.annotations.select("id", "image", "kind", "rotation", "mask", "x1")
    for number, image, kind in table.filter(pl.col("kind").is_in(_FOREIGN_KINDS)).select("id", "image", "kind").iter_rows():
        reason = f"COCO has no {kind}: other tools see its box only."
        yield finding("approximated", reason, is_issue=False, image=image, annotation=number)
    for number, image, turn in (
        table.filter((pl.col("rotation") != 0) & (pl.col("kind") == "box")).select("id", "image", "rotation").iter_rows()
    ):
        reason = f"COCO has no rotated box: other tools see the box before its turn of {turn:g} degrees."
        yield finding("approximated", reason, is_issue=False, image=image, annotation=number)
    for number, image, kind in table.filter(pl.col("mask").is_not_null()).select("id", "image", "kind").iter_rows():
        if kind != "mask" or sizes.get(image, (None, None))[0] is None:
            reason = f"The mask of this {kind} is not written: COCO has one outline for an object, and needs the picture's size."
            yield finding("not_carried", reason, image=image, annotation=number)
    for number, name in dataset.attributes.filter("mutable").select("annotation", "name").iter_rows():
        reason = f"That the attribute '{name}' may change along a track is not written."
        yield finding("not_carried", reason, is_issue=False, annotation=number)
