"""Rows of an epoch: repeatable, balanced where wanted, and never a lone last picture."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from burnish.train.loaders.sampler import class_weights, cut_into_batches, epoch_rows

ROWS = np.arange(100, 200)
LABELS = np.repeat([0, 1, 3], [90, 9, 1])


def order(**changes):
    return epoch_rows(ROWS, LABELS, 4, **{"seed": 1, "epoch": 0, "weighted": True, **changes})


def test_a_class_weighs_n_over_its_count_and_nothing_without_examples():
    assert class_weights(LABELS, 4).tolist() == [100 / 90, 100 / 9, 0, 100]


def test_weighted_epochs_show_every_class_equally_often():
    drawn = np.concatenate([order(epoch=epoch) for epoch in range(60)])
    shares = np.bincount(LABELS[drawn - 100], minlength=4) / len(drawn)
    assert np.abs(shares - [1 / 3, 1 / 3, 0, 1 / 3]).max() < 0.03


def test_unweighted_epochs_show_every_picture_once():
    assert np.array_equal(np.sort(order(weighted=False)), ROWS)


def test_seed_and_epoch_decide_the_order():
    assert np.array_equal(order(epoch=3), order(epoch=3))
    assert not np.array_equal(order(epoch=3), order(epoch=4))
    assert not np.array_equal(order(seed=2), order())


@given(st.integers(1, 200), st.integers(2, 40))
def test_batches_hold_all_rows_in_order_and_none_holds_a_single_one(number, size):
    batches = cut_into_batches(np.arange(number), size)
    assert min(map(len, batches)) >= 2
    assert max(map(len, batches)) <= size + 1
    if number > 1:
        assert np.array_equal(np.concatenate(batches), np.arange(number))
