"""Whether the network takes batches and pictures of other sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, loss_of, told

with extra("train"):
    import torch
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage] - the common class of all of them

if TYPE_CHECKING:
    from torch import Tensor

_STEPS = (1, 2, 4, 8, 16, 32, 64)
_IMAGE_AXES = 4


def batch_of_one(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """A training step on a single picture, which the last batch of an epoch may be."""
    name = "batch of one"
    model.train()
    try:
        loss_of(model, example.sized(1), loss).backward()
    except (ValueError, RuntimeError, IndexError) as error:
        advice = "Drop the last batch of an epoch, or take GroupNorm; the batch must be 2 or more."
        return Finding(name, "error", f"A step on one picture fails: {told(error)}.", advice)
    norms = sum(isinstance(module, _BatchNorm) for module in model.modules())
    more = f", where {norms} layers of batch normalisation see that picture alone" if norms else ""
    return Finding(name, "ok", f"A step on one picture works{more}.")


def divisible_sizes(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """Which heights and widths the network takes, and whether the training's own are among them."""
    del loss
    name = "divisible sizes"
    if example.inputs.ndim != _IMAGE_AXES:
        shape = tuple(example.inputs.shape)
        return Finding(name, "not checked", f"Inputs have the shape {shape}; expected (pictures, channels, height, width).")
    model.eval()
    height, width = example.inputs.shape[-2:]
    failure = _failure(model, example.inputs[:1])
    if failure:
        found = f"Pictures of {height} x {width} fail: {failure}."
        return Finding(name, "error", found, _advice(_step(model, example.inputs), height, width))
    step = _step(model, example.inputs)
    if step is None:
        found = f"The network takes {height} x {width} and no other size that was tried."
        return Finding(name, "warning", found, "Resize all pictures to this size, also when the network is used.")
    if step == 1:
        return Finding(name, "ok", "The network takes pictures of any size.")
    return Finding(name, "ok", f"Height and width must be multiples of {step}; {height} x {width} are.")


def _step(model: nn.Module, inputs: Tensor) -> int | None:
    """The least number that sizes must be a multiple of: a multiple of 64 plus it is divisible by it and by nothing larger."""
    base = max(_STEPS[-1], min(inputs.shape[-2:]) // _STEPS[-1] * _STEPS[-1])
    empty = inputs.new_zeros((1, inputs.shape[1], 1, 1))
    return next((step for step in _STEPS if not _failure(model, empty.expand(-1, -1, base + step, base + step).contiguous())), None)


def _failure(model: nn.Module, inputs: Tensor) -> str:
    try:
        with torch.no_grad():
            model(inputs)
    except (ValueError, RuntimeError, IndexError, AssertionError) as error:
        return told(error)
    return ""


def _advice(step: int | None, height: int, width: int) -> str:
    if step is None:
        return "Look at the message; no other size works either."
    return f"Take multiples of {step}, for instance {-(-height // step) * step} x {-(-width // step) * step}."
