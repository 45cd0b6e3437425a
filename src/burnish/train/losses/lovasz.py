"""The Lovasz losses (Berman, Triki and Blaschko, 2018): the convex extension of the Jaccard loss to predictions between 0 and 1.

The loss is a sum of errors, sorted, each times a weight that depends on the order alone. So the order is found outside of the graph, the
weights are carried back to the pixels, and the gradient of the loss is nothing but those weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import extra
from burnish.train.losses.loss import Part, part
from burnish.train.losses.scores import arranged, class_weights, probabilities, targets

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.scores import Scores
    from burnish.train.losses.settings.region import LovaszConfig

_PLACES = 2**32 - 1
# Whole numbers below this are exact in float32.
_WHOLE = 2**24


def lovasz(config: LovaszConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Lovasz softmax over several classes, Lovasz hinge on logits for yes and no; probabilities of yes and no take |g - p| as the error.

    A weight above 0 counts a pixel, a weight of 0 leaves it out. Targets above 0.5 are inside.
    """
    batch = arranged(config, predicted, target, weight)
    inside = _inside(batch)
    errors = _errors(config, batch, inside)
    counted = torch.ones_like(inside[..., :1])
    if batch.weights is not None:
        valid = (batch.weights > 0).expand_as(errors)
        # What is left out comes last and costs nothing: an error of 0, and no part of any region.
        errors, inside, counted = torch.where(valid, errors, 0.0), inside & valid, valid.any(2, keepdim=True)
    if not config.per_image:
        errors, inside, counted = (values.transpose(0, 1).flatten(1).unsqueeze(0) for values in (errors, inside, counted))
    values = (errors * _weights(errors.detach(), inside)).sum(2)
    return part(values, _counts(config, batch, inside, counted.any(2)))


def _inside(batch: Scores) -> Tensor:
    if batch.hard is not None:
        return batch.hard.unsqueeze(1) == torch.arange(batch.scores.shape[1], device=batch.scores.device).view(1, -1, 1)
    return targets(batch) > 0.5  # noqa: PLR2004 - half


def _errors(config: LovaszConfig, batch: Scores, inside: Tensor) -> Tensor:
    if config.mode != "multiclass" and config.from_logits:
        return torch.relu(1 - torch.where(inside, batch.scores, -batch.scores))
    probable = probabilities(config, batch)
    return torch.where(inside, 1 - probable, probable)


def _counts(config: LovaszConfig, batch: Scores, inside: Tensor, counted: Tensor) -> Tensor:
    """(B, C) how much each class of each picture counts, given whether any pixel of it does."""
    counts = inside.any(2) if config.classes == "present" and config.mode == "multiclass" else counted
    counts = counts.to(batch.scores.dtype) * (1 if config.per_image else len(batch.scores))
    weights = class_weights(config, batch)
    return counts if weights is None else counts * weights


def _weights(errors: Tensor, inside: Tensor) -> Tensor:
    """The weight of each pixel's error, (B, C, N): how much the Jaccard loss grows when it joins the larger ones."""
    weights = torch.empty_like(errors)
    exact = errors.dtype if errors.shape[2] < _WHOLE else torch.float64
    total = torch.arange(1, errors.shape[2] + 1, device=errors.device, dtype=exact)
    for row, error, mask in zip(weights.flatten(0, 1), errors.flatten(0, 1), inside.flatten(0, 1), strict=True):
        order = _falling(error)
        hits = mask[order].to(exact).cumsum(0)
        loss = 1 - (hits[-1:] - hits) / (hits[-1:] + total - hits)
        loss[1:] = loss.diff()
        row[order] = loss.to(row.dtype)
    return weights


def _falling(errors: Tensor) -> Tensor:
    """The places of errors (N,), all 0 or more, from the largest down; of equal ones in any order.

    On a CPU by way of NumPy, which sorts whole numbers several times as fast as torch finds an order: above, the bits of the error, which
    rise as it does, turned round; below, its place.
    """
    if errors.device.type != "cpu" or errors.dtype != torch.float32 or len(errors) > _PLACES:
        return errors.argsort(descending=True)
    keys = (~errors.contiguous().numpy().view(np.uint32)).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(len(keys), dtype=np.uint64)
    keys.sort()
    return torch.from_numpy((keys & np.uint64(_PLACES)).view(np.int64))
