"""Each handler does what it says: skipping, clipping, precision, averaging, freezing, timing, memory."""

import math

import pytest
import torch
from training_builders import evaluate, forward, network, same, small_job, weights

from burnish.errors import ConfigError, ModelError
from burnish.train.run import trained_parameters
from burnish.train.training import train


class Weights:
    """A handler that keeps the weights after each step, and how long the gradient was before it."""

    name = "weights"
    after = "clipping"

    def __init__(self):
        self.steps, self.norms = [], []

    def gradients_ready(self, run):
        self.norms.append(float(torch.nn.utils.get_total_norm([p.grad for p in trained_parameters(run)])))

    def stepped(self, run):
        self.steps.append(weights(run.job.model))


class Writer:
    """Keeps what it is told."""

    def __init__(self):
        self.told = {}

    def scalars(self, values, _step):
        self.told |= values


def spoiled(at, by):
    """A forward pass whose loss at some steps is multiplied."""
    step = [0]

    def spoil(model, batch):
        step[0] += 1
        loss, count = forward(model, batch)
        return (loss * by if step[0] in at else loss), count

    return spoil


@pytest.mark.parametrize(("by", "told"), [(math.nan, "not finite"), (math.inf, "not finite"), (1e6, "outlier")])
def test_a_bad_loss_changes_nothing(by, told):
    seen, writer = Weights(), Writer()
    handlers = [{"name": "skipping", "outlier": 20, "window": 8}]
    job = small_job(network(norm=False), handlers=handlers, more=[seen], forward=spoiled({5}, by), log_every=1, writer=writer)
    assert train(job).skipped == 1
    assert same(seen.steps[3], seen.steps[4])
    assert not same(seen.steps[4], seen.steps[5])
    assert writer.told[f"skipped/{told}"] == 1


def test_a_gradient_that_is_no_number_is_skipped_though_the_loss_is_one():
    def rooted(model, batch):
        loss, count = forward(model, batch)
        return loss + (model[0].weight * 0).sum().abs().sqrt(), count

    assert train(small_job(epochs=1, handlers=["skipping"], forward=rooted)).skipped == 6


def test_each_third_step_can_be_left_out():
    seen = Weights()
    assert train(small_job(network(norm=False), epochs=1, handlers=[{"name": "skipping", "every": 3}], more=[seen])).skipped == 2
    assert same(seen.steps[1], seen.steps[2])
    assert same(seen.steps[4], seen.steps[5])


def test_a_training_that_only_skips_is_given_up():
    with pytest.raises(
        ModelError, match=r"4 steps in a row were skipped by step 4 \(the last one: not finite, loss nan\). Lower the learning"
    ):
        train(small_job(handlers=[{"name": "skipping", "at_most": 4}], forward=spoiled(range(99), math.nan)))


def test_what_is_ordinary_is_no_outlier():
    assert train(small_job(epochs=8, handlers=[{"name": "skipping", "outlier": 50}])).skipped == 0


def test_skipped_steps_do_not_shift_the_schedule():
    job = small_job(schedule="linear", handlers=[{"name": "skipping", "every": 2}])
    train(job)
    assert job.scheduler.step == job.scheduler.clock.steps


@pytest.mark.parametrize("settings", [{"norm": 0.01}, {"norm": 0.01, "kind": math.inf}, {"norm": None, "value": 0.001}])
def test_gradients_are_bounded(settings):
    seen = Weights()
    train(small_job(epochs=1, handlers=[{"name": "clipping", **settings}], more=[seen]))
    assert max(seen.norms) < 0.06
    if settings["norm"] and "kind" not in settings:
        assert max(seen.norms) == pytest.approx(0.01, rel=1e-3)


def test_bf16_computes_the_forward_pass_in_bf16_and_keeps_float32_weights():
    seen = []
    job = small_job(
        handlers=[{"name": "precision", "mode": "bf16"}], forward=lambda m, b: (seen.append(m(b[0]).dtype), forward(m, b))[1], epochs=1
    )
    train(job)
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in job.model.parameters()} == {torch.float32}


