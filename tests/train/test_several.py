"""Trainings on several devices, with two processes of the CPU: the same training as one process has, shared."""

import signal
from functools import partial

import numpy as np
import pytest
import ranks_at_work
import torch
from task_builders import write_squares

import burnish
from burnish.errors import ConfigError, ModelError
from burnish.train.handlers.interrupts import Interrupts
from burnish.train.loaders.feeding import Feed
from burnish.train.policies.settings import TrainConfig
from burnish.train.several import portable, several
from burnish.train.train import train

SMALL = {
    "network": {"name": "unet", "width": 4, "depth": 2, "norm": "group"},
    "loss": "BCE",  # a sum over pixels, so that parts of a batch add up to the whole; Dice of a batch is not
    "size": 32,
    "batch_size": 4,
    "augs": {"strength": "light"},
}


def settings(**more):
    values = {
        **SMALL,
        "epochs": 2,
        "optimizer": {"name": "sgd", "lr": 0.1},
        "data": {"workers": 1, "share": 0.25},
        "hardware": {"device": "cpu", "devices": 2},
        **more,
    }
    return TrainConfig.make(**values)


def together(function, *arguments):
    with several(2, "cpu", partial(function, *arguments)):
        return function(*arguments)


@pytest.mark.slow
def test_two_processes_come_to_the_same_weights_and_to_those_of_one(discs, tmp_path):
    result = together(ranks_at_work.train_and_keep, portable(discs), settings(), tmp_path / "run", tmp_path)
    alone = train(discs, settings(hardware={"devices": 1}))
    first, second = (torch.load(tmp_path / f"{number}.pt") for number in range(2))
    assert first["measured"] == second["measured"]
    for name, value in alone.model.state_dict().items():
        assert torch.equal(first["weights"][name], second["weights"][name]), name
        assert torch.allclose(first["weights"][name], value, atol=2e-4), name
    for part, metrics in alone.measured.items():
        assert {**result.measured[part], "loss": 0} == pytest.approx({**metrics, "loss": 0}, abs=0.02)


@pytest.mark.slow
def test_batch_statistics_of_two_processes_are_merged_before_they_are_saved(discs, tmp_path):
    config = settings(network={**SMALL["network"], "norm": "batch"}, epochs=1)
    together(ranks_at_work.train_and_keep, portable(discs), config, tmp_path / "run", tmp_path)
    first, second = (torch.load(tmp_path / f"{number}.pt")["weights"] for number in range(2))
    means = [name for name in first if name.endswith("running_mean")]
    assert means
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_a_detector_with_its_own_loss_is_trained_together(tmp_path):
    write_squares(tmp_path / "data", 8, split="train")
    write_squares(tmp_path / "data", 3, split="val", seed=1)  # unequal parts to evaluate
    hardware = {"device": "cpu", "devices": 2}
    network = {"name": "centres", "width": 4}
    config = TrainConfig.make(network=network, size=64, batch_size=4, epochs=1, data={"workers": 1}, hardware=hardware)
    dataset = portable(burnish.open(tmp_path / "data"))
    together(ranks_at_work.train_and_keep, dataset, config, tmp_path / "run", tmp_path)
    first, second = (torch.load(tmp_path / f"{number}.pt") for number in range(2))
    assert all(torch.equal(value, second["weights"][name]) for name, value in first["weights"].items())
    assert first["measured"]["val"] == pytest.approx(second["measured"]["val"], abs=0, rel=0, nan_ok=True)
    assert first["measured"]["val"]["loss"] > 0


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both_and_the_training_continues(discs, tmp_path, monkeypatch):
    original = Interrupts.stepped

    def after_five(self, run):
        if run.step == 5:
            self.received = signal.SIGTERM  # this process alone; the other one is a new interpreter
        original(self, run)

    monkeypatch.setattr(Interrupts, "stepped", after_five)
    half = together(ranks_at_work.train_and_keep, portable(discs), settings(), tmp_path / "run", tmp_path)
    assert half.run.interrupted
    assert [torch.load(tmp_path / f"{number}.pt")["step"] for number in range(2)] == [5, 5]
    monkeypatch.undo()
    rest = train(discs, settings(), work=tmp_path / "run")
    whole = train(discs, settings(), work=tmp_path / "whole")
    for name, value in whole.model.state_dict().items():
        assert torch.equal(rest.model.state_dict()[name], value), name


@pytest.mark.slow
def test_a_gradient_that_one_process_lacks_counts_as_none_of_it(tmp_path):
    together(ranks_at_work.exchange_and_keep, tmp_path)
    for number in range(2):
        grads = torch.load(tmp_path / f"{number}.pt")
        assert [None if grad is None else grad.tolist() for grad in grads] == [[1.5, 3.0], [2.0, 4.0], [2.0, 4.0], None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "told"),
    [
        (ranks_at_work.fail, "Rank 1 of 2 failed: A picture is broken."),
        (ranks_at_work.die, r"Rank 1 of 2 ended with the code -9.*more memory than there is.*The same command continues the training\."),
    ],
)
def test_the_failure_of_another_process_is_told_in_its_own_words(function, told):
    with pytest.raises(ModelError, match=told):
        together(function)


def test_batches_that_devices_cannot_share_are_refused():
    with pytest.raises(ConfigError, match="batch_size is 4, which 3 devices cannot share evenly; expected a multiple of 3, for instance 6"):
        settings(hardware={"devices": 3})


@pytest.mark.slow
def test_processes_of_a_cpu_do_not_share_batch_normalisation(discs):
    with pytest.raises(ConfigError, match="sync_batch_norm works between GPUs only"):
        train(discs, settings(hardware={"devices": 2, "sync_batch_norm": True}))


def test_parts_of_a_batch_are_changed_as_they_are_in_the_whole():
    rows = np.arange(9)

    def feed(number, world):
        return Feed(
            sample=lambda row: row,
            epoch_rows=lambda _epoch: rows,
            pool=rows,
            augment=lambda row, rng, _another: (row, rng.random()),
            collate=list,
            batch_size=4 // world,
            seed=3,
            workers=1,
            rank=number,
            world_size=world,
        )

    whole = [sorted(batch) for batch in feed(0, 1).batches(2, 0)]
    parts = zip(feed(0, 2).batches(2, 0), feed(1, 2).batches(2, 0), strict=True)
    assert [sorted(one + other) for one, other in parts] == whole
