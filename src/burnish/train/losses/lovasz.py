"""The Lovasz losses (Berman, Triki and Blaschko, 2018): the convex extension of the Jaccard loss to predictions between 0 and 1.

The loss is a sum of errors, sorted, each times a weight that depends on the order alone. So the order is found outside of the graph, the
weights are carried back to the pixels, and the gradient of the loss is nothing but those weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.losses.loss import Part, part
from burnish.train.losses.scores import arranged, class_weights, probabilities, targets

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.scores import Scores
    from burnish.train.losses.settings.region import LovaszConfig


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
    order = errors.argsort(dim=2, descending=True)
    sorted_inside = inside.gather(2, order)
    hits = sorted_inside.cumsum(2)
    size = hits[..., -1:]
    total = torch.arange(1, hits.shape[2] + 1, device=hits.device)
    loss = 1 - (size - hits).to(errors.dtype) / (size + total - hits)
    loss[..., 1:] -= loss[..., :-1].clone()
    return torch.empty_like(errors).scatter_(2, order, loss)
