"""CVAT's labels as classes: the same for backups, XML and the server's API.

A label of the project or task is a class under its own name; a part of a skeleton is a class `skeleton/part`, because CVAT allows equal
names below different skeletons.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import polars as pl

from burnish.data.dataset import extra_fields
from burnish.formats.cvat.shapes import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from burnish.data.dataset import Dataset

FORM: Final = "cvat"
SEPARATOR: Final = "/"

_KNOWN: Final = frozenset({"name", "color", "attributes", "type", "sublabels", "svg"})
_EDGE: Final = re.compile(r"<line\b[^>]*>")
_NODE: Final = re.compile(r"<circle\b[^>]*>")


@dataclass(frozen=True, slots=True)
class Label:
    """One label.

    Attributes:
        name: Its name among the classes; of a skeleton's part `skeleton/part`.
        own_name: Its name in CVAT.
        colour: #rrggbb or empty.
        kind: CVAT's type: any, rectangle, polygon, polyline, points, ellipse, cuboid, mask, skeleton, tag.
        attributes: Specifications as CVAT writes them: name, mutable, input_type, default_value, values.
        parts: The labels of a skeleton's points.
        svg: How a skeleton is drawn, as CVAT keeps it.
        others: What else came with it, for instance ids of the server.
    """

    name: str
    own_name: str
    colour: str = ""
    kind: str = "any"
    attributes: tuple[Mapping[str, Any], ...] = ()
    parts: tuple[Label, ...] = ()
    svg: str = ""
    others: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_labels(found: Iterable[Mapping[str, Any]], *, above: str = "") -> tuple[Label, ...]:
    """Labels of a list as it stands in task.json, project.json or an answer of the server."""
    return tuple(_read_label(label, above) for label in found)


def _read_label(label: Mapping[str, Any], above: str) -> Label:
    own = str(label["name"])
    name = f"{above}{SEPARATOR}{own}" if above else own
    return Label(
        name=name,
        own_name=own,
        colour=str(label.get("color") or ""),
        kind=str(label.get("type") or "any"),
        attributes=tuple(label.get("attributes") or ()),
        parts=read_labels(label.get("sublabels") or (), above=name),
        svg=str(label.get("svg") or ""),
        others={key: value for key, value in label.items() if key not in _KNOWN},
    )


def label_dict(label: Label) -> dict[str, Any]:
    """A label as a backup holds it."""
    written: dict[str, Any] = {
        "name": label.own_name,
        "color": label.colour,
        "attributes": [dict(attribute) for attribute in label.attributes],
        "type": label.kind,
    }
    if SEPARATOR not in label.name or label.name == label.own_name:
        written["sublabels"] = [label_dict(part) for part in label.parts]
    if label.svg:
        written["svg"] = label.svg
    return {**written, **label.others}


def every_label(labels: Iterable[Label]) -> list[Label]:
    """Labels and the labels of their parts, each after the one above it."""
    return [label for above in labels for label in (above, *every_label(above.parts))]


def mutable_names(label: Label) -> frozenset[str]:
    """Names of the attributes that may change along a track."""
    return frozenset(str(a["name"]) for a in label.attributes if a.get("mutable"))


def class_rows(labels: Sequence[Label]) -> dict[str, dict[str, Any]]:
    """Columns of the classes table by class name."""
    rows: dict[str, dict[str, Any]] = {}
    for label in every_label(labels):
        columns: dict[str, Any] = {}
        if label.colour:
            columns["colour"] = label.colour.lower()
        if label.attributes:
            columns["attributes"] = json.dumps([dict(a) for a in label.attributes], ensure_ascii=False)
        if label.kind == "skeleton":
            columns["skeleton"] = json.dumps({"points": [p.own_name for p in label.parts], "edges": _edges(label)}, ensure_ascii=False)
        rows[label.name] = columns
    return rows


def label_extras(labels: Sequence[Label]) -> dict[str, dict[str, Any]]:
    """What the classes table has no column for, by class name; enough to write the label again."""
    extras: dict[str, dict[str, Any]] = {}
    for above in labels:
        extras[above.name] = {"type": above.kind, **({"svg": above.svg} if above.svg else {}), **_told(above)}
        for part in every_label(above.parts):
            extras[part.name] = {"type": part.kind, "part_of": above.name, "own_name": part.own_name, **_told(part)}
    return extras


def _told(label: Label) -> dict[str, Any]:
    return {
        **({"colour": label.colour} if label.colour != label.colour.lower() else {}),
        **({"others": dict(label.others)} if label.others else {}),
    }


def dataset_labels(dataset: Dataset) -> tuple[Label, ...]:
    """The labels that a dataset's classes become; a class whose annotations are all of one kind takes no other."""
    counted = dataset.scan("annotations", "class", "kind").group_by("class").agg(pl.col("kind").cast(pl.String).unique()).collect()
    kinds: dict[int, str] = {
        row: TYPES.get(str(kinds[0]), str(kinds[0])) for row, kinds in counted.iter_rows() if row is not None and len(kinds) == 1
    }
    return labels_of(dataset, extra_fields(dataset, FORM, "classes"), kinds)


