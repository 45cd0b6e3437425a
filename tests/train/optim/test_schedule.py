"""The learning rate warms up over fractions of an epoch and falls as torch's plateau scheduler lets it fall."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from burnish.train.optim.schedule import Schedule, after_evaluation, after_step, begin, learning_rate
from burnish.train.settings import TrainingConfig


def rates(training, steps_per_epoch, steps):
    schedule, found = begin(training), []
    for _ in range(steps):
        found.append(learning_rate(schedule, training, steps_per_epoch))
        schedule = after_step(schedule)
    return found


def test_the_rate_rises_over_half_an_epoch_and_then_stays():
    found = rates(TrainingConfig(warmup=0.5, lr=1e-2), 20, 30)
    assert all(a < b for a, b in itertools.pairwise(found[:10]))
    assert found[9:] == [1e-2] * 21


def test_without_a_warm_up_the_first_step_has_the_full_rate():
    assert rates(TrainingConfig(warmup=0, lr=1e-2), 20, 3) == [1e-2] * 3


def test_a_warm_up_shorter_than_a_step_is_none():
    assert rates(TrainingConfig(warmup=0.01, lr=1e-2), 20, 2) == [1e-2] * 2


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=40), st.integers(0, 3), st.floats(0.1, 0.95))
def test_the_plateau_equals_that_of_torch(losses, patience, factor):
    training = TrainingConfig(lr=1e-2, min_lr=1e-4, patience=patience, factor=factor, warmup=0)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-2)
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=patience, min_lr=1e-4)
    schedule = begin(training)
    for loss in losses:
        oracle.step(loss)
        schedule = after_evaluation(schedule, loss, training, 10)
        assert schedule.rate == pytest.approx(optimizer.param_groups[0]["lr"])


def test_evaluations_during_the_warm_up_do_not_lower_the_rate():
    training = TrainingConfig(lr=1e-2, patience=0, warmup=2)
    schedule = Schedule(rate=1e-2, step=10, best_loss=1.0)
    assert after_evaluation(schedule, 5.0, training, 10).rate == 1e-2
    assert after_evaluation(Schedule(rate=1e-2, step=20, best_loss=1.0), 5.0, training, 10).rate == pytest.approx(9e-3)


def test_no_loss_at_all_counts_as_no_gain():
    training = TrainingConfig(patience=0, warmup=0)
    assert after_evaluation(begin(training), np.nan, training, 1).best_loss == np.inf
