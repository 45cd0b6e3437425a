"""Whether the labels drawn by hand and the weak ones speak of the same classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from burnish.data.findings import finding
from burnish.errors import DataError
from burnish.refine.parts import BASELINE, WEAK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from burnish.refine.material import Item

_NAMED: Final = 5


def require_shared_class(items: Sequence[Item]) -> None:
    """Refuse labels of which no class is both drawn by hand and weakly labelled: most likely one of them has no names.

    Raises:
        DataError: There are both kinds of labels, and they share no class.
    """
    hand, weak = _names(row for item in items for row in item.hand), _names(row for item in items for row in item.weak)
    if not hand or not weak or not set(hand).isdisjoint(weak):
        return
    drawn, known = _listed(hand), _listed(weak)
    advice = "Give both the same names."
    if all(name.isdecimal() for name in hand):
        advice = "Name the values of the masks in a classes.txt beside masks/: 'background', then one class a line in the order of values."
    raise DataError(f"The objects drawn by hand are of the classes {drawn}, the weakly labelled ones of {known}; they share none. {advice}")


def taught_by_none(items: Sequence[Item], sets: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A finding for each class that is to be refined and that no picture shows the first network.

    Args:
        items: The pictures.
        sets: The set of each.
    """
    weak = (row for item, one in zip(items, sets, strict=True) if one == WEAK for row in item.weak or item.hand)
    known = set(_names(row for item, one in zip(items, sets, strict=True) if one == BASELINE for row in item.hand))
    for name in _names(weak):
        if name not in known:
            reason = f"Class '{name}' is weakly labelled, and no picture for training has it drawn by hand: its outlines cannot be learnt."
            yield finding("no_hand_label", reason, suggestion=f"draw some, or leave the class out: --without {name}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:_NAMED]) + more


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["class"] for row in rows))
