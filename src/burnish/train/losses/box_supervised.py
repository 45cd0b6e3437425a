"""Masks learnt from boxes alone, after Tian et al., "BoxInst: High-performance instance segmentation with box annotations", CVPR 2021.

Three parts. The projections of a mask on both sides of its box are full, for a box is tight. Beside all boxes the mask is empty. And
neighbours of similar colour, of which one at least is in a box, bear the same label. BoxInst judges masks of single objects, whose
projections are empty beside the box; here maps hold all objects of a class, so that the pixels in no box are judged one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.errors import DataError, extra
from burnish.geometry import boxes as upright
from burnish.train.losses.lab import cielab
from burnish.train.losses.loss import Result, part

with extra("train"):
    import torch
    from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from burnish.train.losses.loss import Part
    from burnish.train.losses.settings.box_supervised import BoxSupervisedConfig

_WAYS: Final = ((0, 1), (1, -1), (1, 0), (1, 1))  # half of the eight neighbours: each pair is met once
_MAPS: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Boxed:
    """What the loss sees beside scores and filled boxes.

    Attributes:
        pictures: (B, 3, H, W) uint8, RGB, as the network was shown them.
        boxes: (n, 4) of each picture, x1, y1, x2, y2 in its pixels, half-open.
        classes: (n,) of each picture, the class of each box from 0; the binary mode does not look at it.
    """

    pictures: Tensor
    boxes: Sequence[NDArray[np.float32]]
    classes: Sequence[NDArray[np.int64]]


def box_supervised(
    config: BoxSupervisedConfig,
    predicted: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None,
    boxed: Boxed | None = None,
    progress: float = 1.0,
) -> Result:
    """The parts projection, outside and pairwise, each with its own count: boxes, pixels in no box, and pairs of similar neighbours.

    Args:
        config: The description.
        predicted: Logits (B, K, H, W); of the binary mode (B, 1, H, W).
        target: Filled boxes, 0 to 1, of the same shape; of the binary mode (B, H, W) too. Where boxes were cut or turned by
            augmentations this says what may belong to objects; a box itself must be upright.
        weight: None; pixels are not weighted.
        boxed: Pictures, and boxes with their classes.
        progress: How far the training is, from 0 to 1.

    Raises:
        DataError: There are no boxes, shapes do not fit, or a class is none of the maps.
    """
    inside, valid = _regions(config, predicted, target)
    _check(predicted, weight, boxed)
    assert boxed is not None
    grown = 1.0 if config.warmup == 0 else min(max(progress, 0.0) / config.warmup, 1.0)
    found = {
        "projection": (_projection(config, predicted, boxed), config.projection),
        "outside": (part(functional.softplus(predicted), (~inside & valid).to(predicted.dtype)), config.outside),
        "pairwise": (_pairwise(config, predicted, inside, valid, boxed.pictures), config.pairwise * grown),
    }
    return Result({name: replace(one, factor=factor) for name, (one, factor) in found.items()})


def _regions(config: BoxSupervisedConfig, predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K, H, W) which pixels lie in a box, and which count."""
    if predicted.ndim == _MAPS and target.ndim == _MAPS - 1 and predicted.shape[1] == 1:
        target = target.unsqueeze(1)
    if predicted.ndim != _MAPS or target.shape != predicted.shape or (config.mode == "binary" and predicted.shape[1] != 1):
        shapes = f"{tuple(predicted.shape)} and {tuple(target.shape)}"
        raise DataError(f"Prediction and filled boxes have the shapes {shapes}; expected (B, K, H, W) for both, K being 1 in binary mode.")
    valid = torch.ones_like(target, dtype=torch.bool) if config.ignore_index is None else target != config.ignore_index
    return (target > 0.5) & valid, valid  # noqa: PLR2004 - half a pixel


