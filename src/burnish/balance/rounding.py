"""Whole copies out of fractional ones: rounding that keeps sums, then best marginal gains and exchanges as long as they help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.balance.sparse import column_sums, row_sums, turned

if TYPE_CHECKING:
    from collections.abc import Callable

    from scipy.sparse import csr_array

    from burnish.balance.limits import Limits
    from burnish.balance.objectives import Objective
    from burnish.geometry.arrays import Floats, Ints

MOST_WORK: Final = 2e8
"""Entries of the sparse table gone through in the local search at most: a second or two."""

_TRIED = 12
_LEAST_GAIN = 1e-12


def whole_copies(
    objective: Objective,
    limits: Limits,
    relaxed: Floats,
    counts: csr_array,
    *,
    enough: float = -np.inf,
    advance: Callable[[int], None] = lambda _: None,
) -> Ints:
    """Whole copies near the best fractional ones, within the limits.

    Args:
        objective: What is to be small.
        limits: What is allowed.
        relaxed: (N,) fractional copies.
        counts: (C, N) objects of each class on each picture: pictures alike are rounded together.
        enough: A value of the objective that is not worth improving.
        advance: Told the number of improvements since the last call.
    """
    rounded = _rounded(limits, relaxed, counts)
    work = max(1, int(MOST_WORK / max(counts.nnz + len(relaxed), 1) / (2 + _TRIED)))
    copies, value = rounded, objective.value(rounded)
    for _ in range(work):
        if value <= enough:
            break
        better = _improved(objective, limits, copies, value)
        if better is None:
            break
        copies, value = better
        advance(1)
    return np.rint(copies).astype(np.int64)


def _rounded(limits: Limits, relaxed: Floats, counts: csr_array) -> Floats:
    """Running sums are rounded, so that the copies of no run of similar pictures are off by more than one."""
    order = _alike_together(counts)
    base = np.floor(relaxed + 1e-9)
    fraction = np.clip(relaxed - base, 0.0, 1.0)[order]
    ends = np.floor(np.cumsum(fraction) + 0.5 - 1e-9)
    copies = base.copy()
    copies[order] += np.diff(ends, prepend=0.0)
    copies = np.clip(copies, np.ceil(limits.lowest), np.floor(limits.highest))
    return _within_sums(limits, copies, relaxed)


def _within_sums(limits: Limits, copies: Floats, relaxed: Floats) -> Floats:
    """Take away or add single copies where the rounding was farthest off, until the sum is allowed."""
    excess = int(max(copies.sum() - np.floor(limits.most + 1e-9), 0)) - int(max(np.ceil(limits.least - 1e-9) - copies.sum(), 0))
    while excess:
        step = 1 if excess < 0 else -1
        free = copies < limits.highest if step > 0 else copies > limits.lowest
        order = np.argsort(np.where(free, step * (copies - relaxed), np.inf), kind="stable")[: min(abs(excess), int(free.sum()))]
        copies[order] += step
        excess += step * len(order)
    return copies


def _alike_together(counts: csr_array) -> Ints:
    """Pictures in an order in which those with the same rarest class, and then the same count of it, stand together."""
    by_picture = turned(counts)
    frequency = row_sums(counts)
    rank = np.empty(len(frequency), dtype=np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
    entries, rows = rank[by_picture.indices], np.repeat(np.arange(len(by_picture.indptr) - 1), np.diff(by_picture.indptr))
    rarest = np.full(len(by_picture.indptr) - 1, len(frequency))
    np.minimum.at(rarest, rows, entries)
    commonest = np.full(len(by_picture.indptr) - 1, -1)
    np.maximum.at(commonest, rows, entries)
    objects = column_sums(counts)
    return np.lexsort((objects, commonest, rarest))


def _improved(objective: Objective, limits: Limits, copies: Floats, value: float) -> tuple[Floats, float] | None:
    """The best of: one copy more, one less, one more and another less; None when none of them helps."""
    needed = value - _LEAST_GAIN * max(abs(value), _LEAST_GAIN)
    total = copies.sum()
    more = _moves(objective, copies, np.flatnonzero(copies < limits.highest), 1)
    fewer = _moves(objective, copies, np.flatnonzero(copies > limits.lowest), -1)
    found = (needed, copies)
    if total + 1 <= limits.most + 1e-9:
        found = _best(found, copies, more, 1)
    if total - 1 >= limits.least - 1e-9:
        found = _best(found, copies, fewer, -1)
    if found[0] < needed:
        return found[1], found[0]
    for at in more[0][:_TRIED]:
        raised = copies.copy()
        raised[at] += 1
        found = _best(found, raised, _moves(objective, raised, np.flatnonzero(raised > limits.lowest), -1), -1)
    return (found[1], found[0]) if found[0] < needed else None


def _moves(objective: Objective, copies: Floats, pictures: Ints, step: int) -> tuple[Ints, Floats]:
    """Pictures and the values that a step on each would give, the best first."""
    values = objective.after(copies, pictures, step)
    order = np.argsort(values, kind="stable")[: 2 * _TRIED]
    return pictures[order], values[order]


def _best(found: tuple[float, Floats], copies: Floats, moves: tuple[Ints, Floats], step: int) -> tuple[float, Floats]:
    if not len(moves[0]) or moves[1][0] >= found[0]:
        return found
    moved = copies.copy()
    moved[moves[0][0]] += step
    return float(moves[1][0]), moved
