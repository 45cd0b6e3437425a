"""Labels and annotations as files hold them: by name, without this server's numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from burnish.testing.cvat.state import with_sublabels

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Json
    from burnish.testing.cvat.records import Label


def label_fields(label: Label) -> Json:
    """A label as backups hold it."""
    shown: Json = {
        "name": label.name,
        "color": label.color,
        "attributes": [
            {
                "name": each.name,
                "mutable": each.mutable,
                "input_type": each.input_type,
                "default_value": each.default_value,
                "values": each.values,
            }
            for each in label.attributes
        ],
        "type": label.type,
    }
    if label.parent is None:
        shown["sublabels"] = [label_fields(each) for each in label.sublabels]
    if label.svg is not None:
        names = {str(each.id): each.name for each in label.sublabels}
        shown["svg"] = re.sub(r'data-label-id="(\d+)"', lambda found: f'data-label-name="{names.get(found[1], "")}"', label.svg)
    return shown


def with_names(found: Json, labels: list[Label]) -> Json:
    """Annotations with names in place of the numbers of labels and attributes, and without their own numbers."""
    every = with_sublabels(labels)
    attributes = {attribute.id: attribute.name for label in every for attribute in label.attributes}
    names = {label.id: label.name for label in every}

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "spec_id" in value:
            return {"value": value["value"], "name": attributes[value["spec_id"]]}
        plain = {key: renamed(each) for key, each in value.items() if key not in {"id", "label_id"}}
        return {**plain, **({"label": names[value["label_id"]]} if "label_id" in value else {})}

    return {kind: renamed(objects) for kind, objects in found.items()}
