"""The solver, whole copies and integer programming: each is held to the others and to trying everything."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from incidence_builders import incidences, long_tail
from scipy.optimize import linprog

from burnish.balance.exact import MOST_PICTURES, solve_exactly
from burnish.balance.limits import usual_limits
from burnish.balance.problem import class_ratio, four_variances, objective_of, variations
from burnish.balance.rounding import whole_copies
from burnish.balance.settings import BalanceConfig
from burnish.balance.solver import gap_of, solve
from burnish.errors import DataError

OBJECTIVES = ("cv", "ratio", "variance")


def everything(objective, limits, most):
    """The best of all whole copies."""
    options = itertools.product(range(most + 1), repeat=len(limits.lowest))
    arrays = (np.array(copies, dtype=float) for copies in options)
    return min(objective.value(n) for n in arrays if (n >= limits.lowest).all() and limits.least <= n.sum() <= limits.most)


@settings(max_examples=60, deadline=None)
@given(incidences(most_pictures=5), st.sampled_from(OBJECTIVES), st.floats(1, 3))
def test_the_bound_is_below_all_whole_copies_and_the_plan_above_the_bound(incidence, name, budget):
    objective, limits = (
        objective_of(incidence, BalanceConfig(objective=name, max_copies=3, budget=budget)),
        usual_limits(len(incidence), budget, 3),
    )
    relaxed = solve(objective, limits)
    best = everything(objective, limits, 3)
    assert relaxed.bound <= best * (1 + 1e-9) + 1e-9
    copies = whole_copies(objective, limits, relaxed.copies, incidence.counts)
    assert (copies >= limits.lowest).all()
    assert (copies <= limits.highest).all()
    assert limits.least <= copies.sum() <= limits.most
    assert best - 1e-9 <= objective.value(copies.astype(float))


@settings(max_examples=25, deadline=None)
@given(incidences(most_pictures=5, most_classes=3), st.sampled_from(OBJECTIVES), st.floats(1, 3))
def test_integer_programming_finds_the_best_of_all_whole_copies(incidence, name, budget):
    objective, limits = (
        objective_of(incidence, BalanceConfig(objective=name, max_copies=3, budget=budget)),
        usual_limits(len(incidence), budget, 3),
    )
    found = solve_exactly(objective, limits, np.ones(len(incidence), dtype=np.int64))
    best = everything(objective, limits, 3)
    assert found.value == pytest.approx(best, rel=1e-5, abs=1e-6)
    assert found.bound <= best * (1 + 1e-6) + 1e-6
    assert found.proven


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize(("budget", "drop"), [(1.2, False), (2.0, False), (6.0, False), (1.0, True), (0.5, True)])
def test_the_gap_is_closed_on_a_long_tail(name, budget, drop):
    incidence = long_tail(600, 12, superclasses=3)
    config = BalanceConfig(objective=name, budget=budget, allow_drop=drop, max_copies=10)
    objective = objective_of(incidence, config)
    limits = usual_limits(600, budget, 10, allow_drop=drop)
    relaxed = solve(objective, limits)
    copies = whole_copies(objective, limits, relaxed.copies, incidence.counts)
    assert relaxed.gap <= 1e-3
    assert gap_of(objective.value(copies.astype(float)), relaxed.bound, relaxed.start) <= 0.01


def test_the_ratio_is_that_of_linear_programming():
    incidence = long_tail(300, 8)
    limits = usual_limits(300, 1.5, 6)
    found = solve(class_ratio(incidence), limits)
    assert found.value == pytest.approx(ratio_by_programming(incidence.counts.toarray(), limits), rel=1e-3)
    assert found.bound <= ratio_by_programming(incidence.counts.toarray(), limits) * (1 + 1e-9)


def ratio_by_programming(counts, limits):
    """Dinkelbach's method over HiGHS."""
    classes, pictures = counts.shape
    ones = np.ones((classes, 1))
    sides = np.block([[counts, -ones, 0 * ones], [-counts, 0 * ones, ones], [np.ones((1, pictures)), np.zeros((1, 2))]])
    bounds = [*zip(limits.lowest, limits.highest, strict=True), (0, None), (0, None)]
    ratio = np.inf
    heights = counts.sum(axis=1)
    while heights.max() / heights.min() < ratio - 1e-9:
        ratio = heights.max() / heights.min()
        cost = np.concatenate([np.zeros(pictures), [1, -ratio]])
        found = linprog(cost, A_ub=sides, b_ub=[*np.zeros(2 * classes), limits.most], bounds=bounds)
        heights = counts @ found.x[:pictures]
    return ratio


def test_the_solution_is_the_same_every_time():
    incidence = long_tail(200, 6)
    objective, limits = four_variances(incidence), usual_limits(200, 2, 5)
    one, other = (whole_copies(objective, limits, solve(objective, limits).copies, incidence.counts) for _ in range(2))
    assert (one == other).all()


def test_where_nothing_can_be_gained_the_gap_is_zero():
    assert gap_of(2.0, 2.0, 2.0) == 0
    assert gap_of(1.5, 1.0, 2.0) == 0.5
    assert gap_of(float("inf"), 1.0, 2.0) == float("inf")


def test_a_class_that_pictures_show_alone_becomes_as_large_as_the_other():
    incidence = long_tail(100, 2)
    objective = variations(incidence, (0.0, 0, 1, 0), np.ones(2), np.ones(2))
    alone = (incidence.counts[[0]].toarray()[0] == 0).sum()
    assert alone > 0
    found = solve(objective, usual_limits(100, 10, 200))
    assert found.value == pytest.approx(0, abs=1e-5)


def test_integer_programming_refuses_what_is_too_large():
    pictures = MOST_PICTURES + 1
    with pytest.raises(DataError, match=r"5,000 at most. Take solver burnish"):
        solve_exactly(four_variances(long_tail(5, 2)), usual_limits(pictures, 2, 3), np.ones(pictures, dtype=np.int64))


def test_progress_is_told():
    told = []
    solve(class_ratio(long_tail(50, 4)), usual_limits(50, 2, 5), advance=told.append)
    assert sum(told) > 10
