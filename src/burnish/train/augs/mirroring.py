"""Which key points change places in a mirror, by their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_OTHER: Final = {"left": "right", "right": "left", "l": "r", "r": "l"}
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[^A-Za-z]+")


def mirror_pairs(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Pairs of points, by numbers from 0, whose names differ by left and right (or l and r) only: `left_eye` and `right_eye`.

    Args:
        names: Of the points of a skeleton, in their order.
    """
    places = {_words(name): number for number, name in enumerate(names)}
    found: list[tuple[int, int]] = []
    for words, number in places.items():
        other = places.get(tuple(_OTHER.get(word, word) for word in words))
        if other is not None and number < other:
            found.append((number, other))
    return tuple(found)


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))
