"""Comparing an answer with the recorded one: everything but times, numbers (which must stay in pairs) and generated files' bytes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from burnish.testing.cvat.contract.names import KINDS, Names, inside

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d.*")
_UNORDERED: Final = frozenset({"tags", "shapes", "tracks", "elements"})
_BLACKED: Final = frozenset({"TOKEN", "INVITATION"})
"""What the recordings write for every secret."""
_WAIT: Final = re.compile(r"in \d+ seconds")


def differences(recorded: Any, ours: Any, names: Names, within: str = "", place: str = "") -> Iterator[str]:
    """Each difference with its place; names that are met for the first time are learned."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        yield from _of_objects(recorded, ours, names, within, place)
    elif isinstance(recorded, list) and isinstance(ours, list):
        yield from _of_lists(recorded, ours, names, within, place)
    elif not _equal(recorded, ours, names):
        yield f"{place or 'body'}: {_short(ours)} instead of {_short(recorded)}"


def _of_objects(recorded: dict[str, Any], ours: dict[str, Any], names: Names, within: str, place: str) -> Iterator[str]:
    for key in sorted(recorded.keys() - ours.keys()):
        yield f"{place}.{key} is missing, {_short(recorded[key])} was recorded"
    for key in sorted(ours.keys() - recorded.keys()):
        yield f"{place}.{key} was not recorded: {_short(ours[key])}"
    # The number first, because addresses beside it hold it.
    for key in sorted(recorded.keys() & ours.keys(), key=lambda name: (name != "id", name)):
        one, two, kind = recorded[key], ours[key], _kind(key, recorded, within)
        if kind and isinstance(one, (int, str)) and isinstance(two, type(one)) and not isinstance(one, bool):
            if one not in _BLACKED and not names.learn(kind, one, two) and not (kind == "colour" and one == two):
                yield f"{place}.{key}: {two!r} instead of {names.ours(kind, one)!r} (recorded {one!r})"
        elif key in _UNORDERED and isinstance(one, list) and isinstance(two, list):
            under = inside(key, within)
            yield from _of_lists(_in_order(one, names, under), _in_order(two, None, under), names, under, f"{place}.{key}")
        elif key == "attributes" and isinstance(one, list) and isinstance(two, list):
            yield from _of_lists(_by_number(one, names), _by_number(two, None), names, "attribute", f"{place}.{key}")
        else:
            yield from differences(one, two, names, inside(key, within), f"{place}.{key}")


def _of_lists(recorded: list[Any], ours: list[Any], names: Names, within: str, place: str) -> Iterator[str]:
    if len(recorded) != len(ours):
        yield f"{place}: {len(ours)} items instead of {len(recorded)}"
    for number, (one, two) in enumerate(zip(recorded, ours, strict=False)):
        yield from differences(one, two, names, within, f"{place}[{number}]")


def _kind(key: str, within_object: dict[str, Any], within: str) -> str | None:
    """Which kind of name a field holds; colours, keys and values are names only in some objects."""
    if key == "id":
        return within or None
    if key == "value":
        return "secret" if "read_only" in within_object else None
    if key == "key":
        return "secret" if "events" not in within_object and "group" not in within_object else None
    if key == "result_id":
        return str(within_object.get("operation", {}).get("target") or "") or None
    if key == "parent_id" and within == "report":
        return "report"
    return KINDS.get(key)


def _in_order(objects: list[Any], names: Names | None, within: str) -> list[Any]:
    """Annotations in an order of their content; those that are alike by their numbers."""

    def place(each: Any) -> tuple[str, bool, Any]:
        number = each.get("id", 0) if isinstance(each, dict) else 0
        known = names.ours(within, number) if names and isinstance(number, int) else number
        is_new = names is not None and known == number
        return json.dumps(_plain(each, names, within), sort_keys=True), is_new, known if isinstance(known, int) else 0

    return sorted(objects, key=place)


def _plain(value: Any, names: Names | None, within: str) -> Any:
    if isinstance(value, list):
        plain = [_plain(each, names, within) for each in value]
        return sorted(plain, key=lambda each: json.dumps(each, sort_keys=True)) if plain and isinstance(plain[0], dict) else plain
    if isinstance(value, dict):
        shown = {key: each for key, each in value.items() if key not in {"id", "keyframe"}}
        return {key: _named(key, _plain(each, names, inside(key, within)), names) for key, each in shown.items()}
    return round(float(value), 6) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _named(key: str, value: Any, names: Names | None) -> Any:
    # Numbers were made floats above.
    is_number = isinstance(value, float) and key in {"label_id", "spec_id"}
    return float(names.ours(KINDS[key], int(value))) if names is not None and is_number else value


def _by_number(attributes: list[Any], names: Names | None) -> list[Any]:
    if attributes and all(isinstance(each, dict) and each.keys() == {"name", "value"} for each in attributes):
        return sorted(attributes, key=lambda each: each["name"])
    if not all(isinstance(each, dict) and "spec_id" in each for each in attributes):
        return attributes
    return sorted(attributes, key=lambda each: names.ours("attribute", each["spec_id"]) if names else each["spec_id"])


def _equal(recorded: Any, ours: Any, names: Names) -> bool:
    if isinstance(recorded, str) and isinstance(ours, str):
        if _TIME.fullmatch(recorded) and _TIME.fullmatch(ours):
            return True
        names.learn_texts(recorded, ours)
        one, two = names.text(recorded), unquote(ours)
        return _WAIT.sub("", one) == _WAIT.sub("", two)
    if isinstance(recorded, bool) or isinstance(ours, bool) or recorded is None or ours is None:
        return recorded is ours
    if isinstance(recorded, (int, float)) and isinstance(ours, (int, float)):
        return abs(recorded - ours) <= 1e-9 * max(1.0, abs(recorded))
    return bool(recorded == ours)


def _short(value: Any) -> str:
    words = json.dumps(value, ensure_ascii=False)
    return words if len(words) <= 160 else words[:157] + "..."  # noqa: PLR2004 - a line
