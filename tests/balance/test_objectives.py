"""What balance means: the worked example, slopes, and bounds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from incidence_builders import golden, incidences, long_tail

from burnish.balance.limits import nearest, usual_limits
from burnish.balance.objectives import Ratio, Variances, Variations
from burnish.balance.problem import class_ratio, four_spreads, four_variances, objective_of, variations
from burnish.balance.settings import BalanceConfig
from burnish.errors import ConfigError

ONES = np.ones(4)


@pytest.mark.parametrize(
    ("copies", "terms", "gradient"),
    [
        ([1, 1, 1, 1, 1, 1], [0, 0.2777778, 2, 2], [-3.6666667, 0.3333333, -1.3333333, 6.1111111, 3.2222222, 3.8888889]),
        ([1, 1, 2, 1, 1, 3], [0.7, 1.0, 3.25, 12.5], [-10.2, -0.3666667, -3.3, 11.4666667, 5.8, 11.6]),
    ],
)
def test_the_worked_example_has_its_terms_and_its_gradient(copies, terms, gradient):
    numbers = np.array(copies, dtype=float)
    spreads = four_spreads(golden(), (1, 1, 1, 1))
    assert [spread.slope(numbers)[0] for spread in spreads] == pytest.approx(terms, abs=1e-7)
    value, slope = four_variances(golden()).slope(numbers)
    assert value == pytest.approx(sum(terms), abs=1e-6)
    assert slope == pytest.approx(gradient, abs=1e-7)


def test_terms_without_anything_to_vary_are_zero_rather_than_an_error():
    single = golden()
    one = four_variances(type(single)(single.pictures[:1], single.views[:1].with_columns(picture=0), ("a",), (), np.zeros(1, int)))
    assert one.value(np.ones(1)) == 0


def is_allowed(copies, limits):
    inside = (copies >= limits.lowest).all() and (copies <= limits.highest).all()
    return inside and limits.least <= copies.sum() <= limits.most


def kinds(incidence):
    weights = (0.3, 0.2, 1.0, 0.5)
    classes = len(incidence.classes)
    yield four_variances(incidence, weights)
    yield variations(incidence, weights, np.linspace(0.5, 1.5, classes), np.linspace(1, 2, classes))
    yield class_ratio(incidence)


@settings(max_examples=60, deadline=None)
@given(incidences(), st.data())
def test_slopes_agree_with_differences(incidence, data):
    copies = np.array(data.draw(st.lists(st.floats(1, 5), min_size=len(incidence), max_size=len(incidence))))
    for objective in kinds(incidence):
        form = objective.smoothed()[0]
        _, gradient = form.slope(copies)
        step = 1e-5
        sides = [[form.slope(copies + sign * step * axis)[0] for sign in (1, -1)] for axis in np.eye(len(copies))]
        assert gradient == pytest.approx([(up - down) / (2 * step) for up, down in sides], rel=1e-4, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(incidences(), st.data())
def test_what_a_step_gives_is_told_exactly(incidence, data):
    copies = np.array(data.draw(st.lists(st.integers(1, 5), min_size=len(incidence), max_size=len(incidence))), dtype=float)
    pictures = np.arange(len(incidence))
    for objective in kinds(incidence):
        for step in (1, -1):
            expected = [objective.value(copies + step * axis) for axis in np.eye(len(copies))]
            told = objective.after(copies, pictures, step)
            finite = np.isfinite(expected) & (np.array(expected) < 1e12)
            assert told[finite] == pytest.approx(np.array(expected)[finite], rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(incidences(most_pictures=4), st.floats(1, 3), st.booleans(), st.data())
def test_no_allowed_copies_are_below_the_bound_from_any_point(incidence, budget, drop, data):
    size = len(incidence)
    bare = np.asarray(incidence.counts.sum(axis=0)).ravel() == 0
    limits = usual_limits(size, budget, 3, allow_drop=drop, bare=bare)
    point = nearest(limits, np.array(data.draw(st.lists(st.floats(0, 4), min_size=size, max_size=size))))
    grid = (np.array(copies, dtype=float) for copies in itertools.product((0, 0.5, 1, 1.7, 2, 3), repeat=size))
    allowed = [n for n in grid if is_allowed(n, limits) and (incidence.counts @ n).sum() > 0]
    for objective in kinds(incidence):
        if (incidence.counts @ point).min() <= 0:
            continue
        bound = max(form.bound(point, limits) for form in objective.smoothed())
        assert bound <= min(objective.value(n) for n in allowed) * (1 + 1e-9) + 1e-9


def test_the_coefficients_of_variation_do_not_change_when_all_copies_double():
    incidence = long_tail(50, 5, superclasses=2)
    objective = variations(incidence, (0.1, 0.1, 1, 1), np.ones(5), np.ones(5))
    copies = np.arange(1.0, 51)
    assert objective.value(2 * copies) == pytest.approx(objective.value(copies))


def test_the_class_term_is_the_squared_coefficient_of_variation():
    incidence = long_tail(50, 5)
    counts = incidence.counts @ np.ones(50)
    objective = variations(incidence, (0, 0, 1, 0), np.ones(5), np.ones(5))
    assert objective.value(np.ones(50)) == pytest.approx((counts.std(ddof=1) / counts.mean()) ** 2)


def test_the_superclass_term_is_the_squared_coefficient_of_variation():
    incidence = long_tail(50, 4, superclasses=2)
    counts = incidence.super_counts @ np.ones(50)
    objective = variations(incidence, (0, 0, 0, 1), np.ones(4), np.ones(4))
    assert objective.value(np.ones(50)) == pytest.approx((counts.std(ddof=1) / counts.mean()) ** 2)


def test_a_target_that_is_met_is_worth_nothing_more():
    incidence = long_tail(50, 3)
    counts = incidence.counts @ np.ones(50)
    objective = variations(incidence, (0, 0, 1, 0), counts / counts.mean(), np.ones(3))
    assert objective.value(np.ones(50)) == pytest.approx(0, abs=1e-12)
    assert class_ratio(incidence, counts).value(np.ones(50)) == pytest.approx(1)


def test_a_class_of_weight_zero_may_end_as_it_likes():
    incidence = golden()
    assert class_ratio(incidence, importance=np.array([1.0, 0, 0, 0])).value(np.ones(6)) == 1


@pytest.mark.parametrize(("name", "kind"), [("cv", Variations), ("ratio", Ratio), ("variance", Variances)])
def test_settings_name_the_objective(name, kind):
    assert isinstance(objective_of(golden(), BalanceConfig(objective=name)), kind)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"target": {"aa": 1}}, "target names 'aa', which has no object here"),
        ({"target": {"a": 1}}, "target says nothing of b, c, d"),
        ({"weights": {"each": {"e": 1}}}, "weights.each names 'e'"),
        ({"weights": {"each": dict.fromkeys("abcd", 0)}}, "All weights are 0"),
        ({"weights": {"files": 0, "classes": 0, "superclasses": 0}}, "All weights are 0"),
    ],
)
def test_wishes_that_cannot_be_met_are_told(values, message):
    with pytest.raises(ConfigError, match=message):
        objective_of(golden(), BalanceConfig.make(**values))
