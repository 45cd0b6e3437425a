"""What ranks do in tests; a module of its own, so that other processes can import it."""

import signal
from types import SimpleNamespace

import torch
from torch import nn

from burnish.errors import DataError
from burnish.train.distributed import rank
from burnish.train.exchange import exchange_gradients
from burnish.train.train import _train


def train_and_keep(dataset, config, folder, kept):
    """Train as the verb does, and keep each rank's weights, metrics and number of steps."""
    result = _train(dataset, config, folder)
    found = {"weights": result.model.state_dict(), "measured": result.measured, "stop": result.run.stop, "step": result.run.step}
    torch.save(found, kept / f"{rank()}.pt")
    return result


def exchange_and_keep(kept):
    """Gradients of which each rank has another; the last parameter has none anywhere."""
    model = nn.ParameterList([nn.Parameter(torch.zeros(2)) for _ in range(4)])
    model[0].grad = torch.tensor([1.0, 2.0]) * (1 + rank())
    model[1 + rank()].grad = torch.tensor([4.0, 8.0])
    job = SimpleNamespace(model=model, optimizer=torch.optim.SGD(model.parameters(), lr=1.0))
    exchange_gradients(SimpleNamespace(job=job, device=torch.device("cpu")))
    torch.save([parameter.grad for parameter in model], kept / f"{rank()}.pt")


def fail(_kept=None):
    """The other rank cannot go on; this one waits for it."""
    if rank():
        raise DataError("A picture is broken.")
    torch.distributed.barrier()


def die(_kept=None):
    """The other rank is killed."""
    if rank():
        signal.raise_signal(signal.SIGKILL)
    torch.distributed.barrier()
