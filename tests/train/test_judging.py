"""What all judges share: intervals, thresholds, and the parts of pages."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from burnish.report.gallery import Card
from burnish.train.judging.bootstrap import differences, intervals
from burnish.train.judging.guilty import Guilty
from burnish.train.judging.judge import Confusion, Figures
from burnish.train.judging.sections import confusion_chart
from burnish.train.judging.thresholds import SWEPT, ProbabilityCounts, sweep
from burnish.train.target import parse_target


def mean_of(values):
    return lambda weights: {"mean": float(weights @ values / weights.sum())}


def test_an_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = intervals(mean_of(values), 400, draws=2000, seed=1)["mean"]
    error = values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_intervals_cover_the_truth_about_95_times_in_a_hundred():
    rng = np.random.default_rng(2)
    found = [intervals(mean_of(rng.normal(0, 1, 100)), 100, draws=200, seed=seed)["mean"] for seed in range(200)]
    assert 0.9 <= np.mean([low <= 0 <= high for low, high in found]) <= 0.98


def test_a_difference_of_pairs_is_surer_than_each_of_both():
    hard = np.random.default_rng(3).normal(0, 5, 200)
    change, low, high = differences(mean_of(hard + 0.1), mean_of(hard), 200, draws=200, seed=0)["mean"]
    assert (change, low, high) == pytest.approx((0.1, 0.1, 0.1))


def test_one_picture_has_no_interval():
    assert intervals(mean_of(np.ones(1)), 1, draws=10, seed=0) == {}


def test_what_is_no_number_in_any_draw_has_no_interval():
    low, high = intervals(lambda _: {"x": float("nan")}, 5, draws=10, seed=0)["x"]
    assert np.isnan(low)
    assert np.isnan(high)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=40), st.integers(0, 1000))
def test_counts_at_a_threshold_are_those_of_comparing_with_it(pairs, step):
    values, truth = np.array([one for one, _ in pairs], np.float32), np.array([one for _, one in pairs])
    counted = ProbabilityCounts.empty(("x",))
    for part in np.array_split(np.arange(len(pairs)), 2):
        counted.add(values[None, part], truth[None, part])
    yes = values > np.float32(step / 1000)
    expected = [(yes & truth).sum(), (yes & ~truth).sum(), (~yes & truth).sum(), (~yes & ~truth).sum()]
    assert counted.counts()[step, 0].tolist() == expected


def test_the_best_threshold_follows_the_target():
    counted = ProbabilityCounts.empty(("x",))
    counted.add(np.array([[0.97, 0.62, 0.58, 0.12]]), np.array([[True, True, False, True]]))
    best = {}
    for target in ("max precision", "max recall", "max iou", "max iou_dataset with precision >= 0.9"):
        table, notes = sweep(counted, parse_target(target))
        assert notes == ()
        best[target] = table.filter("best")["threshold"].to_list()[0]
    assert best == {"max precision": 0.6, "max recall": 0.05, "max iou": 0.05, "max iou_dataset with precision >= 0.9": 0.6}
    assert len(SWEPT) == 19


def test_a_target_that_thresholds_do_not_change_is_told():
    counted = ProbabilityCounts.empty(("x",))
    counted.add(np.array([[0.9, 0.2]]), np.array([[True, False]]))
    _, notes = sweep(counted, parse_target("min loss"))
    assert "asks for what no threshold changes" in notes[0]


def test_a_cell_keeps_the_pictures_that_have_the_most_of_it():
    guilty = Guilty()
    for row in range(20):
        guilty.add(row, np.array([[5, row % 10], [0, 1]]))
    assert guilty.pictures() == {(0, 1): [9, 19, 8, 18, 7, 17, 6, 16]}


def test_mistakes_of_many_classes_are_listed_and_lead_to_their_pictures():
    names = tuple(f"class {number}" for number in range(40))
    counts = np.eye(40, dtype=np.int64) * 9
    counts[3, 7] = 4
    nothing = pl.DataFrame()
    figures = Figures({}, nothing, "right", nothing, nothing, confusion=Confusion(counts, names, names, "pictures", {(3, 7): [0]}))
    markup = confusion_chart(figures, [Card(key="a", picture=None, title="a.png", given="class 3", suggested="class 7")])
    assert "Most frequent mistakes" in markup
    assert "#examples?given=class%203&amp;suggested=class%207" in markup
    assert "class 5" not in markup
