"""At which scales a picture is sampled: at one, at each of several, or at one that is drawn for each picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Member: TypeAlias = float | tuple[float, float]
"""A scale, or the two ends of a range in which one is drawn evenly."""

_ANY: Final = "any:"
_RANGE: Final = ".."
_ENDS: Final = 2


@dataclass(frozen=True, slots=True)
class Scales:
    """The scales of a set of samples.

    Attributes:
        members: Scales and ranges of scales; 1 leaves a picture as it is.
        drawn: Whether each picture gets one of them at random rather than all.
    """

    members: tuple[Member, ...] = (1.0,)
    drawn: bool = False

    def of_picture(self, rng: np.random.Generator) -> list[float]:
        """The scales of one picture."""
        chosen = [self.members[int(rng.integers(len(self.members)))]] if self.drawn else self.members
        return [float(rng.uniform(*member)) if isinstance(member, tuple) else member for member in chosen]

    def __str__(self) -> str:
        return (_ANY if self.drawn else "") + ",".join(_member_text(member) for member in self.members)


def parse_scales(value: Any) -> Scales:
    """Read scales in any of their spellings.

    A number is the scale of the whole set. A list makes a sample at each of its scales, a set or `{any: [...]}` one sample at a scale
    that is drawn from it. A member of either may be a pair, the ends of a range. As text: `0.5`, `0.5,1`, `any:0.5,0.7..1.2`.

    Raises:
        ValueError: The value is none of these, a pair has not two members, or a scale is not above 0.
    """
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, Mapping):
        if list(value) != ["any"]:
            raise ValueError(f"found keys {list(map(str, value))}, expected 'any' alone, with a list of scales")
        return Scales(_members(value["any"]), drawn=True)
    if isinstance(value, AbstractSet):
        # Sets have no order, and the same seed shall draw the same scales.
        return Scales(tuple(sorted(_members(list(value)), key=_sorting)), drawn=True)
    return Scales(_members(value if isinstance(value, Sequence) else [value]))


def _parsed(text: str) -> Scales:
    drawn = text.strip().startswith(_ANY)
    pieces = text.strip().removeprefix(_ANY).split(",")
    return Scales(_members([piece.split(_RANGE) if _RANGE in piece else piece for piece in pieces]), drawn)


def _members(values: Any) -> tuple[Member, ...]:
    members = tuple(_member(value) for value in (values if isinstance(values, Sequence) and not isinstance(values, str) else [values]))
    if not members:
        raise ValueError("found no scale, expected at least one")
    return members


def _member(value: Any) -> Member:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return _number(value)
    if len(value) != _ENDS:
        raise ValueError(f"found a range of {len(value)} members, expected its two ends, such as [0.7, 1.2] or 0.7..1.2")
    low, high = map(_number, value)
    if low > high:
        raise ValueError(f"found a range from {low:g} down to {high:g}, expected its lower end first")
    return low, high


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"found {value!r}, expected a number such as 0.5, or a range such as 0.7..1.2") from None
    if not (math.isfinite(number) and number > 0) or isinstance(value, bool):
        raise ValueError(f"found the scale {value!r}, expected a number above 0")
    return number


def _member_text(member: Member) -> str:
    return _RANGE.join(f"{end:.12g}" for end in member) if isinstance(member, tuple) else f"{member:.12g}"


def _sorting(member: Member) -> tuple[float, float]:
    return member if isinstance(member, tuple) else (member, member)
