"""Settings follow the batch by the published formulas, in every group, within their limits."""

import logging
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from training_builders import network, small_job

from burnish.errors import ConfigError
from burnish.train.finders.adjusting import adjusted, apply_adjusted
from burnish.train.finders.scaling import averaging_decay, batch_factor, half_life_mean, is_valid_sde, sde_mean, timescale_decay
from burnish.train.finders.settings import AdjustConfig
from burnish.train.optim.optimizers import build_optimizer

factors = some.floats(0.05, 50)


def optimizer(name, **more):
    return build_optimizer({"name": name, **more}, network(), {"rules": [{"glob": "0.*", "lr_scale": 0.5}]})


def values(found, group=0):
    return {change.name: change.new for change in found.changes if change.group == group}


@pytest.mark.parametrize(("name", "rate"), [("sgd", 0.4), ("adam", 0.2), ("adamw", 0.2), ("rmsprop", 0.2), ("nadam", 0.2)])
def test_the_rate_follows_the_kind_of_the_optimiser(name, rate):
    made = optimizer(name, lr=0.1)
    apply_adjusted(made, adjusted(made, old=64, new=256))
    assert {round(group["lr"], 12) for group in made.param_groups} == {rate, rate / 2}


def test_adam_follows_the_stochastic_differential_equation():
    found = adjusted(optimizer("adam", lr=1e-3), old=256, new=1024)
    wanted = {"lr": 5e-4 * 2, "betas[0]": 0.6, "betas[1]": 0.996, "eps": 0.5e-8}
    assert values(found) == pytest.approx(wanted, rel=1e-9)
    assert (found.factor, found.steps_factor, found.rule) == (4, 0.25, "sqrt")


def test_rmsprop_has_one_running_mean():
    found = values(adjusted(optimizer("rmsprop", lr=1e-3, momentum=0.9), old=10, new=40))
    assert found == pytest.approx({"lr": 1e-3, "alpha": 0.96, "momentum": 0.9, "eps": 0.5e-8})


def test_smaller_batches_go_the_other_way():
    found = values(adjusted(optimizer("adam", lr=1e-3), old=1024, new=256))
    assert found == pytest.approx({"lr": 2.5e-4, "betas[0]": 0.975, "betas[1]": 0.99975, "eps": 2e-8})


@pytest.mark.parametrize(("samples", "valid"), [(999, True), (1000, False), (1001, False)])
def test_the_rule_ends_where_the_running_mean_would(samples, valid):
    made = optimizer("adam")  # beta1 is 0.9: up to ten times the samples
    if valid:
        assert values(adjusted(made, old=100, new=samples))["betas[0]"] == pytest.approx(0.001, abs=1e-9)
        return
    with pytest.raises(ConfigError, match=r"'betas\[0\]' is 0.9, whose rule is valid below 10 times"):
        adjusted(made, old=100, new=samples)


def test_beyond_its_limit_a_rule_can_be_clamped_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        found = adjusted(optimizer("adam"), old=100, new=2000, config=AdjustConfig(beyond="clamp"))
    assert values(found)["betas[0]"] == 0.0
    assert values(found)["betas[1]"] == pytest.approx(0.98)
    assert [change.name for change in found.changes if change.clamped] == ["betas[0]", "betas[0]"]
    assert "valid below 10 times" in caplog.text


def test_half_lives_in_samples_stay_and_have_no_limit():
    found = values(adjusted(optimizer("adam"), old=100, new=2000, config=AdjustConfig(betas="half_life")))
    assert found["betas[0]"] == pytest.approx(0.9**20)
    assert found["eps"] == 1e-8


@given(some.floats(0.01, 0.9999), factors)
def test_the_half_life_in_samples_is_kept(beta, factor):
    before, after = math.log(0.5) / math.log(beta), math.log(0.5) / math.log(half_life_mean(beta, factor))
    assert after * factor == pytest.approx(before, rel=1e-6)


@given(some.floats(0.0, 0.9999), factors)
def test_a_running_mean_stays_one(beta, factor):
    assert 0 <= sde_mean(beta, factor) < 1
    assert (sde_mean(beta, factor) > 0) == is_valid_sde(beta, factor)


