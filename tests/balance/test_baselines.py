"""What others do, and that the plan is never worse at their size."""

import numpy as np
import pytest
from incidence_builders import long_tail

from burnish.balance.balance import solved
from burnish.balance.baselines import NAMES, baseline_copies, repeat_factors
from burnish.balance.incidence import incidence_from_lists
from burnish.balance.problem import measured
from burnish.balance.settings import BalanceConfig


def test_repeat_factors_are_those_of_the_papers():
    incidence = incidence_from_lists({"a": [[0], [1], [2], [3]], "b": [[3], [3]]}, {}, list("0123"))
    assert repeat_factors(incidence, 1.0) == pytest.approx([1, 1, 1, 2])
    both = np.sqrt(1 / np.sqrt(0.25 * 2 / 6))
    assert repeat_factors(incidence, 1.0, instances=True)[3] == pytest.approx(both)


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_keeps_to_its_size_and_copies(name):
    incidence = long_tail(300, 10)
    copies = baseline_copies(incidence, name, 450, max_copies=4)
    assert 400 <= copies.sum() <= 450
    assert copies.min() == 1
    assert copies.max() <= 4


@pytest.mark.parametrize(("objective", "metric"), [("cv", "class_cv"), ("ratio", "ratio")])
@pytest.mark.parametrize("seed", range(3))
def test_the_plan_is_never_worse_at_equal_size(objective, metric, seed):
    incidence = long_tail(300, 8, seed)
    for name in NAMES:
        copies = baseline_copies(incidence, name, 500, max_copies=10)
        config = BalanceConfig(objective=objective, budget=copies.sum() / 300 + 1e-9, max_copies=10)
        ours = solved(incidence, config).copies
        assert ours.sum() <= copies.sum()
        assert measured(incidence, ours)[metric] <= measured(incidence, copies)[metric] + 1e-9
