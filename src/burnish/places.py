"""Where in settings a complaint stands, in the keys that the user wrote: the classes among which a value may choose are no keys.

Pydantic tells of a value that may be of several classes why it is none of them, one after the other, with the name of each class in the
place. Only what the class that fits the given keys best complains about is of use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic_core import ErrorDetails

Keys = tuple[str | int, ...]

_MISFITS: Final = frozenset({"missing", "extra_forbidden"})
_UNNAMED: Final = frozenset({"model_type", "model_attributes_type"})
"""Kinds of complaints whose text names a class."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One complaint.

    Attributes:
        keys: Where it stands, from the top of the settings.
        kind: Pydantic's name of what is wrong.
        message: What is wrong, in words.
        given: What stands there.
    """

    keys: Keys
    kind: str
    message: str
    given: Any


@dataclass(frozen=True, slots=True)
class _Found:
    """A complaint with the members of unions that it was met in: the keys above each, and its name."""

    keys: Keys
    members: tuple[tuple[Keys, str], ...]
    detail: ErrorDetails


def placed(cls: type[BaseModel], details: Iterable[ErrorDetails], values: Any) -> list[Placed]:
    """The complaints that are worth telling, each with its keys.

    Args:
        cls: The settings that were to be built.
        details: What pydantic says.
        values: What they were to be built from.
    """
    found = [_found(cls, detail, values) for detail in details]
    deepest = max((len(one.members) for one in found), default=0)
    for depth in range(deepest):
        found = _of_best_members(found, depth)
    grouped = groupby(found, key=lambda one: (one.keys, one.members[-1][0] if one.members else None, _is_at_member(one)))
    return [one for (_, _, alternatives), group in grouped for one in _told(list(group), together=alternatives)]


def fields_at(cls: type[BaseModel], keys: Sequence[str | int], given: Any) -> list[str]:
    """The names that are known at a place; what was given there says which class is meant where there are several."""
    expected: Any = cls
    for key in keys:
        expected, given = _step(expected, given, key)
    inner = max(_models_in(expected), key=lambda model: _shared(model, given), default=None)
    return [] if inner is None else _names(inner)


def _found(cls: type[BaseModel], detail: ErrorDetails, values: Any) -> _Found:
    expected, given = cls, values
    keys: Keys = ()
    members: tuple[tuple[Keys, str], ...] = ()
    for part in detail["loc"]:
        if isinstance(part, str) and (part.startswith("function-") or len(_members(expected)) > 1):
            members += ((keys, part),)
            expected = _member_named(expected, part)
        else:
            keys += (part,)
            expected, given = _step(expected, given, part)
    return _Found(keys, members, detail)


def _of_best_members(found: Sequence[_Found], depth: int) -> list[_Found]:
    """Without the complaints of members that fit worse than another one at the same place."""
    by_place: dict[Any, dict[str, list[_Found]]] = {}
    for one in found:
        if len(one.members) > depth:
            keys, member = one.members[depth]
            by_place.setdefault((one.members[:depth], keys), {}).setdefault(member, []).append(one)
    dropped: set[int] = set()
    for members in by_place.values():
        scores = {member: _misfit(ones, depth) for member, ones in members.items()}
        best = [member for member in members if scores[member] == min(scores.values())]
        if not all(_is_at_member(one) for member in best for one in members[member]):
            best = best[:1]
        dropped |= {id(one) for member, ones in members.items() if member not in best for one in ones}
    return [one for one in found if id(one) not in dropped]


def _misfit(found: Sequence[_Found], depth: int) -> tuple[bool, int]:
    """How badly a member of a union fits: whether the value is of quite another sort, and how many keys are missing or too many."""
    kinds = Counter(one.detail["type"] for one in found)
    at_member = (one for one in found if len(one.members) == depth + 1 and _is_at_member(one))
    return any(one.detail["type"].endswith("_type") for one in at_member), sum(kinds[kind] for kind in _MISFITS)


def _is_at_member(one: _Found) -> bool:
    """Whether a complaint is about the member of a union as a whole, not about something inside."""
    return bool(one.members) and one.members[-1][0] == one.keys


def _told(group: Sequence[_Found], *, together: bool) -> list[Placed]:
    texts = [_message(one.detail) for one in group]
    if together:
        first, *others = dict.fromkeys(texts)
        texts = [", or ".join([first, *(text[:1].lower() + text[1:] for text in others)])]
    return [Placed(one.keys, one.detail["type"], text, one.detail["input"]) for one, text in zip(group, texts, strict=False)]


def _message(detail: ErrorDetails) -> str:
    return (
        "expected settings as key: value" if detail["type"] in _UNNAMED else detail["msg"].removeprefix("Value error, ").removesuffix(".")
    )


def _step(expected: Any, given: Any, key: str | int) -> tuple[Any, Any]:
    """The type and the value at a key; what was given for a description that is chosen by name says which class it has."""
    expected, given = _inside(expected, key), _part_of(given, key)
    chooser = _chooser_in(expected)
    return (chooser(given) if chooser is not None and isinstance(given, str | dict) else expected), given


def _inside(expected: Any, key: str | int) -> Any:
    """The type at a key of a type; None where there is none."""
    origin, members = get_origin(expected), get_args(expected)
    if origin is Annotated:
        return _inside(members[0], key)
    if origin in {tuple, list} or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return members[0 if origin in {tuple, list} else 1]
    if members:  # one of several
        return next((found for found in (_inside(member, key) for member in members) if found is not None), None)
    fields: Mapping[Any, Any] = getattr(expected, "model_fields", {})
    return Annotated[fields[key].annotation, (), *fields[key].metadata] if key in fields else None


def _part_of(given: Any, key: str | int) -> Any:
    try:
        return given[key]
    except (KeyError, IndexError, TypeError):
        return None


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types among which a value may choose, None not counted; one where there is no choice."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _members(inner[0])
    return tuple(one for one in inner if one is not NoneType) if origin in {Union, UnionType} else (annotation,)


def _member_named(annotation: Any, told: str) -> Any:
    """The member of a union that pydantic means; a class with a check of its own is called function-after[check(), Class]."""
    words = {*re.split(r"\W+", told)}
    return next((one for one in _members(annotation) if getattr(one, "__name__", None) in words), None)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for member in get_args(annotation) for model in _models_in(member)]


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _shared(model: type[BaseModel], given: Any) -> int:
    return len({*_names(model)} & {*given}) if isinstance(given, dict) else 0  # pyright: ignore[reportUnknownArgumentType]


def _chooser_in(annotation: Any) -> Any:
    """What gives the class of a description from what was given for it; the mark `Chosen` of `burnish.descriptions` has it."""
    own = getattr(annotation, "class_of", None)
    if own is not None and not isinstance(annotation, type):
        return own
    return next((found for found in map(_chooser_in, get_args(annotation)) if found is not None), None)
