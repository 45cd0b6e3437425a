"""The known name that a wrong one was probably meant to be."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest_name(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name most like a given one, letter case aside; None when none is like it.

    Args:
        name: What was found.
        known: What could have been meant.
        cutoff: Least similarity in [0, 1] (Ratcliff and Obershelp's).
    """
    folded = {other.casefold(): other for other in known}
    near = [name.casefold()] if name.casefold() in folded else get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None
