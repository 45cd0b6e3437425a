"""The <image> and <track> elements of a task: rows of the tables on their way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from burnish.data.tracks import interpolate
from burnish.formats.cvat.content import Content, content_of, task_objects
from burnish.formats.cvat.shapes import Size
from burnish.formats.cvat.xml.markup import Node
from burnish.formats.cvat.xml.shapes import ELEMENTS, attribute_nodes, place_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.data.dataset import Dataset
    from burnish.formats.cvat.labels import Label

Flavour: TypeAlias = Literal["images", "video"]


@dataclass(frozen=True, slots=True)
class Place:
    """What stands around a task's objects in the file.

    Attributes:
        numbers: Number in the source of each frame.
        names: Name of each frame's picture, for images.
        last: Last number in the source.
        step: Numbers from one frame to the next.
        attributes: Of every <image> (subset, task_id), where several tasks share a file.
        decimals: How numbers are rounded; None tells them in full.
    """

    numbers: Mapping[int, int]
    names: Mapping[int, str]
    last: int
    step: int
    attributes: Sequence[tuple[str, str]] = ()
    decimals: int | None = None


def image_nodes(dataset: Dataset, labels: Sequence[Label], place: Place) -> tuple[list[Node], Content]:
    """Every picture that is not deleted with its shapes, of tracks as they are on it, by drawing order.

    Args:
        dataset: One task of it.
        labels: The labels of the task.
        place: Numbers and names.
    """
    shown = interpolate(dataset)
    rows = shown.annotations.sort("z_order", pl.col("track").is_not_null(), maintain_order=True)
    free = rows.with_columns(track=pl.lit(None, dtype=pl.Int64), jobs=pl.lit(None, dtype=pl.List(pl.Int32)))
    content = content_of(shown, labels)
    objects = task_objects(free, _frames(shown), _sizes(shown), content)
    shapes: dict[int, list[Node]] = {}
    for _, shape in objects.shapes:
        shapes.setdefault(shape["frame"], []).append(_shape_node(shape, place.decimals))
    for _, tag in objects.tags:
        shapes.setdefault(tag["frame"], []).append(_tag_node(tag))
    pictures = dataset.images.filter(~pl.col("deleted")).sort("frame", maintain_order=True)
    found: list[Node] = []
    for frame, width, height in pictures.select("frame", "width", "height").iter_rows():
        told = [("id", str(place.numbers[frame])), ("name", place.names[frame]), *place.attributes]
        told += [("width", str(width)), ("height", str(height))] if width and height else []
        found.append(Node("image", shapes.get(frame, []), told))
    return found, content


def _shape_node(shape: Mapping[str, Any], decimals: int | None, *, is_element: bool = False) -> Node:
    flags = [("outside", _flag(shape["outside"]))] if is_element else []
    flags += _own_flags(shape, decimals) if shape["type"] == "skeleton" else [("occluded", _flag(shape["occluded"]))]
    told = [("label", shape["label"]), ("source", shape["source"]), *flags, *place_attributes(shape, decimals)]
    told += [] if is_element else [("z_order", str(shape["z_order"]))]
    told += _group(shape)
    below = [_shape_node(part, decimals, is_element=True) for part in shape.get("elements", ())]
    return Node(ELEMENTS[shape["type"]], [*below, *attribute_nodes(shape["attributes"])], told)


def _tag_node(tag: Mapping[str, Any]) -> Node:
    told = [("label", tag["label"]), ("source", tag["source"]), *_group(tag)]
    return Node("tag", attribute_nodes(tag["attributes"]), told)


def track_nodes(dataset: Dataset, labels: Sequence[Label], place: Place, first: int = 0) -> tuple[list[Node], Content]:
    """Every track on each frame on which it is seen, and every other shape as a track of one frame.

    Args:
        dataset: One task of it.
        labels: The labels of the task.
        place: Numbers.
        first: Number of the first track.
    """
    shown = interpolate(dataset, hidden=True)
    content = content_of(shown, labels)
    free = shown.annotations.with_columns(jobs=pl.lit(None, dtype=pl.List(pl.Int32)), score=pl.lit(None, dtype=pl.Float64))
    objects = task_objects(free, _frames(shown), _sizes(shown), content, views=True)
    told = _told_tracks(dataset)
    seen = dict(zip(_told_tracks(shown), (track for _, track in objects.tracks), strict=True))
    # A track whose key frames are all on deleted frames is written empty, so that the others keep their numbers.
    names = {label.name: label.own_name for label in labels}
    tracks = [seen.get(number) or _empty(row, names) for number, row in told.items()]
    tracks += [_alone(shape, place) for _, shape in objects.shapes]
    return [_track_node(number, track, place) for number, track in enumerate(tracks, start=first)], content


def _told_tracks(dataset: Dataset) -> dict[int, dict[str, Any]]:
    """The tracks that are no elements, in the order of their first rows, each with what its elements tell it by."""
    names = dataset.class_names()
    rows = dataset.annotations.filter(pl.col("track").is_not_null() & pl.col("class").is_not_null())
    first = rows.unique("track", keep="first", maintain_order=True).filter(pl.col("parent").is_null())
    chosen = first.select("track", "class", "source", "group").iter_rows(named=True)
    return {row["track"]: {**row, "class": names.get(row["class"], "")} for row in chosen}


def _empty(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    label = names.get(row["class"], row["class"])
    return {"label": label, "source": row["source"] or "manual", "group": row["group"], "shapes": [], "elements": [], "attributes": []}


def _alone(shape: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """A shape as a track that is outside from the next frame on; CVAT, which rounds, leaves that out where the next frame is the last."""
    part = [
        {"label": element["label"], "attributes": [], "shapes": _once(element, place), "elements": []}
        for element in shape.get("elements", ())
    ]
    return {**shape, "attributes": [], "shapes": _once(shape, place), "elements": part}


def _once(shape: Mapping[str, Any], place: Place) -> list[dict[str, Any]]:
    here = {**shape, "keyframe": True}
    number = place.numbers[shape["frame"]] + place.step
    ends = number <= place.last if place.decimals is None else number < place.last
    return [here, {**here, "outside": True, "frame": None, "number": number}] if ends else [here]


def _track_node(number: int, track: Mapping[str, Any], place: Place) -> Node:
    told = [("id", str(number)), ("label", track["label"]), ("source", track["source"])]
    # A file of several tasks tells task_id before subset in tracks, and the other way round in pictures.
    told += [*reversed(place.attributes), *_group(track)]
    parts: dict[int, list[Node]] = {}
    for element in track["elements"]:
        for view in element["shapes"]:
            attributes = [*view["attributes"], *element["attributes"]]
            parts.setdefault(_number(view, place), []).append(_part_node(element["label"], view, attributes, place.decimals))
    return Node("track", [_view_node(view, track, parts, place) for view in track["shapes"]], told)


def _number(view: Mapping[str, Any], place: Place) -> int:
    return view["number"] if "number" in view else place.numbers[view["frame"]]


def _view_node(view: Mapping[str, Any], track: Mapping[str, Any], parts: Mapping[int, Sequence[Node]], place: Place) -> Node:
    number = _number(view, place)
    told = [
        ("frame", str(number)),
        *_view_flags(view, place.decimals),
        *place_attributes(view, place.decimals),
        ("z_order", str(view["z_order"])),
    ]
    attributes = attribute_nodes([*view["attributes"], *track["attributes"]])
    return Node(ELEMENTS[view["type"]], [*(parts.get(number, ()) if view["type"] == "skeleton" else ()), *attributes], told)


def _part_node(label: str, view: Mapping[str, Any], attributes: Sequence[Mapping[str, str]], decimals: int | None) -> Node:
    told = [("label", label), *_view_flags(view, decimals), *place_attributes(view, decimals)]
    return Node(ELEMENTS[view["type"]], attribute_nodes(attributes), told)


def _view_flags(view: Mapping[str, Any], decimals: int | None) -> list[tuple[str, str]]:
    told = [("keyframe", _flag(view["keyframe"]))]
    if view["type"] == "skeleton":
        return told + _own_flags(view, decimals)
    return [*told, ("outside", _flag(view["outside"])), ("occluded", _flag(view["occluded"]))]


def _own_flags(skeleton: Mapping[str, Any], decimals: int | None) -> list[tuple[str, str]]:
    """Flags of a skeleton itself, which CVAT does not write; they are told where all digits are."""
    return [(name, "1") for name in ("outside", "occluded") if decimals is None and skeleton[name]]


def _flag(value: object) -> str:
    return "1" if value else "0"


def _group(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [("group_id", str(item["group"]))] if item.get("group") else []


def _frames(dataset: Dataset) -> dict[int, int]:
    return dict(dataset.images.select("id", "frame").iter_rows())


def _sizes(dataset: Dataset) -> dict[int, Size]:
    return {i: Size(w, h) for i, w, h in dataset.images.select("id", "width", "height").iter_rows() if w and h}