def labels_of(dataset: Dataset, extras: Mapping[int | None, Mapping[str, Any]], kinds: Mapping[int, str]) -> tuple[Label, ...]:
    """The labels that a dataset's classes become.

    Args:
        dataset: Its classes.
        extras: What CVAT left beside each class, by class id.
        kinds: CVAT's type for classes that came from elsewhere, by class id; those without one take any shape.
    """
    specs = _undeclared(dataset)
    rows: list[dict[str, Any]] = [
        {**row, "attributes": _with_specs(row["attributes"], specs.get(row["id"], {}))} for row in dataset.classes.to_dicts()
    ]
    parts: dict[str, list[Label]] = {}
    tops: list[tuple[dict[str, Any], Mapping[str, Any]]] = []
    for row in rows:
        told = extras.get(row["id"], {})
        if "part_of" in told:
            parts.setdefault(told["part_of"], []).append(_label(row, told, "points", ()))
        else:
            tops.append((row, told))
    return tuple(_top(row, told, parts, kinds) for row, told in tops)


def _undeclared(dataset: Dataset) -> dict[int, dict[str, bool]]:
    """Attributes that stand on annotations of each class, and whether they change along tracks.

    CVAT refuses attributes that no label declares.
    """
    if dataset.attributes.is_empty():
        return {}
    owners = dataset.annotations.select("class", annotation="id")
    seen = dataset.attributes.join(owners, on="annotation", maintain_order="left").group_by("class", "name", maintain_order=True)
    found: dict[int, dict[str, bool]] = {}
    for number, name, mutable in seen.agg(pl.col("mutable").any()).iter_rows():
        found.setdefault(number, {})[name] = mutable
    return found


def _with_specs(declared: str | None, seen: Mapping[str, bool]) -> str | None:
    specs = list(json.loads(declared)) if declared else []
    known = {spec["name"] for spec in specs}
    fresh = [
        {"name": name, "mutable": mutable, "input_type": "text", "default_value": "", "values": [""]}
        for name, mutable in seen.items()
        if name not in known
    ]
    return json.dumps([*specs, *fresh], ensure_ascii=False) if specs or fresh else None


def _top(row: Mapping[str, Any], told: Mapping[str, Any], parts: Mapping[str, list[Label]], kinds: Mapping[int, str]) -> Label:
    kind = kinds.get(row["id"], "any")
    below = tuple(parts.get(row["name"], ()))
    if row["skeleton"] is not None and not below:
        below = _parts_of(row["name"], json.loads(row["skeleton"]).get("points", []))
        kind = "skeleton" if below else kind
    return _label(row, told, kind, below)


def _parts_of(name: str, points: Sequence[str]) -> tuple[Label, ...]:
    return tuple(Label(name=f"{name}{SEPARATOR}{point}", own_name=point, kind="points") for point in points)


def _label(row: Mapping[str, Any], told: Mapping[str, Any], kind: str, parts: tuple[Label, ...]) -> Label:
    given = told.get("colour", "")
    colour = given if given.lower() == (row["colour"] or "") else row["colour"] or ""
    skeleton = json.loads(row["skeleton"]) if row["skeleton"] else None
    kind = told.get("type", kind)
    svg = told.get("svg") or (skeleton_svg(skeleton) if skeleton and kind == "skeleton" else "")
    return Label(
        name=row["name"],
        own_name=told.get("own_name", row["name"]),
        colour=colour,
        kind=kind,
        attributes=tuple(json.loads(row["attributes"])) if row["attributes"] else (),
        parts=parts,
        svg=svg,
        others=told.get("others", {}),
    )


def _edges(label: Label) -> list[list[int]]:
    """Pairs of places of parts that a skeleton's drawing joins with a line."""
    nodes = {node["data-node-id"]: node for node in map(_tag, _NODE.findall(label.svg)) if "data-node-id" in node}
    places = {part.own_name: place for place, part in enumerate(label.parts)}
    by_node = {number: places.get(node.get("data-label-name", "")) for number, node in nodes.items()}
    if any(place is None for place in by_node.values()):
        by_node = {number: place for place, number in enumerate(nodes)}
    found: list[list[int]] = []
    for line in map(_tag, _EDGE.findall(label.svg)):
        ends = [by_node.get(line.get(f"data-node-{side}", "")) for side in ("from", "to")]
        found += [[int(end) for end in ends if end is not None]] if None not in ends else []
    return found


def _tag(text: str) -> dict[str, str]:
    try:
        return dict(ET.fromstring(text if text.endswith("/>") else text[:-1] + "/>").attrib)
    except ET.ParseError:
        return {}


def skeleton_svg(skeleton: Mapping[str, Any]) -> str:
    """A drawing of a skeleton that came without one: its points on a circle, joined as its edges say."""
    names, edges = list(skeleton.get("points", [])), list(skeleton.get("edges", []))
    places = [_on_circle(place, len(names)) for place in range(len(names))]
    lines = [
        f'<line x1="{places[a][0]}" y1="{places[a][1]}" x2="{places[b][0]}" y2="{places[b][1]}" stroke="black" '
        f'data-type="edge" data-node-from="{a + 1}" data-node-to="{b + 1}"></line>'
        for a, b in edges
    ]
    nodes = [
        f'<circle r="1.5" stroke="black" fill="#b3b3b3" cx="{x}" cy="{y}" stroke-width="0.1" data-type="element node" '
        f'data-element-id="{place}" data-node-id="{place}" data-label-name="{_attribute_text(name)}"></circle>'
        for place, (name, (x, y)) in enumerate(zip(names, places, strict=True), start=1)
    ]
    return "".join([*lines, *nodes])


def _attribute_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _on_circle(place: int, count: int) -> tuple[float, float]:

    angle = 2 * pi * place / max(count, 1)
    return round(50 + 40 * sin(angle), 2), round(50 - 40 * cos(angle), 2)
