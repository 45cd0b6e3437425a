"""Several batches make one step exactly as one large batch does, whatever their sizes."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_builders import network, rows, small_job, weights

from burnish.errors import ConfigError
from burnish.train.training import train

INPUTS, WANTED = rows(24)
PLAIN = {"name": "sgd", "lr": 0.1, "momentum": 0.0}


@dataclass
class TwoParts:
    """A loss of two parts that are divided by different numbers, as those of the toolkit are."""

    totals: list
    numbers: list

    @property
    def mean(self):
        return sum(total / number for total, number in zip(self.totals, self.numbers, strict=True))

    @property
    def counts(self):
        return {f"part {n}": torch.tensor(float(number)) for n, number in enumerate(self.numbers)}

    def share(self, counts):
        return sum(total / counts[f"part {n}"] for n, total in enumerate(self.totals))


def parts(model, batch):
    """Squared error over rows, absolute error over rows above zero only."""
    errors, above = model(batch[0]) - batch[1], batch[1] > 0
    return TwoParts([errors.square().sum(), (errors.abs() * above).sum()], [len(errors), max(int(above.sum()), 1)])


def trained(cuts, forward, **more):
    """The weights after one step over the rows, cut so."""
    model = network(dropout=0.0, norm=False).double()
    pieces = list(zip(INPUTS.double().split(cuts), WANTED.double().split(cuts), strict=True))
    job = small_job(
        model,
        handlers=[{"name": "accumulation", "batches": len(pieces)}],
        epochs=1,
        optimizer=PLAIN,
        batches=lambda _epoch, first: iter(pieces[first:]),
        batches_per_epoch=len(pieces),
        forward=forward,
        evaluate=None,
        **more,
    )
    train(job)
    return weights(model)


def squared(model, batch):
    return torch.nn.functional.mse_loss(model(batch[0]), batch[1]), len(batch[0])


def equal(first, second):
    return all(torch.allclose(first[name], second[name], rtol=1e-9, atol=1e-12) for name in first)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_batches_of_any_sizes_equal_one_large_batch(sizes):
    cuts = [*sizes, 24 - sum(sizes)] if sum(sizes) < 24 else [sizes[0], 24 - sizes[0]]
    assert equal(trained(cuts, squared), trained([24], squared))


def test_parts_with_counts_of_their_own_are_exact_when_counts_are_known_beforehand():
    def count(batch):
        return {"part 0": torch.tensor(float(len(batch[0]))), "part 1": (batch[1] > 0).sum().double()}

    assert equal(trained([5, 12, 7], parts, count=count), trained([24], parts))


def test_parts_whose_counts_vary_against_one_another_are_told(caplog):
    trained([5, 12, 7], parts)
    assert "count in different proportions" in caplog.text


def test_the_last_step_of_an_epoch_takes_what_is_left():
    job = small_job(handlers=[{"name": "accumulation", "batches": 4}], epochs=2)
    assert train(job).step == 4


def test_a_bare_mean_cannot_be_accumulated():
    with pytest.raises(ConfigError, match="bare mean"):
        trained([12, 12], lambda model, batch: squared(model, batch)[0])


def test_a_bare_mean_is_enough_for_steps_of_one_batch():
    assert equal(trained([24], lambda model, batch: squared(model, batch)[0]), trained([24], squared))


def test_a_batch_in_which_nothing_counts_changes_nothing():
    pieces = [16, 8]

    def masked(model, batch):
        loss, number = squared(model, batch)
        return (loss, number) if number == 16 else (loss * 0, 0)

    model = network(dropout=0.0, norm=False).double()
    torch.optim.SGD(model.parameters(), lr=0.1).zero_grad()
    loss, _ = squared(model, (INPUTS[:16].double(), WANTED[:16].double()))
    loss.backward()
    wanted = {name: p.detach() - 0.1 * p.grad for name, p in model.named_parameters()}
    assert equal(wanted, trained(pieces, masked))
