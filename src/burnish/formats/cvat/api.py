"""The server's annotations: labels and attributes by id, where files have names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NUMBERS: Final = frozenset({"id", "project_id", "task_id", "parent_id", "has_parent"})
_LABEL_ID: Final = re.compile(r'data-label-id="(\d+)"')


@dataclass(frozen=True, slots=True)
class LabelIds:
    """The server's numbers of labels and attributes, and their names.

    Attributes:
        labels: Own name of each label id, of parts of skeletons too.
        attributes: Name of each attribute's spec id.
        label_ids: Id by the name above (None for labels that stand above) and the own name.
        attribute_ids: Spec id by label id and attribute name.
    """

    labels: Mapping[int, str]
    attributes: Mapping[int, str]
    label_ids: Mapping[tuple[int | None, str], int]
    attribute_ids: Mapping[tuple[int, str], int]


def label_ids(labels: Iterable[Mapping[str, Any]]) -> LabelIds:
    """Collect the numbers of labels as the server lists them (`GET /api/labels`)."""
    names: dict[int, str] = {}
    attributes: dict[int, str] = {}
    ids: dict[tuple[int | None, str], int] = {}
    specs: dict[tuple[int, str], int] = {}
    waiting = [(None, label) for label in labels]
    while waiting:
        above, label = waiting.pop()
        names[label["id"]] = label["name"]
        ids[above, label["name"]] = label["id"]
        for spec in label.get("attributes") or ():
            attributes[spec["id"]] = spec["name"]
            specs[label["id"], spec["name"]] = spec["id"]
        waiting += [(label["id"], part) for part in label.get("sublabels") or ()]
    return LabelIds(names, attributes, ids, specs)


def with_names(found: Mapping[str, Any], ids: LabelIds) -> dict[str, Any]:
    """The annotations of a job or task with names in place of ids.

    Raises:
        KeyError: An id is none of the labels'.
    """
    lists = {name: [_named(item, ids) for item in found.get(name) or ()] for name in ("tags", "shapes", "tracks")}
    return {**found, **lists}


def _named(item: Mapping[str, Any], ids: LabelIds) -> dict[str, Any]:
    named = {key: value for key, value in item.items() if key != "label_id"}
    if "label_id" in item:
        named["label"] = ids.labels[item["label_id"]]
    if "attributes" in item:
        named["attributes"] = [{"name": ids.attributes[a["spec_id"]], "value": a["value"]} for a in item["attributes"]]
    for below in ("shapes", "elements"):
        if below in item:
            named[below] = [_named(part, ids) for part in item[below]]
    return named


def with_ids(found: Mapping[str, Any], ids: LabelIds) -> dict[str, Any]:
    """The annotations of a job or task with the server's ids in place of names.

    Raises:
        KeyError: A label or attribute is none of the server's.
    """
    lists = {name: [_numbered(item, ids, None) for item in found.get(name) or ()] for name in ("tags", "shapes", "tracks")}
    return {**found, **lists}


def _numbered(item: Mapping[str, Any], ids: LabelIds, above: int | None, label: int | None = None) -> dict[str, Any]:
    numbered = {key: value for key, value in item.items() if key != "label"}
    if "label" in item:
        label = numbered["label_id"] = ids.label_ids[above, item["label"]]
    if "attributes" in item and label is not None:
        numbered["attributes"] = [{"spec_id": ids.attribute_ids[label, a["name"]], "value": a["value"]} for a in item["attributes"]]
    if "shapes" in item:
        numbered["shapes"] = [_numbered(shape, ids, above, label) for shape in item["shapes"]]
    if "elements" in item:
        numbered["elements"] = [_numbered(part, ids, label) for part in item["elements"]]
    return numbered


def labels_without_ids(labels: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Labels of the server as a backup holds them: without numbers, and skeletons' drawings with names of their points."""
    return [_plain_label(label) for label in labels]


def _plain_label(label: Mapping[str, Any]) -> dict[str, Any]:
    parts = label.get("sublabels") or ()
    plain = {key: value for key, value in label.items() if key not in _NUMBERS}
    plain["attributes"] = [{key: value for key, value in spec.items() if key != "id"} for spec in label.get("attributes") or ()]
    plain["sublabels"] = labels_without_ids(parts)
    if label.get("svg"):
        names = {str(part["id"]): part["name"] for part in parts}
        plain["svg"] = _LABEL_ID.sub(lambda found: f'data-label-name="{escape(names.get(found[1], ""), quote=True)}"', label["svg"])
    return plain
