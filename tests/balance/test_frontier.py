"""What other limits would bring, and the advice that follows."""

import numpy as np
import pytest
from incidence_builders import long_tail

from burnish.balance.advice import advice_of, together
from burnish.balance.balance import solved
from burnish.balance.frontier import frontier_of
from burnish.balance.incidence import incidence_from_lists
from burnish.balance.problem import measured
from burnish.balance.settings import BalanceConfig


def frontier(incidence, **values):
    config = BalanceConfig(**values)
    copies = solved(incidence, config).copies
    return frontier_of(incidence, config, copies), copies


@pytest.mark.parametrize("objective", ["cv", "ratio"])
def test_more_budget_is_never_worse_and_the_plan_lies_on_the_frontier(objective):
    incidence = long_tail(200, 6)
    found, copies = frontier(incidence, objective=objective, budget=1.5, max_copies=6)
    best = found.table["best"].to_numpy()
    assert (np.diff(best) <= 1e-3 * best[:-1]).all()
    row = found.table.filter(size=1.5).row(0, named=True)
    assert found.now == measured(incidence, copies)[found.metric]
    assert row["best"] == pytest.approx(found.now, rel=0.03)
    assert all(row["best"] <= row[name] + 1e-9 for name in ("rfs", "irfs", "inverse"))


def test_wider_limits_have_lower_floors_and_no_plan_is_below_its_own():
    incidence = long_tail(200, 6)
    found, copies = frontier(incidence, budget=1.3, max_copies=4)
    floors = found.floors
    assert 1 <= floors.any_copies <= floors.any_budget <= floors.within
    assert floors.within <= measured(incidence, copies)["ratio"] * (1 + 1e-9)


def test_limits_that_bind_are_named_with_what_they_cost():
    found, _ = frontier(long_tail(200, 6), budget=1.3, max_copies=4)
    assert [one.limit for one in found.binding] == ["budget", "max_copies", "allow_drop"]
    assert all(one.without < found.now for one in found.binding)


def test_the_floor_of_two_classes_that_never_come_apart_is_their_ratio():
    incidence = incidence_from_lists({"many": [[p] for p in range(4) for _ in range(3)], "one": [[p] for p in range(4)]}, {}, list("0123"))
    found, copies = frontier(incidence)
    assert (found.floors.within, found.floors.any_copies) == (pytest.approx(3, rel=1e-3), pytest.approx(3, rel=1e-3))
    told = advice_of(incidence, copies, found, np.ones(2))
    assert told[0].startswith("Nothing can be gained")
    assert told[1].startswith("many is on 100% of the pictures with one, 3.0 on average")
    assert "nor below 3 with any number of them" in told[1]


def test_how_often_classes_lie_on_one_picture_is_counted():
    incidence = incidence_from_lists({"a": [[0], [0], [1]], "b": [[0], [2]]}, {}, list("012"))
    assert together(incidence, 0, 1) == (0.5, 1.0)
    assert together(incidence, 1, 0) == (0.5, 0.5)


def test_classes_without_objects_are_to_be_collected():
    incidence = incidence_from_lists({"a": [[0]], "b": [[1]]}, {}, list("01"))
    lacking = type(incidence)(incidence.pictures, incidence.views, ("a", "b"), (), np.zeros(2, int), absent=("c", "d"))
    told = advice_of(lacking, np.ones(2, int), None, np.ones(2))
    assert told[0] == "c, d have no object here: no repetition can help; collect pictures of them."
