"""Schedules equal torch's where torch has them, and warm up over fractions of an epoch in front of any of them."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from burnish.errors import ConfigError
from burnish.train.optim.factors import Clock
from burnish.train.optim.scheduler import build_scheduler
from burnish.train.optim.schedules import SCHEDULES


def optimizer(lr=1.0, **settings):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, **settings)


def rates(given, steps=40, steps_per_epoch=10, lr=1.0):
    found, ours = [], optimizer(lr)
    scheduler = build_scheduler(given, ours, Clock(steps, steps_per_epoch))
    for _ in range(steps):
        scheduler.apply()
        found.append(ours.param_groups[0]["lr"])
        scheduler.after_step()
    return found


def torch_rates(make, steps=40, lr=1.0):
    found, theirs = [], optimizer(lr)
    scheduler = make(theirs)
    for _ in range(steps):
        found.append(theirs.param_groups[0]["lr"])
        theirs.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"name": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, 40)),
        ({"name": "cosine", "final": 0.1}, lambda o: lr_scheduler.CosineAnnealingLR(o, 40, eta_min=0.1)),
        ({"name": "cosine", "cycles": 4}, lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10)),
        ({"name": "poly", "power": 0.9}, lambda o: lr_scheduler.PolynomialLR(o, 40, 0.9)),
        ({"name": "step", "every": 1}, lambda o: lr_scheduler.StepLR(o, 10, 0.1)),
        ({"name": "multistep", "at": [0.5, 2]}, lambda o: lr_scheduler.MultiStepLR(o, [5, 20], 0.1)),
        ({"name": "one_cycle", "final": 1 / 25e4}, lambda o: lr_scheduler.OneCycleLR(o, 1.0, 40, cycle_momentum=False)),
        (
            {"name": "one_cycle", "final": 1 / 25e4, "shape": "linear", "rise": 0.5},
            lambda o: lr_scheduler.OneCycleLR(o, 1.0, 40, pct_start=0.5, anneal_strategy="linear", cycle_momentum=False),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_schedule_equals_that_of_torch(ours, theirs):
    assert rates(ours) == pytest.approx(torch_rates(theirs), rel=1e-6, abs=1e-9)


def test_one_cycle_moves_momentum_the_other_way_as_torch_does():
    ours, theirs = optimizer(momentum=0.9), optimizer(momentum=0.9)
    scheduler = build_scheduler({"name": "one_cycle", "momentum": [0.85, 0.95]}, ours, Clock(40, 10))
    other = lr_scheduler.OneCycleLR(theirs, 1.0, 40)
    for _ in range(39):
        scheduler.apply()
        assert ours.param_groups[0]["momentum"] == pytest.approx(theirs.param_groups[0]["momentum"])
        scheduler.after_step()
        theirs.step()
        other.step()


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=40),
    st.integers(0, 3),
    st.floats(0.1, 0.95),
    st.integers(0, 3),
    st.sampled_from([0, 1e-4, 0.1]),
)
def test_a_plateau_equals_that_of_torch(values, patience, factor, cooldown, threshold):
    ours, theirs = optimizer(), optimizer()
    settings = {"name": "plateau", "patience": patience, "factor": factor, "cooldown": cooldown, "threshold": threshold, "final": 0.01}
    scheduler = build_scheduler(settings, ours, Clock(100, 10))
    oracle = lr_scheduler.ReduceLROnPlateau(
        theirs, patience=patience, factor=factor, cooldown=cooldown, threshold=threshold, min_lr=0.01, eps=0
    )
    for value in values:
        oracle.step(value)
        scheduler.after_evaluation(value)
        scheduler.apply()
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"])


@pytest.mark.parametrize("name", sorted(SCHEDULES.entries))
@pytest.mark.parametrize("shape", ["linear", "exponential"])
def test_any_schedule_warms_up_over_half_an_epoch(name, shape):
    settings = {"name": name, "warmup": 0.5, "warmup_shape": shape, **({"at": [3]} if name == "step" else {})}
    found = rates(settings, steps=200, steps_per_epoch=20)
    assert all(a < b for a, b in itertools.pairwise(found[:10]))


def test_a_warm_up_shorter_than_a_step_is_none():
    assert rates({"name": "constant", "warmup": 0.01, "warmup_shape": "exponential"}, steps=2, steps_per_epoch=20) == [1.0, 1.0]


def test_a_linear_warm_up_rises_evenly_and_the_schedule_begins_after_it():
    found = rates({"name": "linear", "warmup": 1.0}, steps=30, steps_per_epoch=10)
    assert found[:10] == pytest.approx([n / 10 for n in range(1, 11)])
    assert found[10:] == pytest.approx([1 - n / 20 for n in range(20)])


def test_the_stable_schedule_falls_only_at_the_end():
    found = rates({"name": "wsd", "decay": 0.25, "final": 0.1})
    assert found[:31] == [1.0] * 31
    assert found[35] == pytest.approx(0.55)


def test_every_group_keeps_its_share():
    ours = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (1.0, 0.1)])
    scheduler = build_scheduler("cosine", ours, Clock(4, 2))
    scheduler.step = 2
    scheduler.apply()
    assert [group["lr"] for group in ours.param_groups] == pytest.approx([0.5, 0.05])


def test_evaluations_during_the_warm_up_do_not_lower_the_rate():
    scheduler = build_scheduler({"name": "plateau", "warmup": 1, "patience": 0}, optimizer(), Clock(100, 10))
    for value in (1.0, 2.0, 3.0):
        scheduler.after_evaluation(value)
    assert scheduler.level == 1


def test_a_value_that_is_no_number_is_no_gain():
    scheduler = build_scheduler({"name": "plateau", "patience": 0}, optimizer(), Clock(100, 10))
    scheduler.after_evaluation(1.0)
    scheduler.after_evaluation(math.nan)
    assert scheduler.level == 0.1


@pytest.mark.parametrize("name", sorted(SCHEDULES.entries))
def test_a_state_continues_where_it_was_taken(name):
    settings = {"name": name, "warmup": 0.3, **({"every": 1} if name == "step" else {})}
    whole = build_scheduler(settings, optimizer(), Clock(40, 10))
    for value in (3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.5):
        for _ in range(4):
            whole.after_step()
        whole.after_evaluation(value)
    again = build_scheduler(settings, optimizer(), Clock(40, 10))
    again.restore(whole.state())
    assert again.apply() == whole.apply()
    assert again.state() == whole.state()


def test_a_warm_up_longer_than_the_training_is_refused():
    with pytest.raises(ConfigError, match="warm-up of 5 epochs is longer than the training of 4"):
        build_scheduler({"name": "cosine", "warmup": 5}, optimizer(), Clock(40, 10))


def test_an_unknown_schedule_is_told_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no schedule 'cosin'. Did you mean 'cosine'"):
        build_scheduler("cosin", optimizer(), Clock(40, 10))


def test_a_step_schedule_without_steps_is_refused():
    with pytest.raises(ConfigError, match="either every or at"):
        build_scheduler("step", optimizer(), Clock(40, 10))
