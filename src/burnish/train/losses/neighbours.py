"""Neighbourhoods on maps (B, C, H, W): dilation and erosion by a square, both with gradients. Nothing lies outside of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import extra

with extra("train"):
    from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def dilated(maps: Tensor, side: int) -> Tensor:
    """The largest value within a square of an odd side around each pixel; one axis after the other, which is the same and quicker."""
    tall = functional.max_pool2d(maps, (side, 1), stride=1, padding=(side // 2, 0))
    return functional.max_pool2d(tall, (1, side), stride=1, padding=(0, side // 2))


def eroded(maps: Tensor, side: int) -> Tensor:
    """The smallest value within a square of an odd side around each pixel."""
    return -dilated(-maps, side)
