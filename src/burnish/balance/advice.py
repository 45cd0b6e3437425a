"""What the numbers mean and what to do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.balance.sparse import applied
from burnish.report.numbers import number

if TYPE_CHECKING:
    from burnish.balance.frontier import Frontier
    from burnish.balance.incidence import Incidence
    from burnish.geometry.arrays import Floats, Ints

METRICS: Final = {"ratio": "largest class over smallest", "class_cv": "coefficient of variation of the classes"}
"""The metrics as the reader meets them."""

_EVEN = 1.005
_WORTH = 0.02
_OFTEN = 0.5


def advice_of(incidence: Incidence, copies: Ints, frontier: Frontier | None, wanted: Floats) -> tuple[str, ...]:
    """Sentences, the most important first.

    Args:
        incidence: Who is seen where.
        copies: (N,) the plan.
        frontier: What other limits would bring, where it was worked out.
        wanted: (C,) wanted share of each class, in any unit.
    """
    told = _absent(incidence)
    if len(incidence.classes) == 1:
        return (*told, f"There is one class, {incidence.classes[0]}: nothing can be gained by repeating pictures.")
    if (copies == 1).all():
        told.append("Nothing can be gained by repeating pictures within these limits; the plan has one copy of each.")
    if frontier is not None:
        told += _floor(incidence, copies, frontier, wanted) + _limits(frontier)
    return tuple(told)


def _absent(incidence: Incidence) -> list[str]:
    if not incidence.absent:
        return []
    names = ", ".join(incidence.absent[:10]) + (" ..." if len(incidence.absent) > 10 else "")  # noqa: PLR2004 - a line's worth of names
    several = len(incidence.absent) > 1
    return [
        f"{names} {'have' if several else 'has'} no object here: no repetition can help; collect pictures of {'them' if several else 'it'}."
    ]


def _floor(incidence: Incidence, copies: Ints, frontier: Frontier, wanted: Floats) -> list[str]:
    """Which classes stand in one another's way."""
    floor = frontier.floors.any_budget
    if floor < _EVEN:
        return ["Repetition can make the classes equal, given the budget: no class stands in the way of another."]
    after = applied(incidence.counts, copies.astype(np.float64)) / wanted
    large, small = int(np.argmax(after)), int(np.argmin(after))
    share, each = together(incidence, large, small)
    names = incidence.classes[large], incidence.classes[small]
    ever = frontier.floors.any_copies
    limits = f"below {floor:.3g} with these copies" + (f", nor below {ever:.3g} with any number of them" if ever > _EVEN else "")
    remedy = "Crop the pictures, leave some out (allow_drop), or collect others" if share >= _OFTEN else "Raise max_copies, or collect more"
    seen = f"{names[0]} is on {share:.0%} of the pictures with {names[1]}, {each:.1f} on average"
    return [f"{seen}: the largest class over the smallest cannot go {limits}. {remedy}."]


def together(incidence: Incidence, one: int, other: int) -> tuple[float, float]:
    """Share of the pictures with one class (`other`) that also show another (`one`), and how many of it they show on average."""
    with_other = np.unique(incidence.counts[[other]].indices)
    shown = incidence.counts[[one]][:, with_other]
    return shown.nnz / max(len(with_other), 1), float(shown.sum()) / max(len(with_other), 1)


def _limits(frontier: Frontier) -> list[str]:
    """What each limit that binds costs."""
    now = frontier.now
    named = METRICS[frontier.metric]
    return [
        f"{one.said[0].upper()}{one.said[1:]} the {named} could be {number(one.without)} in place of {number(now)}."
        for one in frontier.binding
        if one.without < now * (1 - _WORTH)
    ]
