"""After a trial everything is what it was: weights, buffers, gradients, optimiser, chance, modes."""

import random

import numpy as np
import pytest
import torch
from training_builders import batches, forward, network

from burnish.train.finders.traceless import traceless


def stepped(model, optimizer, times=2):
    for batch in list(batches(0, 0))[:times]:
        forward(model, batch)[0].backward()
        optimizer.step()
        optimizer.zero_grad()


def state_of(model, optimizer):
    return {
        "model": {name: value.clone() for name, value in model.state_dict().items()},
        "groups": [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups],
        "state": {
            number: {key: value.clone() if torch.is_tensor(value) else value for key, value in state.items()}
            for number, state in enumerate(optimizer.state.values())
        },
        "chance": (torch.rand(3), random.random(), np.random.rand(2)),  # noqa: NPY002, S311
    }


def equal(first, second):
    if torch.is_tensor(first):
        return torch.equal(first, second)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return first == second


def seeded():
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002


@pytest.mark.parametrize("before", [0, 3], ids=["new", "under way"])
def test_steps_within_leave_nothing(before):
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    stepped(model, optimizer, before)
    seeded()
    wanted = state_of(model, optimizer)
    seeded()
    with traceless(model, optimizer):
        stepped(model, optimizer, 4)
        random.random()  # noqa: S311
        np.random.rand()  # noqa: NPY002
        optimizer.param_groups[0]["lr"] = 7.0
        optimizer.param_groups[0]["new"] = 1
    assert equal(state_of(model, optimizer), wanted)


def test_tensors_stay_the_same_objects():
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    stepped(model, optimizer)
    held = [*model.parameters(), *model.buffers(), *(state["exp_avg"] for state in optimizer.state.values())]
    with traceless(model, optimizer):
        stepped(model, optimizer)
        model[1].running_mean = torch.zeros(12)
        model.half()
    now = [*model.parameters(), *model.buffers(), *(state["exp_avg"] for state in optimizer.state.values())]
    assert all(first is second for first, second in zip(held, now, strict=True))
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    stepped(model, optimizer)


def test_gradients_modes_and_freezing_come_back_also_after_an_error():
    model = network()
    model[1].eval()
    model[4].bias.requires_grad_(False)
    forward(model, next(batches(0, 0)))[0].backward()
    gradients = {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}

    def spoil():
        model.train().zero_grad()
        model[4].bias.requires_grad_(True)
        torch.backends.cudnn.benchmark = True
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"), traceless(model):
        spoil()
    assert {name: value.grad for name, value in model.named_parameters() if value.grad is not None}.keys() == gradients.keys()
    assert all(torch.equal(value.grad, gradients[name]) for name, value in model.named_parameters() if name in gradients)
    assert [module.training for module in model] == [True, False, True, True, True]
    assert not model[4].bias.requires_grad
    assert torch.backends.cudnn.benchmark is False
