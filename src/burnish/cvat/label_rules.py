"""Labels that a dataset needs and a project or task lacks; told before anything is sent, or made."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from burnish.errors import DataError
from burnish.formats.cvat.labels import label_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.cvat.tree import Node
    from burnish.formats.cvat.labels import Label

Json = dict[str, Any]


def missing_labels(wanted: Sequence[Label], there: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Labels and attributes that the server lacks, as the server takes them in a change; empty where nothing lacks."""
    by_name = {label["name"]: label for label in there}
    changes: list[Json] = []
    for label in wanted:
        found = by_name.get(label.own_name)
        if found is None:
            changes.append(_new_label(label))
            continue
        specs = _missing_specs(label, found)
        if specs:
            # A colour that is not sent is chosen anew, so the label's own is sent along.
            changes.append({"id": found["id"], "name": found["name"], "color": found["color"], "attributes": specs})
    return changes


def refuse_missing(changes: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]], where: str) -> None:
    """Say which labels and attributes lack, with the nearest names.

    Raises:
        DataError: Something lacks.
    """
    if not changes:
        return
    names = [label["name"] for label in there]
    lines = [_missing_text(change, names) for change in changes]
    raise DataError(
        f"{where} lacks labels that the dataset has; nothing was sent:\n"
        + "\n".join(lines)
        + "\nRename the classes, or make them with --create-labels."
    )


def refuse_wrong_parts(wanted: Sequence[Label], there: Sequence[Mapping[str, Any]], where: str) -> None:
    """Skeletons cannot be changed on the server, so their points must agree.

    Raises:
        DataError: A skeleton has other points there.
    """
    by_name = {label["name"]: label for label in there}
    for label in wanted:
        found = by_name.get(label.own_name)
        ours, theirs = {part.own_name for part in label.parts}, {part["name"] for part in (found or {}).get("sublabels") or ()}
        if found is not None and label.parts and not ours <= theirs:
            lacking = ", ".join(sorted(ours - theirs))
            raise DataError(
                f"The skeleton '{label.own_name}' in {where} has no points {lacking}, and points cannot be added to it. Use another label."
            )


def create_labels(owner: Node, changes: Sequence[Json]) -> None:
    """Make labels and attributes on a project or task."""
    owner.connection.patch(owner.path, {"labels": list(changes)})


def odd_types(counts: Mapping[tuple[str, str], int], there: Sequence[Mapping[str, Any]]) -> list[str]:
    """Shapes whose label is meant for another type: the server takes them without a word, and its pages may not offer them.

    Args:
        counts: Number of objects by label and type (tag for tags).
        there: The server's labels.
    """
    types = {label["name"]: label["type"] for label in there}
    return [
        f"The label '{label}' is made for {types[label]}, and {number} objects of it are of type {kind}."
        for (label, kind), number in sorted(counts.items())
        if types.get(label, "any") not in ("any", kind)
    ]


def _new_label(label: Label) -> Json:
    made = label_dict(label)
    made = {key: value for key, value in made.items() if value or key not in ("color", "sublabels", "svg")}
    return made if label.kind == "skeleton" else {key: value for key, value in made.items() if key not in ("sublabels", "svg")}


def _missing_specs(label: Label, found: Mapping[str, Any]) -> list[Json]:
    names = {spec["name"] for spec in found.get("attributes") or ()}
    return [dict(spec) for spec in label.attributes if spec["name"] not in names]


def _missing_text(change: Mapping[str, Any], names: Sequence[str]) -> str:
    if "id" in change:
        return f"- '{change['name']}' has no attribute " + ", ".join(f"'{spec['name']}'" for spec in change["attributes"])
    lower = {name.lower(): name for name in names}
    near = get_close_matches(change["name"].lower(), lower, n=1)
    return f"- '{change['name']}'" + (f" (did you mean '{lower[near[0]]}'?)" if near else "")
