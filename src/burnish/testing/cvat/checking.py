"""Checks of annotations as they come in, and their full form: every field there, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from burnish.testing.cvat.answers import bad_request
from burnish.testing.cvat.fields import REQUIRED
from burnish.testing.cvat.records import Annotations

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.testing.cvat.calls import Json

_SOURCES: Final = ("auto", "semi-auto", "manual", "file", "consensus")
_FULL_TURN: Final = 360
_COUNTS: Final[dict[str, Callable[[int], bool]]] = {
    "rectangle": lambda count: count == 4,  # noqa: PLR2004 - two corners
    "ellipse": lambda count: count == 4,  # noqa: PLR2004 - centre, right and top
    "cuboid": lambda count: count == 16,  # noqa: PLR2004 - eight corners
    "polygon": lambda count: count >= 6 and count % 2 == 0,  # noqa: PLR2004 - three vertices
    "polyline": lambda count: count >= 4 and count % 2 == 0,  # noqa: PLR2004 - two vertices
    "points": lambda count: count >= 2 and count % 2 == 0,  # noqa: PLR2004 - one point
    "mask": lambda count: count >= 5,  # noqa: PLR2004 - runs, and the box around them
    "skeleton": lambda _: True,
}
_SHAPE: Final = {"occluded": False, "outside": False, "z_order": 0, "rotation": 0}
_OBJECT: Final = {"group": 0, "source": "manual"}


def checked(body: Json, *, with_ids: bool) -> Annotations:
    """The annotations of a body in full form.

    Args:
        body: tags, shapes and tracks; what is missing is empty.
        with_ids: Whether the objects must have ids (update, delete) or must not (create, replace).

    Raises:
        RefusalError: 400 with the complaints, object by object.
    """
    no_lists = {kind: body[kind] for kind in ("tags", "shapes", "tracks") if not isinstance(body.get(kind) or [], list)}
    if no_lists:
        told = 'Expected a list of items but got type "{}".'
        raise bad_request({kind: {"non_field_errors": [told.format(type(found).__name__)]} for kind, found in no_lists.items()})
    check = _Checker(with_ids=with_ids)
    found = {
        "tags": [check.tag(each) for each in body.get("tags") or []],
        "shapes": [check.shape(each) for each in body.get("shapes") or []],
        "tracks": [check.track(each) for each in body.get("tracks") or []],
    }
    complaints = {kind: [wrong for _, wrong in pairs] for kind, pairs in found.items() if any(wrong for _, wrong in pairs)}
    if complaints:
        raise bad_request(complaints)
    return Annotations(**{kind: [full for full, _ in pairs] for kind, pairs in found.items()})


class _Checker:
    """Gives each object in full form with the complaints about it."""

    def __init__(self, *, with_ids: bool) -> None:
        self._with_ids = with_ids

    def tag(self, found: Json) -> tuple[Json, Json]:
        wrong = self._common(found, ("label_id", "frame"))
        return self._full(found, {}, wrong, label=True), wrong

    def shape(self, found: Json, *, is_element: bool = False) -> tuple[Json, Json]:
        wrong = self._common(found, ("type", "label_id", "frame"))
        _check_shape(found, wrong)
        full = self._full(found, {**_SHAPE, "score": 1}, wrong, label=True)
        if not is_element:
            pairs = [self.shape(each, is_element=True) for each in found.get("elements") or []]
            full["elements"] = [element for element, _ in pairs]
            _note(wrong, "elements", pairs)
        return full, wrong

    def track(self, found: Json, *, is_element: bool = False) -> tuple[Json, Json]:
        wrong = self._common(found, ("label_id", "frame"))
        full = self._full(found, {}, wrong, label=True)
        shapes = [self._key_frame(each) for each in found.get("shapes") or []]
        full["shapes"] = [shape for shape, _ in shapes]
        _note(wrong, "shapes", shapes)
        if not is_element:
            pairs = [self.track(each, is_element=True) for each in found.get("elements") or []]
            full["elements"] = [element for element, _ in pairs]
            _note(wrong, "elements", pairs)
        return full, wrong

    def _key_frame(self, found: Json) -> tuple[Json, Json]:
        wrong: Json = {name: [REQUIRED] for name in ("type", "frame") if name not in found}
        # Key frames may keep or leave out their ids when a track is updated.
        if "id" in found and found["id"] is not None and not self._with_ids:
            wrong["id"] = ["must be absent"]
        _check_integers(found, wrong)
        _check_shape(found, wrong)
        return self._full(found, _SHAPE, wrong, label=False), wrong

    def _common(self, found: Json, required: tuple[str, ...]) -> Json:
        wrong: Json = {name: [REQUIRED] for name in required if name not in found}
        if found.get("id") is not None and not self._with_ids:
            wrong["id"] = ["must be absent"]
        _check_integers(found, wrong)
        if isinstance(found.get("frame"), int) and found["frame"] < 0:
            wrong["frame"] = ["Ensure this value is greater than or equal to 0."]
        if found.get("source", "manual") not in _SOURCES:
            words = ", ".join(f"'{source}'" for source in _SOURCES)
            wrong["source"] = [f"must be one of {words}, got '{found['source']}'"]
        return wrong

    def _full(self, found: Json, defaults: Json, wrong: Json, *, label: bool) -> Json:
        full: Json = {name: found.get(name, value) for name, value in {**defaults, **(_OBJECT if label else {})}.items()}
        for name in ("id", "type", "frame", "label_id"):
            if found.get(name) is not None:
                full[name] = found[name]
        if "type" in found:
            full["points"] = list(found.get("points") or [])
        full["attributes"] = [_attribute(each, wrong) for each in found.get("attributes") or []]
        return full


def _attribute(found: Json, wrong: Json) -> Json:
    missing = [name for name in ("spec_id", "value") if name not in found]
    if missing:
        wrong["attributes"] = [{name: [REQUIRED] for name in missing}]
        return {}
    return {"spec_id": found["spec_id"], "value": str(found["value"])}


def _check_integers(found: Json, wrong: Json) -> None:
    for name in ("frame", "label_id", "group", "z_order"):
        if found.get(name) is not None and (not isinstance(found[name], int) or isinstance(found[name], bool)):
            wrong[name] = ["A valid integer is required."]


def _check_shape(found: Json, wrong: Json) -> None:
    kind = found.get("type")
    if kind is not None and kind not in _COUNTS:
        wrong["type"] = [f'"{kind}" is not a valid choice.']
    elif kind is not None and not _COUNTS[kind](len(found.get("points") or [])):
        wrong["points"] = [f"invalid length for shape type '{kind}'"]
    no_numbers = [place for place, value in enumerate(found.get("points") or []) if not isinstance(value, (int, float))]
    if no_numbers:
        wrong["points"] = {str(place): ["A valid number is required."] for place in no_numbers}
    rotation: Any = found.get("rotation", 0)
    if not isinstance(rotation, (int, float)):
        wrong["rotation"] = ["A valid number is required."]
    elif rotation > _FULL_TURN:
        wrong["rotation"] = [f"Ensure this value is less than or equal to {_FULL_TURN}."]
    elif rotation < 0:
        wrong["rotation"] = ["Ensure this value is greater than or equal to 0."]


def _note(wrong: Json, name: str, pairs: list[tuple[Json, Json]]) -> None:
    if any(each for _, each in pairs):
        wrong[name] = [each for _, each in pairs]
