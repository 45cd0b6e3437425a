"""The continuous problem, solved to a proven gap: projected gradients with spectral steps.

The step is the inverse of the curvature met on the last one (Barzilai and Borwein 1988; Birgin, Martinez and Raydan, SIAM J. Optim. 10,
2000): a first-order method with second-order steps, in which one round costs two passes over the sparse table and one projection.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.balance.limits import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.balance.limits import Limits
    from burnish.balance.objectives import Objective
    from burnish.geometry.arrays import Floats

_COARSE: Final = 60
_MEMORY = 10
_CHECK_EVERY = 25
_SUFFICIENT = 1e-4
_SMALLEST_STEP = 1e-10
_FLAT = 1e-12
_LONGEST, _SHORTEST = 1e30, 1e-30


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The best copies where they need not be whole.

    Attributes:
        copies: (N,) copies.
        value: The objective there.
        bound: No allowed copies, whole or not, are below it.
        start: The objective with one copy each.
        history: One row a round in which it was looked: step, value, bound, samples (copies in all).
    """

    copies: Floats
    value: float
    bound: float
    start: float
    history: tuple[tuple[int, float, float, float], ...]

    @property
    def gap(self) -> float:
        """Share of the way from one copy each down to the bound that is left; 0 where nothing could be gained."""
        return gap_of(self.value, self.bound, self.start)


def gap_of(value: float, bound: float, start: float) -> float:
    """(value - bound) / (start - bound), within 0 and above; 0 where start and bound agree."""
    if not np.isfinite(value) or start - bound <= _FLAT * max(abs(start), 1.0):
        return 0.0 if np.isfinite(value) and value - bound <= _FLAT * max(abs(start), 1.0) else float("inf")
    return max(0.0, (value - bound) / (start - bound))


def solve(
    objective: Objective,
    limits: Limits,
    *,
    start: Floats | None = None,
    steps: int = 400,
    tolerance: float | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Relaxed:
    """Find the best copies within the limits, and a bound that proves how good they are.

    Args:
        objective: What is to be small.
        limits: What is allowed.
        start: (N,) copies to begin with; one each when not given.
        steps: Rounds at most, for each smooth form of the objective.
        tolerance: The gap at which to end; that of the objective when not given.
        advance: Told the number of rounds done since the last call.
    """
    wanted = objective.tolerance if tolerance is None else tolerance
    search = _Search(objective, limits, wanted, np.ones_like(limits.lowest), start)
    forms = objective.smoothed()
    for number, form in enumerate(forms):
        # The first forms only lead the way to the last ones.
        _descend(search, form, steps if number >= len(forms) // 2 else min(steps, _COARSE), advance)
        if search.finished:
            break
    return search.result()


class _Search:
    """The best point and bound so far."""

    def __init__(self, objective: Objective, limits: Limits, tolerance: float, ones: Floats, start: Floats | None) -> None:
        self.objective, self.limits, self.tolerance = objective, limits, tolerance
        self.first = objective.value(ones)
        self.best = nearest(limits, ones if start is None else start)
        self.value = objective.value(self.best)
        self.bound, self.step = -np.inf, 0
        self.history: list[tuple[int, float, float, float]] = []

    @property
    def finished(self) -> bool:
        """Whether the gap is small enough."""
        return gap_of(self.value, self.bound, self.first) <= self.tolerance

    def look(self, form: Objective, copies: Floats) -> None:
        """Keep a point if it is the best, and the bound that it proves."""
        value = self.objective.value(copies)
        if value <= self.value:
            self.value, self.best = value, copies
        self.bound = min(max(self.bound, form.bound(copies, self.limits)), self.value)
        self.history.append((self.step, value, self.bound, float(copies.sum())))

    def result(self) -> Relaxed:
        """What was found."""
        return Relaxed(self.best, self.value, self.bound, self.first, tuple(self.history))


def _descend(search: _Search, form: Objective, steps: int, advance: Callable[[int], None]) -> None:
    copies = search.best
    value, gradient = form.slope(copies)
    length = 1.0 / max(float(np.abs(gradient).max(initial=0.0)), _SHORTEST)
    recent = deque([value], maxlen=_MEMORY)
    best = (value, copies)
    search.look(form, copies)
    for number in range(1, steps + 1):
        direction = nearest(search.limits, copies - length * gradient) - copies
        downhill = float(gradient @ direction)
        if search.finished or downhill >= -_FLAT * max(abs(value), _FLAT):
            break
        moved, new_value, new_gradient = _line_search(form, copies, direction, downhill, max(recent))
        step, change = moved - copies, new_gradient - gradient
        curved = float(step @ change)
        length = min(max(float(step @ step) / curved, _SHORTEST), _LONGEST) if curved > 0 else min(10 * length, _LONGEST)
        copies, value, gradient = moved, new_value, new_gradient
        recent.append(value)
        best = min(best, (value, copies), key=lambda pair: pair[0])
        search.step += 1
        advance(1)
        if number % _CHECK_EVERY == 0:
            search.look(form, best[1])
    search.look(form, best[1])


def _line_search(form: Objective, copies: Floats, direction: Floats, downhill: float, reference: float) -> tuple[Floats, float, Floats]:
    """Halve the way until the value is below the highest of the last rounds by enough (Grippo, Lampariello and Lucidi 1986)."""
    share = 1.0
    while True:
        moved = copies + share * direction
        value, gradient = form.slope(moved)
        if value <= reference + _SUFFICIENT * share * downhill or share < _SMALLEST_STEP:
            return moved, value, gradient
        share /= 2
