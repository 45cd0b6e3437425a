"""What balance means, as functions of the copies: variances, squared coefficients of variation, the largest over the smallest.

Each objective knows its value, its slope, a lower bound from any point, and what one more or one less copy of a picture makes of it. All of
them are convex, or a convex function over a linear one of the same degree: a point where no direction leads down is the best one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from burnish.balance.limits import cheapest, cheapest_ratio
from burnish.balance.sparse import applied, combined, squared, table_of, turned

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from burnish.balance.limits import Limits
    from burnish.geometry.arrays import Floats, Ints

POWERS: Final = (4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0)
"""How sharply the smooth form of the ratio follows it, one after another: each starts from the result of the one before."""

_TRIED: Final = 256
_NOTHING: Final = 1e-12
_ROUNDING: Final = 1e-14
"""Generous share of a sum that rounding may take; bounds are lowered by it, so that they stay bounds."""


class Objective(Protocol):
    """A function of the copies that is to be small."""

    def value(self, copies: Floats) -> float:
        """What it is for (N,) copies."""
        ...

    @property
    def tolerance(self) -> float:
        """The gap that is worth reaching."""
        ...

    def smoothed(self) -> tuple[Objective, ...]:
        """Differentiable forms of it, one after another; the last one is as near as it gets."""
        ...

    def slope(self, copies: Floats) -> tuple[float, Floats]:
        """Value and (N,) gradient."""
        ...

    def bound(self, copies: Floats, limits: Limits) -> float:
        """A number that the objective is not below anywhere within the limits; the nearer the copies are to the best, the closer it is."""
        ...

    def after(self, copies: Floats, pictures: Ints, step: int) -> Floats:
        """(k,) values when one of (k,) pictures comes `step` times more, each by itself; infinite where that cannot be the best of them."""
        ...


@dataclass(frozen=True, eq=False)
class Spread:
    """A weighted sum of variances within groups of linear forms of the copies.

    The form of row i is z_i = rows_i . n; it counts `number_i` times. Its group g contributes
    factor_g * SUM_i number_i (z_i - mean_g)^2, with mean_g the mean of its rows, each counted as often as it counts.

    Attributes:
        rows: (M, N) the linear forms.
        group_of: (M,) group of each row.
        number: (M,) how often each row counts.
        factor: (G,) weight of each group, with the divisor of its variance in it.
    """

    rows: csr_array
    group_of: Ints
    number: Floats
    factor: Floats

    @cached_property
    def columns(self) -> csr_array:
        """The rows, seen from the pictures."""
        return turned(self.rows)

    @cached_property
    def mass(self) -> Floats:
        """(G,) how often the rows of each group count together; 1 for a group without rows."""
        return np.maximum(np.bincount(self.group_of, self.number, len(self.factor)), np.finfo(float).tiny)

    @cached_property
    def curvature(self) -> Floats:
        """(N,) what the value grows by, beside the slope, when one picture comes once more or once less."""
        counted = applied(turned(squared(self.rows)), self.factor[self.group_of] * self.number)
        rows = np.arange(len(self.group_of))
        sums = combined(table_of(self.number, self.group_of, rows, (len(self.factor), len(rows))), self.rows)
        return counted - applied(turned(squared(sums)), self.factor / self.mass)

    def slope(self, copies: Floats) -> tuple[float, Floats]:
        """Value and (N,) gradient."""
        forms = applied(self.rows, copies)
        mean = np.bincount(self.group_of, self.number * forms, len(self.factor)) / self.mass
        away = forms - mean[self.group_of]
        pull = self.factor[self.group_of] * self.number * away
        return float(pull @ away), 2 * applied(self.columns, pull)

    def size(self, copies: Floats) -> float:
        """The same sum without the means taken off: what rounding errors are measured by."""
        return float((self.factor[self.group_of] * self.number) @ applied(self.rows, copies) ** 2)


@dataclass(frozen=True, eq=False)
class Variances:
    """The sum of some spreads: copybal's objective when all of its four are there, each with weight 1."""

    spreads: tuple[Spread, ...]
    pictures: int
    tolerance: float = 1e-6

    def value(self, copies: Floats) -> float:
        """The sum of the spreads."""
        return self.slope(copies)[0]

    def smoothed(self) -> tuple[Objective, ...]:
        """Itself: it is smooth."""
        return (self,)

    def slope(self, copies: Floats) -> tuple[float, Floats]:
        """Value and (N,) gradient."""
        total, gradient = 0.0, np.zeros(self.pictures)
        for spread in self.spreads:
            value, part = spread.slope(copies)
            total += value
            gradient += part
        return total, gradient

    def bound(self, copies: Floats, limits: Limits) -> float:
        """The tangent at the copies, where it is lowest: a convex function is nowhere below it (Frank and Wolfe, 1956)."""
        value, gradient = self.slope(copies)
        most = max(float(limits.highest.max(initial=1.0)), 1.0)
        return max(0.0, value + float(gradient @ (cheapest(limits, gradient) - copies)) - _ROUNDING * most * self.size(copies))

    def after(self, copies: Floats, pictures: Ints, step: int) -> Floats:
        """Exact: the function is quadratic."""
        value, gradient = self.slope(copies)
        return value + step * gradient[pictures] + step * step * self.curvature[pictures]

    def size(self, copies: Floats) -> float:
        """The sum of the spreads without the means taken off."""
        return sum(spread.size(copies) for spread in self.spreads)

    @cached_property
    def curvature(self) -> Floats:
        """(N,) half the second derivative along each picture."""
        return sum((spread.curvature for spread in self.spreads), np.zeros(self.pictures))


