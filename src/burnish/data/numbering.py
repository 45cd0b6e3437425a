"""Numbers of the rows of a label table: roman groups (`I.`), and below them an arabic hierarchy (`1.`, `1.1.`, `1.10.`)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

Position = tuple[int, ...]
"""Where a row stands in the hierarchy: the roman group (0 before the first one), then the arabic numbers; () is a row without a number."""

_ROMAN: Final = (
    *((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X")),
    *((9, "IX"), (5, "V"), (4, "IV"), (1, "I")),
)
_LOOKALIKES: Final = str.maketrans("МСХІ", "MCXI")  # Cyrillic letters that a Russian keyboard gives
_NUMBERED: Final = re.compile(r"(?P<number>\d+(?:\.\d+)*|[IVXLCDMІХСМ]+)(?:(?P<dot>\.)(?!\d)\s*|\s+|$)(?P<rest>.*)", re.DOTALL)


class Numbered(NamedTuple):
    """The beginning of a cell: its numbers, whether they are a roman group, whether the obligatory dot is there, and the text behind."""

    numbers: tuple[int, ...]
    roman: bool
    dotted: bool
    rest: str


def split_number(text: str) -> Numbered | None:
    """Cut the number off a cell such as `1.1.2. Bus`; None where it begins with none."""
    found = _NUMBERED.fullmatch(text)
    if found is None:
        return None
    dotted = found["dot"] is not None
    if found["number"][0].isdecimal():
        return Numbered(tuple(map(int, found["number"].split("."))), roman=False, dotted=dotted, rest=found["rest"])
    value = read_roman(found["number"])
    # Words such as "CD" or "I" begin names too: only the dot makes a roman number of them.
    return Numbered((value,), roman=True, dotted=True, rest=found["rest"]) if value and dotted else None


def position_text(position: Position) -> str:
    """The number of a position as it is written: `(2,)` is `II.`, `(2, 1, 10)` is `1.10.`, `()` is nothing."""
    if not position:
        return ""
    return f"{roman(position[0])}." if len(position) == 1 else ".".join(map(str, position[1:])) + "."


def roman(number: int) -> str:
    """A number from 1 on in roman letters."""
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def read_roman(text: str) -> int | None:
    """The value of a roman number in capital letters (Cyrillic look-alikes too), or None where it is not well formed."""
    letters, value, at = text.translate(_LOOKALIKES), 0, 0
    for worth, sign in _ROMAN:
        while letters.startswith(sign, at):
            value, at = value + worth, at + len(sign)
    return value if value and roman(value) == letters else None


def expected_positions(previous: Position) -> list[Position]:
    """What may follow a position: its first child, its next sibling, and the next sibling of each of its parents."""
    following = [(*previous, 1)]
    following += [(*previous[: depth - 1], previous[depth - 1] + 1) for depth in range(len(previous), 0, -1)]
    return following
