"""How long a network takes for one picture: a metric of evaluations whose target or stopping rules ask for it."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

from burnish.errors import extra
from burnish.train.asked import asked_metrics
from burnish.train.distributed import gathered
from burnish.train.run import network_device

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from burnish.train.policies.settings import TrainConfig

LATENCY: Final = "latency_ms"
"""What the metric is called."""
_WARM_UP, _REPEATS = 3, 20


def asks_for_latency(plan: TrainConfig) -> bool:
    """Whether the target or a stopping rule looks at it."""
    return LATENCY in asked_metrics(plan)


def latency_ms(model: nn.Module, picture: Tensor) -> float:
    """Median time of a forward pass, in milliseconds; of several ranks that of the first one, on all of them.

    The device has finished its work at either end of what is measured. Nothing of the network changes, and chance is left alone.

    Args:
        model: The network, in evaluation mode.
        picture: A batch (1, 3, H, W) uint8 of one picture, on the network's device.
    """
    assert not model.training
    device = network_device(model)
    with torch.inference_mode():
        taken = [_forward_seconds(model, picture, device) for _ in range(_WARM_UP + _REPEATS)]
    return gathered(1000 * statistics.median(taken[_WARM_UP:]))[0]


def _forward_seconds(model: nn.Module, picture: Tensor, device: torch.device) -> float:
    _finish(device)
    began = time.perf_counter()
    model(picture)
    _finish(device)
    return time.perf_counter() - began


def _finish(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
