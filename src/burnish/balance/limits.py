"""The copies that are allowed: a box for each picture and bounds of their sum; projections on it and cheapest points of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from burnish.geometry.arrays import Bools, Floats, Ints

_ROUNDS: Final = 100
_CLOSE: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Which numbers of copies are allowed.

    Attributes:
        lowest: (N,) copies of each picture at least.
        highest: (N,) copies of each picture at most.
        least: Copies of all pictures together at least.
        most: Copies of all pictures together at most.
    """

    lowest: Floats
    highest: Floats
    least: float
    most: float

    def __post_init__(self) -> None:
        if (self.lowest > self.highest).any():
            raise DataError("A picture must come more often than it may. Make the limits agree.")
        if max(self.least, self.lowest.sum()) > min(self.most, self.highest.sum()) * (1 + _CLOSE):
            raise DataError(
                f"The limits leave nothing: {self.lowest.sum():,.0f} to {self.highest.sum():,.0f} copies of the pictures, "
                f"{self.least:,.0f} to {self.most:,.0f} in all. Make them agree."
            )


def usual_limits(pictures: int, budget: float, max_copies: int, *, allow_drop: bool = False, bare: Bools | None = None) -> Limits:
    """Every picture at least once and at most `max_copies` times, all together at most `budget` times as many as there are pictures.

    Args:
        pictures: N.
        budget: Samples as a multiple of the pictures.
        max_copies: Copies of one picture at most.
        allow_drop: Pictures may be left out; the sum then does not fall below N or, with a budget below 1, below the budget.
        bare: (N,) pictures that come exactly once: those without objects, which show the background.
    """
    once = np.zeros(pictures, dtype=np.bool_) if bare is None else bare
    lowest = np.where(once, 1.0, 0.0 if allow_drop else 1.0)
    highest = np.where(once, 1.0, float(max_copies))
    most = min(max(float(np.floor(budget * pictures + _CLOSE)), float(lowest.sum())), float(highest.sum()))
    return Limits(lowest, highest, min(float(pictures), most), most)


def nearest(limits: Limits, copies: Floats) -> Floats:
    """The allowed point nearest to any other: clipped, and shifted where the sum says so.

    Args:
        limits: What is allowed.
        copies: (N,) any numbers.
    """
    clipped = np.clip(copies, limits.lowest, limits.highest)
    total = clipped.sum()
    if limits.least <= total <= limits.most:
        return clipped
    wanted = limits.most if total > limits.most else limits.least
    return np.clip(copies - _shift(limits, copies, wanted), limits.lowest, limits.highest)


def cheapest(limits: Limits, prices: Floats) -> Floats:
    """The allowed copies with the least sum of price times copies: a knapsack whose goods can be cut.

    Args:
        limits: What is allowed.
        prices: (N,) may be negative.
    """
    copies = np.where(prices < 0, limits.highest, limits.lowest)
    total = copies.sum()
    if limits.least <= total <= limits.most:
        return copies
    room = (limits.most if total > limits.most else limits.least) - limits.lowest.sum()
    span = limits.highest - limits.lowest
    bought = limits.lowest.copy()
    order = _cheapest_first(prices, span, room)
    bought[order] += np.clip(room - (np.cumsum(span[order]) - span[order]), 0.0, span[order])
    return bought


def cheapest_ratio(limits: Limits, prices: Floats, worth: Floats, start: Floats) -> float:
    """The least value of (prices . copies) / (worth . copies) over all that is allowed.

    Newton's method on the ratio (Dinkelbach, Management Science 13, 1967): each round is one knapsack, and the value falls to the minimum.

    Args:
        limits: What is allowed.
        prices: (N,) may be negative.
        worth: (N,) at least 0.
        start: (N,) allowed copies with a worth above 0.
    """
    least_worth = float(worth @ cheapest(limits, worth))
    ratio = float(prices @ start) / float(worth @ start)
    reached = 0.0
    for _ in range(_ROUNDS):
        copies = cheapest(limits, prices - ratio * worth)
        below = float(worth @ copies)
        reached = float(prices @ copies) - ratio * below
        if below <= 0 or reached >= -_CLOSE * max(abs(ratio) * below, _CLOSE):
            break
        ratio = float(prices @ copies) / below
    # What is left to gain, over the least worth: so that the result is below the minimum also where rounding ended the rounds.
    return ratio + min(reached, 0.0) / max(least_worth, _CLOSE)


def _cheapest_first(prices: Floats, span: Floats, room: float) -> Ints:
    """Goods in the order of their prices, as many as fill the room: those that are surely not bought need not be sorted."""
    needed = int(np.ceil(room / max(float(span.max()), _CLOSE))) + 1
    # Goods of one span, as is usual, are bought whole but for the last; with others more of them may be needed.
    if span.min() < span.max() or needed >= len(prices):
        return np.argsort(prices, kind="stable")
    nearest_ones = np.argpartition(prices, needed)[:needed]
    return nearest_ones[np.lexsort((nearest_ones, prices[nearest_ones]))]


def _shift(limits: Limits, copies: Floats, wanted: float) -> float:
    """How far to move down before clipping so that the sum is as wanted: Newton's method, kept inside of a bracket."""
    lower = float((copies - limits.highest).min())
    upper = float((copies - limits.lowest).max())
    shift = 0.0
    for _ in range(_ROUNDS):
        moved = copies - shift
        excess = float(np.clip(moved, limits.lowest, limits.highest).sum()) - wanted
        if abs(excess) <= _CLOSE * max(wanted, 1.0):
            break
        lower, upper = (shift, upper) if excess > 0 else (lower, shift)
        free = int(((moved > limits.lowest) & (moved < limits.highest)).sum())
        newton = shift + excess / free if free else np.nan
        shift = newton if lower < newton < upper else (lower + upper) / 2
    return shift
