"""How a network's numbers lie in memory while it learns."""

from __future__ import annotations

from typing import Any

from burnish.errors import extra

with extra("train"):
    import torch
    from torch import nn

_PICTURES = 4


def placed_to_learn(network: nn.Module, device: torch.device) -> nn.Module:
    """Bring a network to a device, laid out as it learns fastest there.

    Channels last is what GPUs and most convolutions like. On a CPU the backward pass of group normalisation is slow in it: our U-Net
    (width 8 and 16, 256 x 256, torch 2.14) learns 1.1 to 1.3 times as fast with whole channels one after the other.
    """
    if device.type != "cpu" or not any(isinstance(module, nn.GroupNorm) for module in network.modules()):
        return network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    network.register_forward_pre_hook(_channels_first)  # a convolution takes the layout of its pictures, whatever that of its weights
    return network.to(device)


def _channels_first(network: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    del network
    return tuple(value.contiguous() if isinstance(value, torch.Tensor) and value.ndim == _PICTURES else value for value in given)
