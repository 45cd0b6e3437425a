"""One line of a KITTI file: a name, a box, and the object's place in space."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from burnish.errors import DataError
from burnish.formats.decimals import exact
from burnish.formats.escapes import escaped, unescaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

ATTRIBUTES: Final = ("truncated", "occlusion", "alpha", "dimensions", "location", "rotation_y")
"""Attributes that have a place in a line."""

UNSET: Final = ("-10", "-1 -1 -1", "-1000 -1000 -1000", "-10")
"""What the benchmark writes of an object whose place in space nobody knows: alpha, dimensions, location, rotation_y."""

_NUMBERS: Final = 14
_SPACE: Final = ("alpha", "dimensions", "location", "rotation_y")
_NOWHERE: Final = (UNSET, ("-1", "-1 -1 -1", "-1 -1 -1", "-1"), ("0", "0 0 0", "0 0 0", "0"))
_CORNERS: Final = slice(3, 7)
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_BLANKS: Final = re.compile(r"[ \t]+")
_YES_OR_NO: Final = 1
_HIDDEN: Final = (1, 2)


class Line(NamedTuple):
    """What a line says.

    Attributes:
        name: The type; None where it is empty.
        corners: left, top, right, bottom in pixels from 0.
        occluded: Whether it is partly or largely hidden.
        score: Confidence of a detection, None where the line ends before.
        attributes: What else it says, by name, as text.
    """

    name: str | None
    corners: tuple[Decimal, Decimal, Decimal, Decimal]
    occluded: bool
    score: float | None
    attributes: Mapping[str, str]


def parse_line(text: str) -> Line:
    """Read a line; names may hold blanks.

    Raises:
        DataError: It has no name and fourteen or fifteen numbers.
    """
    words = [word for word in _BLANKS.split(text) if word]
    start = next((n for n in range(1, len(words)) if all(_is_number(word) for word in words[n:])), len(words))
    numbers = [exact(word) for word in words[start:]]
    if len(numbers) not in {_NUMBERS, _NUMBERS + 1}:
        raise DataError(f"found {len(words)} fields, the last {len(numbers)} of them numbers")
    left, top, right, bottom = numbers[_CORNERS]
    score = float(numbers[_NUMBERS]) if len(numbers) > _NUMBERS else None
    occlusion = numbers[1]
    told = {"truncated": words[start]} if numbers[0] != 0 else {}
    told |= {"occlusion": words[start + 1]} if occlusion not in {0, _YES_OR_NO} else {}
    name = unescaped(" ".join(words[:start])) or None
    return Line(name, (left, top, right, bottom), occlusion in _HIDDEN, score, told | _in_space(words[start:]))


def line_text(name: str | None, corners: Sequence[str], attributes: Mapping[str, str], *, occluded: bool, score: str | None) -> str:
    """A line as the benchmark writes it; attributes that are no such numbers are left out (`fits` tells which)."""
    told = {key: value for key, value in attributes.items() if fits(key, value)}
    truncated = told.get("truncated", "0")
    occlusion = told.get("occlusion", "1" if occluded else "0")
    alpha, *rest = (told.get(key, unset) for key, unset in zip(_SPACE, UNSET, strict=True))
    fields = [escaped(name or "", also=" \t"), truncated, occlusion, alpha, *corners, *rest, *([score] if score is not None else [])]
    return " ".join(fields) + "\n"


def fits(key: str, value: str) -> bool:
    """Whether an attribute's value is the number, or the three numbers, that stand in its place."""
    words = value.split()
    return key in ATTRIBUTES and len(words) == (3 if key in {"dimensions", "location"} else 1) and all(_is_number(word) for word in words)


def _in_space(words: Sequence[str]) -> dict[str, str]:
    """Attributes of the object in space, unless the line says in one of the usual ways that nobody knows."""
    told: dict[str, str] = dict(zip(_SPACE, (words[2], " ".join(words[7:10]), " ".join(words[10:13]), words[13]), strict=True))
    said = tuple(" ".join(f"{exact(word).normalize():f}" for word in value.split()) for value in told.values())
    if any(said[1:] == nowhere[1:] for nowhere in _NOWHERE):
        return {} if any(said == nowhere for nowhere in _NOWHERE) else {"alpha": told["alpha"]}
    return told


def _is_number(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None
