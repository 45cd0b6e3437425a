"""COCO's categories and our classes, both ways."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.data.findings import finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KNOWN: Final = {"id", "name", "supercategory", "keypoints", "skeleton", "color", "burnish"}
_LARGEST: Final = 2**31 - 1


class Gathered(NamedTuple):
    """The classes of all files of one dataset: the same name is the same class.

    Attributes:
        rows: Rows of the classes table by id.
        extras: Fields that the table has no column for, by class id.
        findings: What was wrong with them.
        ids: For each file, category id as it has it -> class id.
    """

    rows: dict[int, dict[str, Any]]
    extras: dict[int, dict[str, Any]]
    findings: list[dict[str, Any]]
    ids: list[dict[Any, int]]


def gather_classes(files: Sequence[tuple[str, Any]]) -> Gathered:
    """Bring the categories of several files together.

    Args:
        files: Path for the findings, and the value of "categories", of each.
    """
    gathered = Gathered({}, {}, [], [])
    by_name: dict[str, int] = {}
    for path, categories in files:
        ids: dict[Any, int] = {}
        for category in categories if isinstance(categories, list) else []:
            if not isinstance(category, dict) or not isinstance(category.get("id"), int | str):
                reason = f"A category is no object with an id: {category!r}."
                gathered.findings.append(finding("bad_category", reason, path=path))
                continue
            name = str(category.get("name", category["id"]))
            if name not in by_name:
                by_name[name] = _add(gathered, category, name, path)
            ids[category["id"]] = by_name[name]
        gathered.ids.append(ids)
    return gathered


def category_of(row: Mapping[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    """One class as a category; what COCO has no field for goes into "burnish"."""
    category: dict[str, Any] = {"id": row["id"], "name": row["name"]}
    if row["superclass"] is not None:
        category["supercategory"] = row["superclass"]
    if row["colour"] is not None:
        category["color"] = [int(row["colour"][at : at + 2], 16) for at in (1, 3, 5)]
    if row["skeleton"] is not None:
        category |= _keypoint_fields(json.loads(row["skeleton"]))
    own = {name: row[name] for name, usual in _OWN_DEFAULTS.items() if row[name] != usual}
    return category | dict(extras) | ({"burnish": own} if own else {})


_OWN_DEFAULTS: Final[dict[str, Any]] = {"status": "used", "priority": 0, "attributes": None}


def _add(gathered: Gathered, category: dict[str, Any], name: str, path: str) -> int:
    wanted = category["id"]
    usable = isinstance(wanted, int) and abs(wanted) <= _LARGEST and wanted not in gathered.rows
    number = wanted if usable else max([0, *gathered.rows]) + 1
    extras: dict[str, Any] = {key: value for key, value in category.items() if key not in _KNOWN}
    if number != wanted:
        reason = f"The category id {wanted!r} is taken, or no small whole number: '{name}' gets the id {number}."
        row = finding("renumbered", reason, is_issue=False, path=path, given=str(wanted), suggestion=str(number))
        gathered.findings.append(row)
        extras["source_id"] = wanted
    gathered.rows[number] = {"id": number, "name": name, **_columns(category)}
    if extras:
        gathered.extras[number] = extras
    return number


def _columns(category: Mapping[str, Any]) -> dict[str, Any]:
    own = category.get("burnish")
    fields: dict[str, Any] = {k: v for k, v in own.items() if k in _OWN_DEFAULTS} if isinstance(own, dict) else {}
    if isinstance(category.get("supercategory"), str):
        fields["superclass"] = category["supercategory"]
    colour = category.get("color")
    if isinstance(colour, list) and len(colour) == 3:  # noqa: PLR2004 - red, green, blue
        fields["colour"] = "#" + "".join(f"{int(part):02x}" for part in colour)
    elif isinstance(colour, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        fields["colour"] = colour.lower()
    if "keypoints" in category or "skeleton" in category:
        # COCO counts a skeleton's points from 1, the tables from 0.
        edges = [[end - 1 for end in edge] for edge in category.get("skeleton") or []]
        fields["skeleton"] = json.dumps({"points": list(category.get("keypoints") or []), "edges": edges}, ensure_ascii=False)
    return fields


def _keypoint_fields(skeleton: Mapping[str, Any]) -> dict[str, Any]:
    return {"keypoints": skeleton.get("points", []), "skeleton": [[end + 1 for end in edge] for edge in skeleton.get("edges", [])]}
