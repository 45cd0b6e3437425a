"""The <labels> of a file: labels as a backup holds them, in XML with the parts of skeletons after their skeleton."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.formats.cvat.labels import Label, read_labels
from burnish.formats.cvat.xml.markup import Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from xml.etree.ElementTree import Element


def label_nodes(labels: Iterable[Label], above: str = "") -> list[Node]:
    """The <label> elements of labels and of their parts."""
    found: list[Node] = []
    for label in labels:
        told = [Node("name", label.own_name), Node("color", label.colour), Node("type", label.kind)]
        told.append(Node("attributes", [_attribute_node(spec) for spec in label.attributes]))
        told += [Node("svg", label.svg)] if label.svg else []
        told += [Node("parent", above)] if above else []
        found += [Node("label", told), *label_nodes(label.parts, label.own_name)]
    return found


def _attribute_node(spec: Mapping[str, Any]) -> Node:
    values = "\n".join(map(str, spec.get("values") or ()))
    told = [("name", spec["name"]), ("mutable", str(bool(spec.get("mutable")))), ("input_type", spec.get("input_type", "text"))]
    told += [("default_value", spec.get("default_value", "")), ("values", values)]
    return Node("attribute", [Node(name, str(value)) for name, value in told])


def labels_of_meta(meta: Element | None) -> tuple[Label, ...]:
    """The labels that a file declares; none where it declares none."""
    tops: dict[str, dict[str, Any]] = {}
    parts: list[tuple[str, dict[str, Any]]] = []
    for element in meta.iterfind(".//labels/label") if meta is not None else ():
        label = _label(element)
        above = element.findtext("parent")
        if above is None:
            tops[label["name"]] = label
        else:
            parts.append((above, label))
    for above, label in parts:
        if above in tops:
            tops[above]["sublabels"].append({key: value for key, value in label.items() if key != "sublabels"})
        else:
            tops[label["name"]] = label
    return read_labels(tops.values())


def _label(element: Element) -> dict[str, Any]:
    label: dict[str, Any] = {"name": element.findtext("name") or "", "color": element.findtext("color") or ""}
    label["attributes"] = [_spec(found) for found in element.iterfind("attributes/attribute")]
    label |= {"type": element.findtext("type") or "any", "sublabels": []}
    svg = element.findtext("svg")
    return {**label, "svg": svg} if svg else label


def _spec(element: Element) -> dict[str, Any]:
    return {
        "name": element.findtext("name") or "",
        "mutable": (element.findtext("mutable") or "").strip().lower() == "true",
        "input_type": element.findtext("input_type") or "text",
        "default_value": element.findtext("default_value") or "",
        "values": (element.findtext("values") or "").split("\n"),
    }
