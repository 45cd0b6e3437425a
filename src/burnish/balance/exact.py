"""The best whole copies, proven by integer programming (HiGHS): for small sets, and as a check of the solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack, vstack

from burnish.balance.limits import cheapest
from burnish.balance.objectives import Ratio, Variances, Variations
from burnish.errors import DataError
from burnish.geometry.arrays import Floats

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.balance.limits import Limits
    from burnish.balance.objectives import Objective
    from burnish.geometry.arrays import Ints

MOST_PICTURES: Final = 5_000
"""More pictures than this are not tried."""

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """What integer programming found.

    Attributes:
        copies: (N,) the best whole copies.
        value: The objective there.
        bound: No whole copies within the limits are below it.
        proven: Whether nothing is left between the two.
    """

    copies: Ints
    value: float
    bound: float
    proven: bool


def solve_exactly(
    objective: Objective,
    limits: Limits,
    start: Ints,
    *,
    rounds: int = 300,
    seconds: float = 60.0,
    advance: Callable[[int], None] = lambda _: None,
) -> Exact:
    """Find the best whole copies within the limits.

    The ratio is a linear programme at each trial ratio (Dinkelbach's method). A convex function is replaced by its tangents: each round
    finds the best whole copies for the tangents so far and adds the tangent there, until none is better than the best seen (outer
    approximation: Duran and Grossmann, Mathematical Programming 36, 1986).

    Args:
        objective: What is to be small.
        limits: What is allowed.
        start: (N,) allowed whole copies to improve on.
        rounds: Programmes to solve at most.
        seconds: Time for one programme at most.
        advance: Told the number of rounds done since the last call.

    Raises:
        DataError: There are too many pictures.
    """
    if len(start) > MOST_PICTURES:
        raise DataError(
            f"There are {len(start):,} pictures; integer programming takes {MOST_PICTURES:,} at most. "
            "Take solver burnish, which proves its gap."
        )
    programme = _ratio_round if isinstance(objective, Ratio) else _tangent_round(objective, limits)
    best, value, bound = start.astype(np.float64), objective.value(start.astype(np.float64)), 0.0
    for _ in range(rounds):
        found, bound, finished = programme(objective, limits, value, seconds)
        advance(1)
        reached = objective.value(found)
        if reached < value:
            best, value = found, reached
        bound = value if finished else bound
        if bound >= value * (1 - _CLOSE) or value <= 0:
            return Exact(np.rint(best).astype(np.int64), value, min(bound, value), proven=bound >= value * (1 - 1e-6) - 1e-12)
    return Exact(np.rint(best).astype(np.int64), value, min(bound, value), proven=False)


def _ratio_round(objective: Objective, limits: Limits, value: float, seconds: float) -> tuple[Floats, float, bool]:
    """Minimise largest - value * smallest; nothing below 0 proves that the value is the best ratio."""
    assert isinstance(objective, Ratio)
    forms = objective.forms
    ones = np.ones((forms.shape[0], 1))
    above = hstack([forms, -csr_array(ones), csr_array(0 * ones)])
    below = hstack([-forms, csr_array(0 * ones), csr_array(ones)])
    constraints = [LinearConstraint(vstack([above, below]).tocsr(), -np.inf, 0.0)]
    found, reached = _programme(limits, np.array([1.0, -value]), constraints, seconds)
    smallest = float((forms @ limits.lowest).min())
    bound = value + min(reached, 0.0) / max(smallest, _CLOSE)
    return found, bound, reached >= -_CLOSE * max(value, 1.0) * max(smallest, 1.0)


def _tangent_round(objective: Objective, limits: Limits) -> Callable[[Objective, Limits, float, float], tuple[Floats, float, bool]]:
    """Keeps its tangents from round to round."""
    variances = objective.variances if isinstance(objective, Variations) else objective
    assert isinstance(variances, Variances)
    level = objective.level if isinstance(objective, Variations) else None
    gradients, offsets = list[Floats](), list[float]()
    lowest_level = 1.0 if level is None else float(level @ cheapest(limits, level))

    def touch(copies: Floats) -> None:
        above, gradient = variances.slope(copies)
        if level is None:
            gradients.append(gradient)
            offsets.append(above - float(gradient @ copies))
        elif above > 0:
            gradients.append(gradient / (2 * np.sqrt(above)))
            offsets.append(0.0)

    def one(_: Objective, limits: Limits, value: float, seconds: float) -> tuple[Floats, float, bool]:
        trial = 0.0 if level is None else float(np.sqrt(value))
        tangents = csr_array(np.array(gradients).reshape(-1, len(limits.lowest)))
        column = csr_array(-np.ones((tangents.shape[0], 1)))
        constraints = [LinearConstraint(hstack([tangents, column]).tocsr(), -np.inf, -np.array(offsets))] if gradients else []
        costs = None if level is None else -trial * level
        found, reached = _programme(limits, np.array([1.0]), constraints, seconds, costs=costs)
        touch(found)
        if level is None:
            return found, reached, reached >= value * (1 - _CLOSE)
        bound = max(trial + min(reached, 0.0) / max(lowest_level, _CLOSE), 0.0) ** 2
        return found, bound, reached >= -_CLOSE * max(trial * lowest_level, 1e-3)

    return one


def _programme(
    limits: Limits, extra: Floats, constraints: list[LinearConstraint], seconds: float, *, costs: Floats | None = None
) -> tuple[Floats, float]:
    """Whole copies and further free variables (at least 0) of least cost; the copies and a bound of the cost."""
    pictures, further = len(limits.lowest), len(extra)
    total = csr_array(np.concatenate([np.ones(pictures), np.zeros(further)])[None])
    least, most = np.ceil(limits.least - _CLOSE), np.floor(limits.most + _CLOSE)
    price = np.concatenate([np.zeros(pictures) if costs is None else costs, extra])
    done = milp(
        price,
        integrality=np.concatenate([np.ones(pictures), np.zeros(further)]),
        bounds=Bounds(np.concatenate([limits.lowest, np.zeros(further)]), np.concatenate([limits.highest, np.full(further, np.inf)])),
        constraints=[*constraints, LinearConstraint(total, least, most)],
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if done.x is None:
        raise DataError(f"The integer programme was not solved: {done.message} Take solver burnish.")
    return np.rint(done.x[:pictures]), float(done.mip_dual_bound)
