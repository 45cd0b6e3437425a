"""A small residual network for training from scratch on small pictures, in seconds an epoch without a GPU."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from burnish.errors import extra

with extra("audit"):
    import torch
    from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

_LAST_SIDE = 8
_MOST_CHANNELS = 256


def build_small_net(num_classes: int, image_size: tuple[int, int], *, width: int = 32, dropout: float = 0.2) -> nn.Sequential:
    """Build the network with random weights; its depth follows the picture size.

    One halving stage after another until the shorter side is about 8 pixels: three stages at 32, four at 64, five at 128. From 64 pixels
    on the first convolution already strides, so that the work stays in bounds. An average over the picture makes it accept other sizes too.

    Args:
        num_classes: Outputs.
        image_size: Height and width in pixels.
        width: Channels of the first stage; doubled by every stage.
        dropout: Share of features hidden before the last layer.
    """
    side = max(min(image_size), _LAST_SIDE)
    stages = max(1, round(math.log2(side / _LAST_SIDE)))
    stride = 1 if side <= 4 * _LAST_SIDE else 2
    layers: list[nn.Module] = [_convolution(3, width, stride=stride)]
    channels = width
    for _ in range(stages if stride == 1 else stages - 1):
        wider = min(2 * channels, _MOST_CHANNELS)
        layers += [_convolution(channels, wider, stride=2), Residual(wider)]
        channels = wider
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, num_classes)]
    return nn.Sequential(*layers, *head)


class Residual(nn.Module):
    """Two convolutions beside a shortcut; the second starts at zero, so that training begins with the shortcut alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.second[1].weight)  # pyright: ignore[reportArgumentType]

    def forward(self, features: Tensor) -> Tensor:
        """Give features of the same shape (N, C, H, W)."""
        return torch.relu(features + self.second(self.first(features)))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
