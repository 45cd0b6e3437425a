"""The known name that a wrong one was probably meant to be."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMPARED: Final = 12


def nearest_name(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name most like a given one, letter case aside; None when none is like it.

    The names that share most pairs of neighbouring letters are compared closely, so that thousands of names are looked through quickly.

    Args:
        name: What was found.
        known: What could have been meant.
        cutoff: Least similarity in [0, 1] (Ratcliff and Obershelp's).
    """
    wanted = name.casefold()
    folded = {other.casefold(): other for other in known}
    if wanted in folded:
        return folded[wanted]
    pairs = _pairs(wanted)
    alike = nlargest(_COMPARED, folded, key=lambda other: 2 * len(pairs & _pairs(other)) / (len(pairs) + len(_pairs(other))))
    near = get_close_matches(wanted, alike, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None


@lru_cache(maxsize=1 << 16)
def _pairs(text: str) -> frozenset[str]:
    """The pairs of neighbouring letters in a text, its ends marked; never empty."""
    marked = f"\x00{text}\x00"
    return frozenset(map("".join, pairwise(marked)))
