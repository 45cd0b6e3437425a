"""Trials that leave no trace: network, optimiser and chance are afterwards what they were before, whatever happened in between."""

from __future__ import annotations

import ctypes
import gc
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from burnish.errors import extra
from burnish.train.resuming import chance_state, set_chance

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from torch import nn

_Recall: TypeAlias = "Callable[[], Any]"


@contextmanager
def traceless(model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> Generator[None]:
    """Try whatever is wanted within the block, then bring back how it was before.

    Brought back, also when the block fails: weights, buffers and gradients (into the same tensors), which parameters need a gradient,
    training mode of each module, state and groups of the optimiser, the generators of torch, Python and NumPy, cuDNN's choice to try its
    algorithms out (off in the block, so that none of its findings stay), and memory that trials held. The copies wait in the memory of the
    CPU, so that they take none of the GPU's.

    Args:
        model: The network.
        optimizer: Its optimiser.
    """
    chance, benchmark = chance_state(), torch.backends.cudnn.benchmark
    recalls = [*_network(model), *([] if optimizer is None else [_optimizer(optimizer)])]
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        for recall in recalls:
            recall()
        torch.backends.cudnn.benchmark = benchmark
        set_chance(chance)
        free_memory()


def free_memory() -> None:
    """Give back what nobody holds any more, to the device too."""
    gc.collect()
    with suppress(OSError, AttributeError):  # of glibc only; without it freed memory of the CPU counts as taken for a while
        ctypes.CDLL(None).malloc_trim(0)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _network(model: nn.Module) -> list[_Recall]:
    parameters = list(model.parameters())
    values = [remembered(tensor) for tensor in (*parameters, *model.buffers())]
    gradients = [(parameter, remembered(parameter.grad), parameter.requires_grad) for parameter in parameters]
    modes = [(module, module.training) for module in model.modules()]

    def recall() -> None:
        for value in values:
            value()
        for parameter, gradient, required in gradients:
            parameter.requires_grad_(required)
            parameter.grad = gradient()
        for module, mode in modes:
            module.training = mode

    return [recall, _attributes(model)]


def _attributes(model: nn.Module) -> _Recall:
    """Buffers that a forward pass replaces by new tensors are put back as the old ones."""
    held = [(module, name, buffer) for module in model.modules() for name, buffer in module.named_buffers(recurse=False)]

    def recall() -> None:
        for module, name, buffer in held:
            setattr(module, name, buffer)

    return recall


def _optimizer(optimizer: torch.optim.Optimizer) -> _Recall:
    states = [(parameter, remembered(state)) for parameter, state in optimizer.state.items()]
    groups = [{key: remembered(value) for key, value in group.items() if key != "params"} for group in optimizer.param_groups]

    def recall() -> None:
        optimizer.state.clear()
        for parameter, state in states:
            optimizer.state[parameter] = state()
        for group, values in zip(optimizer.param_groups, groups, strict=True):
            for key in set(group) - set(values) - {"params"}:
                del group[key]
            group.update({key: value() for key, value in values.items()})

    return recall


def remembered(value: Any) -> _Recall:
    """A function that gives a value as it is now: tensors are filled again with what they hold, everything else is copied."""
    match value:
        case torch.Tensor():
            return _remembered_tensor(value)
        case dict():
            inner = {key: remembered(one) for key, one in value.items()}
            return lambda: {key: recall() for key, recall in inner.items()}
        case list() | tuple():
            kind, members = (list if isinstance(value, list) else tuple), [remembered(one) for one in value]
            return lambda: kind(recall() for recall in members)
        case _:
            copied = deepcopy(value)
            return lambda: copied


def _remembered_tensor(tensor: torch.Tensor) -> _Recall:
    held = tensor.detach()  # shares the memory, and stays with it where `.data` is set to another
    copy = held.to("cpu", copy=True)

    def recall() -> torch.Tensor:
        with torch.no_grad():
            held.copy_(copy)
        if tensor.data_ptr() != held.data_ptr():
            tensor.data = held
        return tensor

    return recall