@given(some.floats(0.5, 0.9999), factors)
def test_forward_and_back_is_where_it_was(beta, factor):
    if is_valid_sde(beta, factor):
        assert sde_mean(sde_mean(beta, factor), 1 / factor) == pytest.approx(beta, abs=1e-6)


@given(some.floats(0.5, 0.99999), factors)
def test_the_average_of_weights_keeps_its_memory(decay, factor):
    assert averaging_decay(decay, factor) ** (1 / factor) == pytest.approx(decay)


def test_the_average_of_weights_is_part_of_the_answer():
    found = adjusted(optimizer("sgd"), old=100, new=200, averaging=0.999)
    assert found.averaging == pytest.approx(0.999**2)
    assert adjusted(optimizer("sgd"), old=1, new=2).averaging is None


@pytest.mark.parametrize(("rule", "wanted"), [("none", 0.9), ("sde", 0.8), ("half_life", 0.81)])
def test_momentum_is_left_alone_unless_asked(rule, wanted):
    assert values(adjusted(optimizer("sgd"), old=1, new=2, config=AdjustConfig(momentum=rule)))["momentum"] == pytest.approx(wanted)


def test_decay_keeps_its_timescale():
    made = optimizer("adamw", lr=1e-3, weight_decay=0.1)
    found = adjusted(made, old=100, new=400, config=AdjustConfig(weight_decay="timescale"))
    decayed = next(number for number, group in enumerate(made.param_groups) if group["weight_decay"])
    assert values(found, decayed)["weight_decay"] == pytest.approx(0.2)
    rate = made.param_groups[decayed]["lr"]
    assert values(found, decayed)["lr"] * 0.2 * found.steps_factor == pytest.approx(rate * 0.1)
    assert timescale_decay(0.1, 4, 4) == pytest.approx(0.1)


def test_decay_inside_of_the_gradient_has_no_timescale():
    with pytest.raises(ConfigError, match="SGD adds its weight decay to the gradient"):
        adjusted(optimizer("sgd"), old=1, new=2, config=AdjustConfig(weight_decay="timescale"))


def test_a_schedule_goes_on_from_the_new_rates():
    job = small_job(schedule="constant", optimizer={"name": "sgd", "lr": 0.1})
    apply_adjusted(job.optimizer, adjusted(job.optimizer, old=8, new=16))
    job.scheduler.apply()
    assert {group["lr"] for group in job.optimizer.param_groups} == {0.2}


def test_nothing_is_set_before_it_is_applied_and_nothing_twice():
    made = optimizer("adam")
    found = adjusted(made, old=1, new=4)
    assert made.param_groups[0]["betas"] == (0.9, 0.999)
    apply_adjusted(made, found)
    assert made.param_groups[0]["betas"] == pytest.approx((0.6, 0.996))
    with pytest.raises(ConfigError, match="Compute it anew"):
        apply_adjusted(made, found)


def test_a_rate_on_the_device_is_filled():
    model = network()
    rate = torch.tensor(0.1)
    made = torch.optim.Adam(model.parameters(), lr=rate)
    apply_adjusted(made, adjusted(made, old=1, new=4))
    assert made.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.2)


def test_the_same_batch_changes_nothing():
    found = adjusted(optimizer("adamw"), old=8, new=8, averaging=0.99)
    assert all(change.new == pytest.approx(change.old, rel=1e-12) for change in found.changes)


def test_unknown_kinds_and_numbers_are_refused():
    with pytest.raises(ConfigError, match="No rule is known for the learning rate of Adagrad"):
        adjusted(torch.optim.Adagrad(network().parameters()), old=1, new=2)
    with pytest.raises(ConfigError, match="Steps of 0 and 8 samples"):
        batch_factor(0, 8)


def test_the_answer_can_be_read():
    found = adjusted(optimizer("adam", lr=1e-3), old=1, new=4)
    assert found.table.columns == ["group", "name", "old", "new", "clamped"]
    assert "betas[0] 0.9 -> 0.6" in str(found)


def test_signs_are_no_case_of_the_differential_equation():
    lion = optimizer("lion")
    with pytest.raises(ConfigError, match="Lion takes signs"):
        adjusted(lion, old=1, new=2)
    assert adjusted(lion, old=1, new=2, config=AdjustConfig(betas="half_life")).rule == "sqrt"
