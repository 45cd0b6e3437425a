"""Balance against size, the floors, and what binds: what more budget, more copies or leaving pictures out would bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.balance.baselines import NAMES, baseline_copies
from burnish.balance.limits import Limits
from burnish.balance.problem import class_ratio, class_wishes, limits_of, measured, objective_of
from burnish.balance.settings import WeightsConfig
from burnish.balance.solver import solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.balance.incidence import Incidence
    from burnish.balance.objectives import Objective
    from burnish.balance.settings import BalanceConfig
    from burnish.geometry.arrays import Floats, Ints

BUDGETS: Final = (1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Sizes, as multiples of the pictures, at which the best balance is shown, as far as the copies allow."""

MOST_ENTRIES: Final = 300_000
"""Entries of the table of pictures and classes up to which the frontier and the floors are worked out."""

_ROUNDS = 80
_TOLERANCE = 5e-4


@dataclass(frozen=True, slots=True)
class Floors:
    """What repetition cannot pass, as the largest class over the smallest.

    Attributes:
        within: Within all limits.
        any_budget: With the limit of copies, whatever the budget.
        any_copies: Whatever the copies, also when pictures may be left out.
    """

    within: float
    any_budget: float
    any_copies: float


@dataclass(frozen=True, slots=True)
class Binding:
    """What a limit costs: its name, how it binds in words, and the metric (see `Frontier.metric`) without it."""

    limit: str
    said: str
    without: float


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """What is possible around the plan.

    Attributes:
        metric: class_cv, or ratio where that is the objective.
        now: The metric of the plan.
        table: One row a size: size (multiple of the pictures), best (the metric of the relaxed optimum), and one column a baseline.
        floors: What repetition cannot pass.
        binding: The limits that bind.
    """

    metric: str
    now: float
    table: pl.DataFrame
    floors: Floors
    binding: tuple[Binding, ...]


def frontier_of(incidence: Incidence, config: BalanceConfig, copies: Ints, *, advance: Callable[[int], None] = lambda _: None) -> Frontier:
    """Work out what other limits would bring.

    Args:
        incidence: Who is seen where.
        config: The settings.
        copies: (N,) the plan.
        advance: Told the number of problems solved since the last call.
    """
    metric = "ratio" if config.objective == "ratio" else "class_cv"
    look = _Look(incidence, config, metric, advance)
    # Balance itself is to be shown, without the small price of uneven copies.
    rows, start = list[dict[str, float]](), None
    for budget in sorted({1.0, config.budget, *BUDGETS}):
        if 1.0 <= budget <= config.max_copies:
            row, start = look.at(budget, start)
            rows.append(row)
    return Frontier(metric, look.measure(copies), pl.DataFrame(rows), _floors(look, copies), _binding(look, config, copies))


class _Look:
    """Solves one problem after another over the same tables."""

    def __init__(self, incidence: Incidence, config: BalanceConfig, metric: str, advance: Callable[[int], None]) -> None:
        self.incidence, self.config, self.metric, self.advance = incidence, config, metric, advance
        kind = "ratio" if metric == "ratio" else "cv"
        weights = WeightsConfig(files=0.0, objects=0.0, superclasses=0.0, each=config.weights.each)
        self.plain = config.model_copy(update={"objective": kind, "weights": weights})
        self.objective = objective_of(incidence, self.plain)

    def measure(self, copies: Floats | Ints) -> float:
        return measured(self.incidence, copies, self.config.target)[self.metric]

    def at(self, budget: float, start: Floats | None) -> tuple[dict[str, float], Floats]:
        config = self.plain.model_copy(update={"budget": budget})
        best = self.solved(self.objective, limits_of(self.incidence, config), start)
        samples, most = int(budget * len(self.incidence)), self.config.max_copies
        others = {name: self.measure(baseline_copies(self.incidence, name, samples, max_copies=most)) for name in NAMES}
        return {"size": budget, "best": self.measure(best), **others}, best

    def without(self, **changed: float | bool) -> float:
        config = self.plain.model_copy(update=changed)
        return self.measure(self.solved(self.objective, limits_of(self.incidence, config), None))

    def solved(self, objective: Objective, limits: Limits, start: Floats | None) -> Floats:
        found = solve(objective, limits, start=start, steps=_ROUNDS, tolerance=_TOLERANCE)
        self.advance(1)
        return found.copies


def _floors(look: _Look, copies: Ints) -> Floors:
    size = len(look.incidence)
    ratio = class_ratio(look.incidence, *class_wishes(look.incidence, look.plain))
    limits = limits_of(look.incidence, look.config)
    loose = limits_of(look.incidence, look.config.model_copy(update={"budget": float(look.config.max_copies)}))
    # Shares of pictures, which any number of copies comes near to: one copy of each no longer counts.
    shares = Limits(np.zeros(size), np.full(size, float(size)), float(size), float(size))
    bounds: list[float] = []
    for one in (limits, loose, shares):
        found = solve(ratio, one, start=copies.astype(np.float64), steps=_ROUNDS, tolerance=_TOLERANCE)
        bounds.append(max(found.bound, 1.0))
        look.advance(1)
    # A wider limit has no higher floor: what was proven for it holds for the narrower ones too.
    return Floors(max(bounds), max(bounds[1:]), bounds[2])


def _binding(look: _Look, config: BalanceConfig, copies: Ints) -> tuple[Binding, ...]:
    found: list[Binding] = []
    size = len(look.incidence)
    if copies.sum() + 1 > config.budget * size and config.budget < config.max_copies:
        wider = min(float(config.max_copies), 1.5 * config.budget)
        said = f"all {int(copies.sum()):,} samples of the budget are spent; with a budget of {wider:g}"
        found.append(Binding("budget", said, look.without(budget=wider)))
    full = int((copies >= config.max_copies).sum())
    if full:
        come = "picture comes" if full == 1 else "pictures come"
        said = f"{full:,} {come} {config.max_copies} times; with max_copies {2 * config.max_copies}"
        found.append(Binding("max_copies", said, look.without(max_copies=2 * config.max_copies)))
    once = int((copies == 1).sum())
    if not config.allow_drop and once:
        said = f"{once:,} {'picture comes' if once == 1 else 'pictures come'} once and cannot be left out; with allow_drop"
        found.append(Binding("allow_drop", said, look.without(allow_drop=True)))
    return tuple(found)
