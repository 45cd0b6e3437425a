"""What is allowed: projections and knapsacks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from burnish.balance.limits import Limits, cheapest, cheapest_ratio, nearest, usual_limits
from burnish.errors import DataError

NUMBERS = st.floats(-5, 5, allow_subnormal=False)


@st.composite
def limits(draw):
    size = draw(st.integers(1, 6))
    lowest = np.array(draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)), dtype=float)
    highest = lowest + np.array(draw(st.lists(st.integers(0, 4), min_size=size, max_size=size)))
    least = draw(st.floats(0, 1)) * (highest.sum() - lowest.sum()) + lowest.sum()
    most = least + draw(st.floats(0, 1)) * (highest.sum() - least)
    return Limits(lowest, highest, least, most)


def of_size(allowed, data):
    return np.array(data.draw(st.lists(NUMBERS, min_size=len(allowed.lowest), max_size=len(allowed.lowest))))


def is_allowed(allowed, copies):
    inside = (copies >= allowed.lowest - 1e-9).all() and (copies <= allowed.highest + 1e-9).all()
    return inside and allowed.least - 1e-6 <= copies.sum() <= allowed.most + 1e-6


@settings(max_examples=150, deadline=None)
@given(limits(), st.data())
def test_the_projection_is_allowed_and_no_allowed_point_is_nearer(allowed, data):
    point = of_size(allowed, data)
    projected = nearest(allowed, point)
    assert is_allowed(allowed, projected)
    # The nearest point of a convex set: nothing in it lies further in the direction that leads out.
    corner = cheapest(allowed, projected - point)
    assert (projected - point) @ (corner - projected) >= -1e-6


@settings(max_examples=150, deadline=None)
@given(limits(), st.data())
def test_the_cheapest_copies_are_those_of_linear_programming(allowed, data):
    prices = of_size(allowed, data)
    bought = cheapest(allowed, prices)
    assert is_allowed(allowed, bought)
    sums = np.stack([np.ones(len(prices)), -np.ones(len(prices))])
    found = linprog(prices, A_ub=sums, b_ub=[allowed.most, -allowed.least], bounds=np.stack([allowed.lowest, allowed.highest], axis=1))
    assert prices @ bought == pytest.approx(found.fun, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(limits(), st.data())
def test_no_allowed_copies_have_a_lower_ratio_than_the_cheapest(allowed, data):
    prices, worth = of_size(allowed, data), np.abs(of_size(allowed, data)) + 0.1
    start = nearest(allowed, np.ones(len(prices)))
    if allowed.least < 0.1:
        return
    least = cheapest_ratio(allowed, prices, worth, start)
    others = [nearest(allowed, of_size(allowed, data)) for _ in range(3)] + [start]
    assert all(prices @ n / (worth @ n) >= least - 1e-6 for n in others)


def test_the_budget_is_rounded_down_to_whole_samples():
    assert usual_limits(3, 1.5, 20).most == 4


def test_with_leaving_out_the_size_does_not_shrink_unless_the_budget_says_so():
    assert (usual_limits(10, 2, 5, allow_drop=True).least, usual_limits(10, 2, 5, allow_drop=True).most) == (10, 20)
    assert (usual_limits(10, 0.5, 5, allow_drop=True).least, usual_limits(10, 0.5, 5, allow_drop=True).most) == (5, 5)


def test_pictures_without_objects_come_once():
    bare = np.array([True, False, False])
    for drop in (False, True):
        allowed = usual_limits(3, 4, 5, allow_drop=drop, bare=bare)
        assert (allowed.lowest[0], allowed.highest[0]) == (1, 1)
        assert allowed.most == 11


def test_limits_that_leave_nothing_are_refused():
    with pytest.raises(DataError, match="leave nothing"):
        Limits(np.ones(3), np.full(3, 2.0), 7, 8)
    with pytest.raises(DataError, match="must come more often than it may"):
        Limits(np.full(3, 2.0), np.ones(3), 1, 8)