def test_fp16_scales_the_loss_and_clips_what_was_unscaled():
    plain, half = Weights(), Weights()
    train(small_job(epochs=1, handlers=[{"name": "clipping", "norm": 0.05}], more=[plain]))
    train(
        small_job(
            epochs=1, handlers=[{"name": "clipping", "norm": 0.05}, {"name": "precision", "mode": "fp16", "scale": 1024.0}], more=[half]
        )
    )
    assert half.norms == pytest.approx(plain.norms, rel=0.05)
    assert torch.allclose(plain.steps[-1]["0.weight"], half.steps[-1]["0.weight"], atol=1e-2)


def test_an_overflow_of_half_precision_is_skipped_and_lowers_the_scale():
    seen = Weights()
    job = small_job(network(norm=False), epochs=1, handlers=[{"name": "precision", "mode": "fp16", "scale": 2.0**40}], more=[seen])
    run = train(job)
    assert 0 < run.skipped <= 6
    assert job.handlers.precision.scale < 2.0**40
    assert same(seen.steps[0], weights(network(norm=False)))


def test_the_average_follows_the_weights():
    seen = Weights()
    job = small_job(network(norm=False), epochs=1, handlers=[{"name": "averaging", "decay": 0.5, "warm": False}], more=[seen])
    first = weights(job.model)
    train(job)
    wanted = first["0.weight"]
    for step in seen.steps:
        wanted = 0.5 * wanted + 0.5 * step["0.weight"]
    assert torch.allclose(job.handlers.named("averaging").state()["average"]["0.weight"], wanted, atol=1e-6)


def test_the_average_is_what_is_evaluated_and_training_goes_on_without_it():
    seen = []
    job = small_job(
        epochs=2, handlers=[{"name": "averaging", "decay": 0.9}], evaluate=lambda model: seen.append(weights(model)) or evaluate(model)
    )
    train(job)
    average = job.handlers.named("averaging").state()["average"]
    assert same(seen[-1], average)
    assert not same(weights(job.model), average)


def test_until_it_begins_the_average_is_the_weights_themselves():
    job = small_job(epochs=1, handlers=[{"name": "averaging", "begin": 100}])
    train(job)
    assert same(job.handlers.named("averaging").state()["average"], weights(job.model))


def test_a_skipped_step_does_not_move_the_average():
    job = small_job(epochs=1, handlers=[{"name": "averaging", "decay": 0.5}, {"name": "skipping", "every": 2}])
    train(job)
    assert job.handlers.named("averaging").updates == 3


def test_parameters_join_when_their_time_comes():
    seen = Weights()
    job = small_job(epochs=2, optimizer="sgd", handlers=[{"name": "freezing", "stages": [{"glob": "[01].*", "until": 1.5}]}], more=[seen])
    first = weights(job.model)
    train(job)
    moved = [not torch.equal(step["0.weight"], first["0.weight"]) for step in seen.steps]
    assert moved == [False] * 9 + [True] * 3
    statistics = [not torch.equal(step["1.running_mean"], first["1.running_mean"]) for step in seen.steps]
    assert statistics == moved
    assert not torch.equal(seen.steps[0]["4.weight"], first["4.weight"])


def test_a_stage_that_matches_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"'encoder.\*' matches no parameter"):
        train(small_job(handlers=[{"name": "freezing", "stages": [{"glob": "encoder.*", "until": 1}]}]))


def test_time_and_memory_are_told():
    writer = Writer()
    train(small_job(handlers=["timing", "memory"], log_every=2, writer=writer))
    assert writer.told["time/step_ms"] > 0
    assert 0 <= writer.told["time/data_share"] <= 1
    assert writer.told["memory/process_mib"] > 50
    assert {"train/loss", "train/lr", "train/epoch", "loss"} <= set(writer.told)
