"""The loop: what happens in which order, when evaluations come, and what is refused."""

from itertools import pairwise

import pytest
import torch
from training_builders import batches, evaluate, forward, network, same, small_job, weights

from burnish.errors import ConfigError, DataError
from burnish.train.handlers.order import EVENTS
from burnish.train.handlers.saving import BEST
from burnish.train.optim.parameters import begin_training
from burnish.train.target import parse_target
from burnish.train.training import train


class Diary:
    """A handler that writes down what it is told."""

    name = "diary"

    def __init__(self):
        self.told = []
        for event in EVENTS:
            setattr(self, event, lambda run, event=event: self.told.append((event, run.epoch, run.batch)))

    @property
    def events(self):
        return [event for event, _, _ in self.told]


def test_training_lowers_the_loss():
    before = evaluate(network().eval())["loss"]
    run = train(small_job(epochs=30, optimizer={"name": "adamw", "lr": 0.02}))
    assert run.metrics["loss"] < before / 3
    assert (run.step, run.epoch, run.stop) == (180, 30, "")


def test_it_equals_a_loop_written_by_hand():
    ours, theirs = network(), network()
    torch.manual_seed(5)
    train(small_job(ours, optimizer={"name": "sgd", "lr": 0.05}, handlers=[{"name": "clipping", "norm": 0.5}]))
    torch.manual_seed(5)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(3):
        theirs.train()
        for batch in batches(epoch, 0):
            loss, _ = forward(theirs, batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
            optimizer.step()
        theirs.eval()
    assert same(weights(ours), weights(theirs))


def test_events_come_in_their_order():
    diary = Diary()
    train(small_job(epochs=1, more=[diary], batches_per_epoch=6))
    step = ["step_began", "gradients_ready", "stepped"]
    assert diary.events == ["began", "epoch_began", *[*step, "step_ended"] * 5, *step, "evaluated", "epoch_ended", "step_ended", "ended"]


@pytest.mark.parametrize(
    ("times", "accumulate", "places"), [(1, 1, [6]), (2, 1, [3, 6]), (4, 1, [2, 3, 5, 6]), (3, 4, [4, 6]), (6, 1, [1, 2, 3, 4, 5, 6])]
)
def test_evaluations_are_spread_evenly_over_an_epoch(times, accumulate, places):
    diary = Diary()
    handlers = [{"name": "accumulation", "batches": accumulate}]
    train(small_job(epochs=2, more=[diary], handlers=handlers, evaluations_per_epoch=times))
    assert [batch for event, epoch, batch in diary.told if event == "evaluated" and epoch == 1] == places


def test_evaluations_leave_the_network_in_training_mode():
    seen = []
    job = small_job(
        epochs=1,
        evaluations_per_epoch=3,
        evaluate=lambda model: seen.append(model.training) or {"loss": 1.0},
        forward=lambda m, b: (seen.append(m.training), forward(m, b))[1],
    )
    train(job)
    assert seen == [True, True, False] * 3


def test_a_plateau_learns_of_every_evaluation():
    job = small_job(
        schedule={"name": "plateau", "patience": 0, "factor": 0.5}, evaluations_per_epoch=2, evaluate=lambda _model: {"loss": 1.0}
    )
    train(job)
    assert job.scheduler.level == 0.5**5


class Rates:
    """A handler that notes the rate of each step."""

    name = "rates"

    def __init__(self):
        self.seen = []

    def stepped(self, run):
        self.seen.append(run.job.optimizer.param_groups[0]["lr"])


def test_the_schedule_ends_with_the_training():
    rates = Rates()
    job = small_job(schedule="linear", handlers=[{"name": "accumulation", "batches": 4}], more=[rates])
    train(job)
    assert len(rates.seen) == job.scheduler.clock.steps == 6
    assert all(a > b for a, b in pairwise(rates.seen))


def test_schedule_free_weights_are_evaluated_and_training_goes_on_with_the_others():
    modes = []
    job = small_job(optimizer={"name": "schedule_free_adamw", "lr": 0.01}, epochs=2)
    object.__setattr__(job, "evaluate", lambda model: modes.append(job.optimizer.param_groups[0]["train_mode"]) or evaluate(model))
    train(job)
    assert modes == [False, False]
    assert job.optimizer.param_groups[0]["train_mode"]


def test_an_epoch_with_too_few_batches_is_refused():
    with pytest.raises(DataError, match="Epoch 1 has 6 batches; expected 7"):
        train(small_job(batches_per_epoch=7))


def test_a_target_without_its_metric_is_refused():
    with pytest.raises(DataError, match=r"asks for the metric 'loss'.*Did you mean 'los'"):
        train(small_job(evaluate=lambda _model: {"los": 1.0}))


def test_the_latest_weights_are_the_best_where_the_target_is_the_epoch(tmp_path):
    losses = iter((0.1, 0.5, 0.9))
    job = small_job(evaluate=lambda _model: {"loss": next(losses)}, target=parse_target("max epoch"), folder=tmp_path, handlers=["saving"])
    train(job)
    assert same(torch.load(tmp_path / BEST)["model"], weights(job.model))


@pytest.mark.parametrize(
    ("settings", "said"), [({"epochs": 0}, "0 epochs"), ({"evaluations_per_epoch": 7}, "expected 1 to 6"), ({"target": None}, "no target")]
)
def test_a_job_that_makes_no_sense_is_refused(settings, said):
    with pytest.raises(ConfigError, match=said):
        small_job(**settings)


def test_frozen_norms_stay_in_evaluation_mode_through_a_training():
    model = network()
    for parameter in model[1].parameters():
        parameter.requires_grad_(requires_grad=False)
    before = model[1].running_mean.clone()
    train(small_job(model))
    assert torch.equal(model[1].running_mean, before)
    begin_training(model)
    assert not model[1].training
