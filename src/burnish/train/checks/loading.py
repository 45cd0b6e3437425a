"""Whether the data come as fast as the network takes them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, loss_of

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn

_FEW = 2


def loading_speed(
    model: nn.Module,
    example: Example,
    loss: LossCall,
    *,
    batches: Iterable[Any] | None = None,
    most: int = 12,
    clock: Callable[[], float] = time.perf_counter,
) -> Finding:
    """Compare the time that a batch takes to come, alone, with the time of a step; the first of both are warm-up and do not count.

    Args:
        model: The network.
        example: A batch as large as those that come.
        loss: Its loss.
        batches: An epoch of the training; None checks nothing.
        most: Batches and steps that are measured.
        clock: Gives seconds.
    """
    name = "loading"
    if batches is None:
        return Finding(name, "not checked", "No batches were given.", "Give an epoch of the training's batches.")
    waits = _waits(batches, most, clock)
    if len(waits) < _FEW:
        return Finding(name, "not checked", f"There are {len(waits)} batches; at least {_FEW} can be measured.")
    model.train()
    steps: list[float] = []
    for _ in range(min(most, len(waits))):
        began = clock()
        loss_of(model, example, loss).backward()
        model.zero_grad()
        if example.inputs.device.type == "cuda":
            torch.cuda.synchronize(example.inputs.device)
        steps.append(clock() - began)
    load, step = _middle(waits[1:]), _middle(steps[1:])
    found = f"A batch comes in {1000 * load:.1f} ms, and a step takes {1000 * step:.1f} ms"
    if load > step:
        advice = "More workers, smaller pictures in the cache, fewer augmentations, or computing them on the GPU."
        return Finding(name, "warning", f"{found}: the network waits for {1 - step / load:.0%} of the time.", advice)
    return Finding(name, "ok", f"{found}.")


def _waits(batches: Iterable[Any], most: int, clock: Callable[[], float]) -> list[float]:
    waits: list[float] = []
    coming = iter(batches)
    while len(waits) < most:
        began = clock()
        try:
            next(coming)
        except StopIteration:
            break
        waits.append(clock() - began)
    return waits


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