@dataclass(frozen=True, eq=False)
class Variations:
    """Variances over the square of a linear form: squared coefficients of variation, which do not change when all copies double.

    Attributes:
        variances: The numerator.
        level: (N,) the linear form in the denominator, at least 0.
        tolerance: The gap that is worth reaching.
    """

    variances: Variances
    level: Floats
    tolerance: float = 1e-6

    def value(self, copies: Floats) -> float:
        """Numerator over denominator; infinite where no object is left."""
        level = float(self.level @ copies)
        return self.variances.value(copies) / level**2 if level > 0 else float("inf")

    def smoothed(self) -> tuple[Objective, ...]:
        """Itself: it is smooth."""
        return (self,)

    def slope(self, copies: Floats) -> tuple[float, Floats]:
        """Value and (N,) gradient."""
        above, gradient = self.variances.slope(copies)
        level = float(self.level @ copies)
        return above / level**2, (gradient - 2 * above / level * self.level) / level**2

    def bound(self, copies: Floats, limits: Limits) -> float:
        """The root of the numerator is a norm, nowhere below its tangent, which passes through 0; tangent over level is a linear fraction.

        Its least value within the limits is found exactly, and squared.
        """
        above, gradient = self.variances.slope(copies)
        if above <= 0:
            return 0.0
        root = float(np.sqrt(above))
        least = cheapest_ratio(limits, gradient / (2 * root), self.level, copies)
        # Near perfect balance the differences are lost in rounding, and the tangent with them.
        unsure = _ROUNDING * self.variances.size(copies) / (root * float(self.level @ copies))
        return max(0.0, least - unsure) ** 2

    def after(self, copies: Floats, pictures: Ints, step: int) -> Floats:
        """Exact: a quadratic function over the square of a linear one."""
        level = float(self.level @ copies) + step * self.level[pictures]
        left = level > _NOTHING * float(self.level.sum())
        return np.where(left, self.variances.after(copies, pictures, step) / np.where(left, level, 1.0) ** 2, np.inf)


@dataclass(frozen=True, eq=False)
class Ratio:
    """The largest of some linear forms over the smallest.

    Attributes:
        forms: (C, N) the forms, for instance the objects of each class over its wanted share.
        power: Sharpness of the smooth form; infinite for the ratio itself.
        tolerance: The gap that is worth reaching.
    """

    forms: csr_array
    power: float = np.inf
    tolerance: float = 1e-4

    @cached_property
    def columns(self) -> csr_array:
        """The forms, seen from the pictures."""
        return turned(self.forms)

    def value(self, copies: Floats) -> float:
        """Largest over smallest; infinite where a form is 0."""
        heights = applied(self.forms, copies)
        return float(heights.max() / heights.min()) if heights.min() > 0 else float("inf")

    def smoothed(self) -> tuple[Objective, ...]:
        """Norms in place of the largest and the smallest, ever sharper."""
        return tuple(Ratio(self.forms, power) for power in POWERS)

    def slope(self, copies: Floats) -> tuple[float, Floats]:
        """Logarithm of the smooth form, and its gradient: log |z|_p + log |1/z|_p."""
        heights, high, low, value = self._parts(copies)
        return value, applied(self.columns, (high - low) / heights)

    def bound(self, copies: Floats, limits: Limits) -> float:
        """A weighted mean of the forms over another one, where that is least: the largest is not below any mean, the smallest not above."""
        heights, high, low, _ = self._parts(copies)
        above, below = high / heights, low / heights
        least = cheapest_ratio(limits, applied(self.columns, above / above.sum()), applied(self.columns, below / below.sum()), copies)
        return least * (1 - _ROUNDING)

    def after(self, copies: Floats, pictures: Ints, step: int) -> Floats:
        """By computing it for those that the slope speaks for; infinite for the others."""
        heights, high, low, _ = self._parts(copies)
        values = np.full(len(pictures), np.inf)
        promised = step * applied(self.columns, (high - low) / heights)[pictures]
        chosen = np.argpartition(promised, _TRIED)[:_TRIED] if len(pictures) > _TRIED else np.arange(len(pictures))
        moved = heights[:, None] + step * self.columns[pictures[chosen]].toarray().T
        values[chosen] = self._of(moved)
        return values

    def _of(self, heights: Floats) -> Floats:
        """(k,) ratios of (C, k) heights."""
        least = heights.min(axis=0)
        return np.where(least > 0, heights.max(axis=0) / np.where(least > 0, least, 1.0), np.inf)

    def _parts(self, copies: Floats) -> tuple[Floats, Floats, Floats, float]:
        heights = applied(self.forms, copies)
        heights = np.maximum(heights, _NOTHING * heights.max())
        logs, power = np.log(heights), min(self.power, POWERS[-1])
        high, low = np.exp(power * (logs - logs.max())), np.exp(-power * (logs - logs.min()))
        value = logs.max() - logs.min() + (np.log(high.sum()) + np.log(low.sum())) / power
        return heights, high / high.sum(), low / low.sum(), float(value)
