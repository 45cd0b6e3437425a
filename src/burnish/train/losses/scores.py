"""Scores and targets brought into one form: binary, multiclass or multilabel, logits or probabilities, hard or soft, some to be ignored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from burnish.errors import ConfigError, DataError, extra
from burnish.train.losses.loss import full

with extra("train"):
    import torch
    from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.settings.shared import ScoresConfig

_LABEL_TYPES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """A batch in one form; N is the number of pixels of a picture, 1 where pictures as a whole are classified.

    Attributes:
        scores: (B, C, N) logits or probabilities; C is 1 in binary mode.
        labels: (B, N) int64 class indices where targets are labels of one class of several, else None; ignored ones are 0.
        soft: (B, C, N) targets from 0 to 1 where there are no `labels`, else None; smoothed; ignored ones are 0.
        smoothing: What is still to be done to `labels`.
        weights: (B, 1, N) or (B, C, N): the caller's weight, 0 where ignored; None where everything counts alike.
        size: The shape of N, for instance (H, W).
    """

    scores: Tensor
    labels: Tensor | None
    soft: Tensor | None
    weights: Tensor | None
    size: tuple[int, ...]
    smoothing: float = 0.0

    @property
    def hard(self) -> Tensor | None:
        """The labels where they are all that there is to know of the target."""
        return self.labels if self.smoothing == 0 else None


def arranged(config: ScoresConfig, predicted: Tensor, target: Tensor, weight: Tensor | None) -> Scores:
    """Check a batch and bring it into one form; class weights are left to the loss.

    Args:
        config: Mode, `ignore_index` and label smoothing.
        predicted: (B, C, ...); in binary mode (B, ...) or (B, 1, ...).
        target: Multiclass: labels (B, ...) of whole numbers, or soft (B, C, ...). Binary and multilabel: the shape of `predicted`, whole
            numbers, booleans or numbers from 0 to 1.
        weight: (B,), (B, ...) or the shape of `predicted`; None counts everything alike.

    Raises:
        DataError: Shapes do not fit, or a label is no class (told on the CPU; a GPU is not made to wait for it).
    """
    if config.mode == "binary":
        predicted, target = _with_channel(predicted, target)
    if predicted.ndim < 2:  # noqa: PLR2004 - pictures and classes
        raise DataError(f"The prediction has shape {tuple(predicted.shape)}; expected (B, C, ...) with a score for each class.")
    size = tuple(predicted.shape[2:])
    scores = predicted.flatten(2) if size else predicted.unsqueeze(2)
    if config.mode == "multiclass" and target.shape == predicted.shape[:1] + predicted.shape[2:]:
        labels, valid = _labels(config, target, predicted)
        weights = _weights(weight, valid, predicted)
        return Scores(scores, labels, None, weights, size, config.label_smoothing)
    soft, valid = _soft(config, target, predicted)
    soft = _smoothed(soft, config.label_smoothing, soft.shape[1] if config.mode == "multiclass" else 2)
    return Scores(scores, None, soft, _weights(weight, valid, predicted), size)


def probabilities(config: ScoresConfig, batch: Scores) -> Tensor:
    """(B, C, N) probabilities."""
    if not config.from_logits:
        return batch.scores
    return batch.scores.softmax(1) if config.mode == "multiclass" else batch.scores.sigmoid()


def log_probabilities(config: ScoresConfig, batch: Scores) -> Tensor:
    """(B, C, N) log-probabilities of classes, of multiclass scores; probabilities of 0 count as the smallest normal number."""
    if config.from_logits:
        return batch.scores.log_softmax(1)
    return batch.scores.clamp_min(torch.finfo(batch.scores.dtype).tiny).log()


def sigmoid_cross_entropy(config: ScoresConfig, batch: Scores, pos_weight: Tensor | None = None) -> Tensor:
    """(B, C, N) cross-entropy of yes and no; probabilities of 0 and 1 cost at most 100, as in torch."""
    soft = targets(batch)
    if config.from_logits:
        if pos_weight is not None:
            pos_weight = pos_weight.view(-1, 1)
        return functional.binary_cross_entropy_with_logits(batch.scores, soft, pos_weight=pos_weight, reduction="none")
    if pos_weight is None:
        return functional.binary_cross_entropy(batch.scores, soft, reduction="none")
    yes, no = batch.scores.log().clamp_min(-100), torch.log1p(-batch.scores).clamp_min(-100)
    return -(pos_weight.view(-1, 1) * soft * yes + (1 - soft) * no)


def targets(batch: Scores) -> Tensor:
    """(B, C, N) targets from 0 to 1, made from labels where they are hard."""
    if batch.soft is not None:
        return batch.soft
    assert batch.labels is not None
    classes = batch.scores.shape[1]
    return _smoothed(one_hot(batch.labels, classes, batch.scores.dtype), batch.smoothing, classes)


def one_hot(labels: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """(B, C, N) of 0 and 1 from labels (B, N)."""
    return (labels.unsqueeze(1) == torch.arange(classes, device=labels.device).view(1, -1, 1)).to(dtype)


def class_weights(config: ScoresConfig, batch: Scores) -> Tensor | None:
    """(C,) the weights of classes, or None.

    Raises:
        ConfigError: There are not as many as classes.
    """
    if config.class_weights is None:
        return None
    if len(config.class_weights) != batch.scores.shape[1]:
        raise ConfigError(f"class_weights has {len(config.class_weights)} numbers, but there are {batch.scores.shape[1]} classes.")
    return torch.tensor(config.class_weights, device=batch.scores.device, dtype=batch.scores.dtype)


def maps(batch: Scores, values: Tensor) -> Tensor:
    """(B, C, N) as maps (B, C, H, W).

    Raises:
        DataError: These are no pictures.
    """
    if len(batch.size) != 2:  # noqa: PLR2004 - height and width
        raise DataError(f"The prediction has {len(batch.size)} dimensions behind its classes; this loss needs two, height and width.")
    return values.unflatten(2, batch.size)


def _with_channel(predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Binary scores and targets as (B, 1, ...), whichever of both has the channel already."""
    if predicted.shape == target.shape and (predicted.ndim == 1 or predicted.shape[1] != 1):
        return predicted.unsqueeze(1), target.unsqueeze(1)
    if predicted.ndim == target.ndim + 1 and predicted.shape[1] == 1:
        return predicted, target.unsqueeze(1)
    if target.ndim == predicted.ndim + 1 and target.shape[1] == 1:
        return predicted.unsqueeze(1), target
    return predicted, target


