"""Training steps for trials: forward, backward, clipping, optimiser and average as the job has them, but on this process alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from burnish.errors import ConfigError, DataError, ModelError, extra
from burnish.train.handlers.order import fresh_handlers
from burnish.train.optim.parameters import begin_training
from burnish.train.run import Job, Run, mean_loss, network_device

with extra("train"):
    import torch
    from torch import nn

_OF_A_STEP = ("clipping", "averaging")
_STILL = 1e-6  # of the learning rate: the optimiser does all its work, and the weights stay where numbers are finite


def trial_run(job: Job) -> Run:
    """A run of the same network and optimiser with copies of the handlers that take part in a step's memory.

    Frozen stages are left out: the network must fit when all its parameters have joined. Ranks do not exchange anything, so that one whose
    memory does not suffice leaves no other waiting. The learning rates become tiny: call this within `traceless`.

    Raises:
        ConfigError: The network exchanges statistics between ranks in its forward pass.
    """
    model = bare_network(job.model)
    if any(isinstance(module, nn.SyncBatchNorm) for module in model.modules()):
        message = "The network has SyncBatchNorm, which lets the other ranks wait where the memory of one does not suffice"
        raise ConfigError(f"{message}. Look for the batch before convert_sync_batchnorm.")
    handlers = fresh_handlers(job.handlers, _OF_A_STEP)
    alone = replace(job, model=model, handlers=handlers, scheduler=None, evaluate=None, folder=None, writer=None)
    run = Run(alone, network_device(model))
    handlers.tell("began", run)
    scale = handlers.precision.state()
    handlers.precision.restore({**scale, "scale": 1.0} if scale else {})  # 65536 overflows at first, and the optimiser would not step
    for group in job.optimizer.param_groups:
        group["lr"] = group["lr"] * _STILL
    begin_training(model)
    return run


def trial_step(run: Run, window: list[Any]) -> None:
    """One step over some batches, as the loop does it.

    Raises:
        ModelError: The loss or a gradient is no number, so that the optimiser did not step.
    """
    job = run.job
    handlers, optimizer = job.handlers, job.optimizer
    run.norm = None
    for batch in window:
        with handlers.precision.autocast():
            found = job.forward(job.model, batch)
        run.loss = mean_loss(found).detach()
        handlers.precision.backward(mean_loss(found) / len(window))
        del found
    handlers.precision.unscale(optimizer)
    for method in handlers.listening["gradients_ready"]:
        method(run)
    taken = handlers.precision.step(optimizer, skip=False)
    optimizer.zero_grad(set_to_none=True)
    run.step += 1
    handlers.tell("stepped", run)
    if not taken:
        raise ModelError("A gradient in fp16 is infinite or no number even without a scale. Take precision mode bf16, or look at the loss.")


def bare_network(model: nn.Module) -> nn.Module:
    """The network itself, without what joins ranks around it."""
    return model.module if isinstance(model, nn.parallel.DistributedDataParallel) else model


def sized_batch(batch: Any, size: int) -> Any:
    """A batch of another size, with the rows of one again and again.

    Args:
        batch: Tensors and lists, whose first axis is rows; maybe inside tuples, mappings and dataclasses.
        size: Rows wanted.

    Raises:
        DataError: There is something else in the batch, or no row.
    """
    match batch:
        case torch.Tensor() if batch.ndim and len(batch):
            return batch[torch.arange(size, device=batch.device) % len(batch)]
        case list() if batch:
            return [batch[row % len(batch)] for row in range(size)]
        case tuple():
            parts = [sized_batch(part, size) for part in batch]
            return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
        case Mapping():
            return {key: sized_batch(part, size) for key, part in batch.items()}
        case _ if is_dataclass(batch) and not isinstance(batch, type):
            parts = {one.name: getattr(batch, one.name) for one in fields(batch)}
            rows = next((len(part) for part in parts.values() if isinstance(part, torch.Tensor)), 0)
            return replace(batch, **{name: _sized_field(part, size, rows) for name, part in parts.items()})
        case None | str() | int() | float() | bool():
            return batch
        case _:
            message = f"A batch holds a {type(batch).__name__} that has no rows to repeat"
            raise DataError(
                f"{message}; expected tensors or lists of rows, in tuples or mappings. Give a function that makes batches instead."
            )


def _sized_field(part: Any, size: int, rows: int) -> Any:
    """A field of a batch; a tuple with one member for each of its pictures is rows, not parts."""
    is_rows = isinstance(part, tuple) and not hasattr(part, "_fields") and len(part) == rows  # pyright: ignore[reportUnknownArgumentType]
    return tuple(sized_batch(list(part), size)) if is_rows else sized_batch(part, size)  # pyright: ignore[reportUnknownArgumentType]