def _check(predicted: Tensor, weight: Tensor | None, boxed: Boxed | None) -> None:
    if weight is not None:
        raise DataError("The loss 'box_supervised' takes no weight of pixels; mark what does not count with ignore_index.")
    if boxed is None:
        raise DataError("The loss 'box_supervised' needs pictures and boxes: call it with boxed=, or train a segmentation with data.boxes.")
    size, (count, _, *sides) = boxed.pictures.shape, predicted.shape
    if tuple(size) != (count, 3, *sides) or len(boxed.boxes) != count or len(boxed.classes) != count:
        raise DataError(
            f"There are pictures {tuple(size)}, boxes of {len(boxed.boxes)} and classes of {len(boxed.classes)} pictures to "
            f"predictions {tuple(predicted.shape)}; expected the same number and size."
        )


def _projection(config: BoxSupervisedConfig, predicted: Tensor, boxed: Boxed) -> Part:
    """Of each box the Dice loss of the maxima along its columns and its rows against ones; a box without the middle of a pixel has none."""
    probable = predicted.sigmoid()
    values = [_full(probable[picture, number, y1:y2, x1:x2]) for picture, number, (x1, y1, x2, y2) in _windows(config, predicted, boxed)]
    return part(torch.stack(values) if values else predicted.new_zeros(0))


def _windows(config: BoxSupervisedConfig, predicted: Tensor, boxed: Boxed) -> Iterator[tuple[int, int, Sequence[int]]]:
    _, maps, height, width = predicted.shape
    for picture, (boxes, classes) in enumerate(zip(boxed.boxes, boxed.classes, strict=True)):
        numbers = [0] * len(boxes) if config.mode == "binary" else classes.tolist()
        if numbers and (min(numbers) < 0 or max(numbers) >= maps):
            raise DataError(f"A box is of class {max(numbers)} (from 0), and there are {maps} maps; expected one a class.")
        # Pixels belong to a box where it holds their middle.
        windows = np.ceil(upright.clip(boxes, width, height) - 0.5).astype(np.int64).tolist()
        for number, window in zip(numbers, windows, strict=True):
            if window[2] > window[0] and window[3] > window[1]:
                yield picture, number, window


def _full(inside: Tensor) -> Tensor:
    """What the probabilities (h, w) in a box cost: 1 - 2 sum m / (sum m^2 + n) of the n maxima m along each axis, both added."""
    lines = (inside.amax(0), inside.amax(1))
    return torch.stack([1 - 2 * line.sum() / ((line * line).sum() + line.numel()) for line in lines]).sum()


def _pairwise(config: BoxSupervisedConfig, predicted: Tensor, inside: Tensor, valid: Tensor, pictures: Tensor) -> Part:
    """-log(p q + (1 - p)(1 - q)) of all neighbours, counting those of similar colour of which one at least is in a box."""
    yes, no, colours = functional.logsigmoid(predicted), functional.logsigmoid(-predicted), cielab(pictures)
    values: list[Tensor] = []
    weights: list[Tensor] = []
    for way in _WAYS:
        (one, other), (negative, other_negative), (here, there), (within, other_within), (known, other_known) = (
            _neighbours(maps, way, config.dilation) for maps in (yes, no, colours, inside, valid)
        )
        similar = torch.exp((here - there).square().sum(1, keepdim=True).sqrt() / -config.scale) > config.similarity
        values.append(-torch.logaddexp(one + other, negative + other_negative).flatten())
        weights.append((similar & (within | other_within) & known & other_known).flatten())
    return part(torch.cat(values), torch.cat(weights).to(predicted.dtype))


def _neighbours(maps: Tensor, way: tuple[int, int], apart: int) -> tuple[Tensor, Tensor]:
    """Maps (B, K, H, W) cut so that each pixel of one is a neighbour of the same pixel of the other."""
    down, across = (step * apart for step in way)
    height, width = maps.shape[2:]
    tall, wide = max(height - down, 0), max(width - abs(across), 0)
    left, right = max(-across, 0), max(across, 0)
    return maps[..., :tall, left : left + wide], maps[..., down : down + tall, right : right + wide]