def _labels(config: ScoresConfig, target: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor | None]:
    if target.dtype not in _LABEL_TYPES:
        raise DataError(f"The target has shape {tuple(target.shape)} and type {target.dtype}; labels of classes must be whole numbers.")
    labels = (target.flatten(1) if target.ndim > 1 else target.unsqueeze(1)).long()
    valid = None if config.ignore_index is None else labels != config.ignore_index
    if valid is not None:
        labels = torch.where(valid, labels, 0)
    if labels.device.type == "cpu" and labels.numel():
        low, high = (int(bound) for bound in labels.aminmax())
        if low < 0 or high >= predicted.shape[1]:
            hint = "" if config.ignore_index is not None else " If it marks what to ignore, set ignore_index."
            raise DataError(f"The target holds the label {low if low < 0 else high}; expected 0 to {predicted.shape[1] - 1}.{hint}")
    return labels, None if valid is None else valid.unsqueeze(1)


def _soft(config: ScoresConfig, target: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor | None]:
    if target.shape != predicted.shape:
        also = f", or labels {(predicted.shape[0], *predicted.shape[2:])}" if config.mode == "multiclass" else ""
        raise DataError(f"The target has shape {tuple(target.shape)}; expected {tuple(predicted.shape)}, as the prediction{also}.")
    target = target.flatten(2) if target.ndim > 2 else target.unsqueeze(2)  # noqa: PLR2004 - behind pictures and classes
    valid = None if config.ignore_index is None else target != config.ignore_index
    soft = target.to(predicted.dtype) if target.dtype in {*_LABEL_TYPES, torch.bool} else full(target).to(predicted.dtype)
    if valid is None:
        return soft, None
    if config.mode == "multiclass":
        valid = valid.all(1, keepdim=True)
    return torch.where(valid, soft, 0.0), valid


def _weights(weight: Tensor | None, valid: Tensor | None, predicted: Tensor) -> Tensor | None:
    """(B, 1, N) or (B, C, N); what is ignored has the weight 0."""
    if weight is None:
        return None if valid is None else valid.to(predicted.dtype)
    weights = full(weight).to(predicted.dtype)
    batch, classes, *size = predicted.shape
    if weights.shape == predicted.shape:
        weights = weights.reshape(batch, classes, -1)
    elif weights.shape in {(batch, *size), (batch, 1, *size)}:
        weights = weights.reshape(batch, 1, -1)
    elif weights.shape == (batch,):
        weights = weights.view(batch, 1, 1).expand(batch, 1, math.prod(size))
    else:
        shapes = f"({batch},), {(batch, *size)} or {tuple(predicted.shape)}"
        raise DataError(f"The weight has shape {tuple(weight.shape)}; expected {shapes}.")
    return weights if valid is None else weights * valid


def _smoothed(soft: Tensor, share: float, choices: int) -> Tensor:
    return soft if share == 0 else soft * (1 - share) + share / choices
