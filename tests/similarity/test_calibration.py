import numpy as np
import pytest

from burnish.similarity.calibration import chance_tail


@pytest.fixture(scope="module")
def chance():
    return np.tanh(np.random.default_rng(0).normal(0, 0.15, 5000))


def test_the_threshold_lets_no_more_false_pairs_through_than_stated(chance):
    tail = chance_tail(chance)
    others = np.tanh(np.random.default_rng(1).normal(0, 0.15, 1_000_000))
    for wanted in (10, 100, 1000):
        assert (others >= tail.threshold(len(others), wanted)).sum() <= wanted


def test_true_copies_among_the_samples_do_not_push_the_threshold_beyond_reach(chance):
    tail = chance_tail(np.concatenate([chance, np.full(200, 0.99)]))
    assert chance_tail(chance).threshold(1e6, 1) <= tail.threshold(1e6, 1) < 0.95


def test_more_pictures_ask_for_more_likeness(chance):
    tail = chance_tail(chance)
    thresholds = [tail.threshold(pairs, 0.5) for pairs in (1e2, 1e4, 1e6, 1e9)]
    assert thresholds == sorted(thresholds)
    assert thresholds[-1] < 1


def test_the_chance_at_the_threshold_is_the_stated_one(chance):
    tail = chance_tail(chance)
    assert float(tail.chance(tail.threshold(1e6, 2))) * 1e6 == pytest.approx(2)


@pytest.mark.parametrize("samples", [[], [0.1] * 5, [0.5] * 1000, [1.0] * 1000])
def test_few_or_equal_samples_give_a_usable_tail(samples):
    assert 0 < chance_tail(samples).threshold(1e6, 0.5) <= 1
