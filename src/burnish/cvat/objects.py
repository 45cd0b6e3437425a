"""Tags, shapes and tracks as they are compared: in one normal form, however the server or a file spelled them.

The server fills in what was not said (flags, attributes' default values) and sorts key frames; an object that was sent and one that is
read back are the same when their normal forms are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from burnish.engine.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Json = dict[str, Any]

LISTS: Final = {"tag": "tags", "shape": "shapes", "track": "tracks"}
"""Kinds of objects, and the lists of an answer that hold them."""

_FLAGS: Final = {"occluded": False, "outside": False, "z_order": 0, "rotation": 0.0}


@dataclass(frozen=True, slots=True)
class Specs:
    """Attributes of each label with their default values: of shapes and tags all, of tracks those that change and those that do not.

    Attributes:
        fixed: Name and default of the attributes that hold for a whole track, by label (`skeleton/part` for parts).
        changing: Likewise of those that change along it.
    """

    fixed: Mapping[str, Mapping[str, str]]
    changing: Mapping[str, Mapping[str, str]]


def specs_of(labels: Iterable[Mapping[str, Any]]) -> Specs:
    """Look up the attributes of labels, as the server or a backup lists them."""
    fixed: dict[str, dict[str, str]] = {}
    changing: dict[str, dict[str, str]] = {}
    for label in labels:
        for name, each in ((label["name"], label), *((f"{label['name']}/{part['name']}", part) for part in label.get("sublabels") or ())):
            specs = each.get("attributes") or ()
            fixed[name] = {s["name"]: str(s.get("default_value") or "") for s in specs if not s.get("mutable")}
            changing[name] = {s["name"]: str(s.get("default_value") or "") for s in specs if s.get("mutable")}
    return Specs(fixed, changing)


def without_inner_ids(item: Mapping[str, Any]) -> Json:
    """An object with its own number, but without those of its key frames and elements: the server gives these anew with every change."""
    kept = dict(item)
    for below in ("shapes", "elements"):
        if below in kept:
            kept[below] = [without_inner_ids({key: value for key, value in part.items() if key != "id"}) for part in kept[below]]
    return kept


def mark(kind: str, item: Mapping[str, Any], specs: Specs) -> str:
    """A short name of an object's content: equal for equal objects, whatever their numbers."""
    return fingerprint(kind, orjson.dumps(normal(kind, item, specs), option=orjson.OPT_SORT_KEYS))


def normal(kind: str, item: Mapping[str, Any], specs: Specs) -> Json:
    """The normal form of a tag, shape or track whose labels and attributes go by name."""
    if kind == "track":
        return _track(item, specs, "", None)
    return _shape(item, specs, "") if kind == "shape" else _common(item, specs, "", every=True)


def as_sent(kind: str, item: Mapping[str, Any]) -> Json:
    """An object as the server stores it best: a track begins at its first key frame, and parts of a skeleton begin with it."""
    return _begun(item, None) if kind == "track" else dict(item)


def _label(item: Mapping[str, Any], above: str) -> str:
    return f"{above}/{item['label']}" if above else str(item["label"])


def _common(item: Mapping[str, Any], specs: Specs, above: str, *, every: bool) -> Json:
    label = _label(item, above)
    usual = {**specs.fixed.get(label, {}), **(specs.changing.get(label, {}) if every else {})}
    return {
        "label": item["label"],
        "frame": int(item["frame"]),
        "group": int(item.get("group") or 0),
        "source": item.get("source") or "manual",
        "attributes": _values(item, usual),
    }


def _values(item: Mapping[str, Any], usual: Mapping[str, str]) -> list[list[str]]:
    told = {str(a["name"]): str(a["value"]) for a in item.get("attributes") or ()}
    return [list(pair) for pair in sorted({**usual, **told}.items())]


def _geometry(item: Mapping[str, Any]) -> Json:
    found = {name: type(usual)(item.get(name) or usual) for name, usual in _FLAGS.items()}
    points = [] if item["type"] == "skeleton" else [float(value) for value in item.get("points") or ()]
    return {**found, "type": item["type"], "points": _whole_runs(points) if item["type"] == "mask" else points}


def _whole_runs(points: list[float]) -> list[float]:
    """Runs of a mask up to its last pixel: some tools leave the last run of empty pixels out, and the server does not mind.

    Args:
        points: Lengths of runs, empty ones first; then left, top, right and bottom of the box, its last pixels inclusive.
    """
    if len(points) < 5:  # noqa: PLR2004 - no runs
        return points
    runs, (left, top, right, bottom) = points[:-4], points[-4:]
    lacking = (right - left + 1) * (bottom - top + 1) - sum(runs)
    if lacking <= 0:
        return points
    runs = [*runs[:-1], runs[-1] + lacking] if len(runs) % 2 else [*runs, lacking]
    return [*runs, left, top, right, bottom]


def _shape(item: Mapping[str, Any], specs: Specs, above: str) -> Json:
    found = {**_common(item, specs, above, every=True), **_geometry(item)}
    score = item.get("score")
    found["score"] = 1.0 if score is None else float(score)
    if not above:
        elements = [_shape(part, specs, _label(item, above)) for part in item.get("elements") or ()]
        found["elements"] = sorted(elements, key=lambda part: str(part["label"]))
    return found


def _track(item: Mapping[str, Any], specs: Specs, above: str, begin: int | None) -> Json:
    item = _begun(item, begin)
    found = _common(item, specs, above, every=False)
    held = dict(specs.changing.get(_label(item, above), {}))
    found["shapes"] = []
    for key in item["shapes"]:
        values = _values(key, held)
        held = dict(values)
        found["shapes"].append({**_geometry(key), "frame": int(key["frame"]), "attributes": values})
    if not above:
        parts = [_track(part, specs, _label(item, above), found["frame"]) for part in item.get("elements") or () if part.get("shapes")]
        found["elements"] = sorted(parts, key=lambda part: str(part["label"]))
    return found


def _begun(item: Mapping[str, Any], begin: int | None) -> Json:
    """Key frames in order, of one frame the first; a part that comes later than its skeleton begins with it, outside."""
    keys: dict[int, Mapping[str, Any]] = {}
    for key in sorted(item.get("shapes") or (), key=lambda key: key["frame"]):
        keys.setdefault(key["frame"], key)
    ordered: list[Mapping[str, Any]] = list(keys.values())
    if begin is not None and ordered and begin < ordered[0]["frame"]:
        ordered.insert(0, {**ordered[0], "frame": begin, "outside": True})
    first = ordered[0]["frame"] if ordered else item.get("frame", 0)
    parts = [_begun(part, first) for part in item.get("elements") or () if part.get("shapes")]
    return {**item, "frame": first, "shapes": ordered, "elements": parts}


def box_of(item: Mapping[str, Any]) -> Sequence[float]:
    """Corners of the box around a shape or the first key frame of a track; nothing for a tag."""
    shown = item["shapes"][0] if item.get("shapes") else item
    points: Sequence[float] = shown.get("points") or [v for part in item.get("elements") or () for v in box_of(part)]
    if not points:
        return ()
    if shown.get("type") == "mask":
        return points[-4:]
    return (min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2]))
