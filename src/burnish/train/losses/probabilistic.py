"""Losses on probabilities: cross-entropy and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import ConfigError, DataError, extra
from burnish.train.losses.loss import Part, part
from burnish.train.losses.neighbours import dilated, eroded
from burnish.train.losses.scores import (
    arranged,
    class_weights,
    log_probabilities,
    maps,
    probabilities,
    sigmoid_cross_entropy,
    targets,
)

with extra("train"):
    import torch
    from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.scores import Scores
    from burnish.train.losses.settings.probabilistic import (
        BinaryCrossEntropyConfig,
        BoxAwareConfig,
        CrossEntropyConfig,
        FocalConfig,
        KlConfig,
        NllConfig,
        SoftMarginConfig,
        WeightedCrossEntropyConfig,
    )
    from burnish.train.losses.settings.shared import ScoresConfig


def cross_entropy(
    config: CrossEntropyConfig | BinaryCrossEntropyConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None
) -> Part:
    """-sum g log p.

    Over several classes class weights weigh as in torch: hard targets by the weighted mean, soft ones by the plain one.
    """
    batch = arranged(config, predicted, target, weight)
    if config.mode != "multiclass":
        return _per_class(config, batch, sigmoid_cross_entropy(config, batch, _pos_weight(config, batch)))
    if batch.labels is not None and config.from_logits and (batch.smoothing == 0 or config.class_weights is None):
        values = functional.cross_entropy(batch.scores, batch.labels, reduction="none", label_smoothing=batch.smoothing)
        return _of_labels(config, batch, values)
    return _likelihood(config, batch, log_probabilities(config, batch))


def nll(config: NllConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """-sum g log p of log-probabilities; binary and multilabel take log p of yes."""
    batch = arranged(config, predicted, target, weight)
    if config.mode == "multiclass":
        return _likelihood(config, batch, batch.scores)
    yes = batch.scores.clamp_max(0.0)
    no = (-torch.expm1(yes)).clamp_min(torch.finfo(yes.dtype).tiny).log()
    soft = targets(batch)
    return _per_class(config, batch, -(soft * yes + (1 - soft) * no))


def kl(config: KlConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Sum of g (log g - log p), times the squared temperature (Hinton, Vinyals and Dean, 2015); of yes and no where each class is that.

    Raises:
        ConfigError: A temperature or a teacher's logits, but the scores are no logits.
    """
    if not config.from_logits and (config.temperature != 1 or config.target_logits):
        raise ConfigError("temperature and target_logits need logits; set from_logits: true, or leave them out.")
    if config.target_logits:
        target = _probable(config, target / config.temperature)
    batch = arranged(config, predicted / config.temperature if config.temperature != 1 else predicted, target, weight)
    soft = targets(batch)
    if config.mode == "multiclass":
        values = (torch.xlogy(soft, soft) - soft * log_probabilities(config, batch)).sum(1, keepdim=True)
        return part(config.temperature**2 * _weighed_by_target(config, batch, values), batch.weights)
    entropy = torch.xlogy(soft, soft) + torch.xlogy(1 - soft, 1 - soft)
    return _per_class(config, batch, config.temperature**2 * (sigmoid_cross_entropy(config, batch) + entropy))


def focal(config: FocalConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """-(1 - p_t)^gamma log p_t (Lin et al., 2017).

    Soft targets: |g - p|^gamma times cross-entropy for yes and no (Li et al., "Generalized focal loss", 2020); over several classes
    -sum g (1 - p)^gamma log p. Both are the plain form on hard targets.

    Raises:
        ConfigError: `alpha` in multiclass mode.
    """
    batch = arranged(config, predicted, target, weight)
    if config.mode != "multiclass":
        return _per_class(config, batch, _binary_focal(config, batch))
    if config.alpha is not None:
        raise ConfigError("alpha weighs yes against no, and the mode is multiclass; give class_weights, one for each class.")
    if batch.hard is not None:
        logs = -functional.cross_entropy(batch.scores, batch.hard, reduction="none") if config.from_logits else _of_true(config, batch)
        return _of_labels(config, batch, -_power(-torch.expm1(logs), config.gamma) * logs)
    logs = log_probabilities(config, batch)
    each = -targets(batch) * _power(-torch.expm1(logs), config.gamma) * logs
    weights = class_weights(config, batch)
    each = each if weights is None else each * weights.view(-1, 1)
    return part(each.sum(1, keepdim=True), batch.weights)


def soft_margin(config: SoftMarginConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """log(1 + exp(-y x)) with y = 2 g - 1."""
    batch = arranged(config, predicted, target, weight)
    return _per_class(config, batch, functional.softplus((1 - 2 * targets(batch)) * batch.scores))


def weighted_cross_entropy(config: WeightedCrossEntropyConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Cross-entropy of yes and no whose pixels weigh w_o g + w_b (1 - g); the mean is over pixels, not over weights."""
    batch = arranged(config, predicted, target, weight)
    soft = targets(batch)
    pixel = config.background_weight + (config.object_weight - config.background_weight) * soft
    return _per_class(config, batch, pixel * sigmoid_cross_entropy(config, batch))


def bbox_aware(config: BoxAwareConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Cross-entropy of yes and no with less weight on the border of the target, dilated less eroded; a batch of soft targets stays plain.

    The mean is over pixels, not over weights.

    Raises:
        ConfigError: The kernel is even.
    """
    if config.kernel % 2 == 0:
        raise ConfigError(f"kernel is {config.kernel}; expected an odd number, so that the square has a middle.")
    batch = arranged(config, predicted, target, weight)
    values, soft = sigmoid_cross_entropy(config, batch), maps(batch, targets(batch))
    hard = ((soft == 0) | (soft == 1)).all()
    border = (dilated(soft, config.kernel) - eroded(soft, config.kernel)).flatten(2)
    return _per_class(config, batch, values * torch.where(hard, 1 - (1 - config.edge_weight) * border, 1.0))


def _per_class(config: ScoresConfig, batch: Scores, values: Tensor) -> Part:
    """Values (B, C, N) of classes that are each yes or no; class weights weigh their mean."""
    weights = class_weights(config, batch)
    if weights is None:
        return part(values, batch.weights)
    return part(values, weights.view(1, -1, 1) * (torch.ones_like(values) if batch.weights is None else batch.weights))


def _of_labels(config: ScoresConfig, batch: Scores, values: Tensor) -> Part:
    """Values (B, N) of hard labels; class weights weigh their mean."""
    weights = class_weights(config, batch)
    assert batch.labels is not None
    pixel = None if batch.weights is None else batch.weights.expand(-1, 1, values.shape[1]).squeeze(1)
    if weights is not None:
        pixel = weights[batch.labels] if pixel is None else weights[batch.labels] * pixel
    return part(values, pixel)


def _likelihood(config: ScoresConfig, batch: Scores, logs: Tensor) -> Part:
    """-sum g log p of log-probabilities (B, C, N)."""
    if batch.hard is not None:
        return _of_labels(config, batch, -logs.gather(1, batch.hard.unsqueeze(1)).squeeze(1))
    weights = class_weights(config, batch)
    each = targets(batch) * logs
    if weights is None:
        return part(-each.sum(1, keepdim=True), batch.weights)
    values = -(each * weights.view(-1, 1)).sum(1, keepdim=True)
    if batch.labels is None:
        return part(values, batch.weights)
    own = weights[batch.labels].unsqueeze(1)
    return part(values / torch.where(own > 0, own, 1.0), own if batch.weights is None else own * batch.weights)


def _weighed_by_target(config: ScoresConfig, batch: Scores, values: Tensor) -> Tensor:
    """Values (B, 1, N) times the mean weight of the target's classes."""
    weights = class_weights(config, batch)
    return values if weights is None else values * (targets(batch) * weights.view(-1, 1)).sum(1, keepdim=True)


def _of_true(config: ScoresConfig, batch: Scores) -> Tensor:
    """(B, N) log-probability of the true class."""
    assert batch.labels is not None
    return log_probabilities(config, batch).gather(1, batch.labels.unsqueeze(1)).squeeze(1)


def _binary_focal(config: FocalConfig, batch: Scores) -> Tensor:
    soft = targets(batch)
    error = (soft - probabilities(config, batch)).abs()
    values = _power(error, config.gamma) * sigmoid_cross_entropy(config, batch)
    return values if config.alpha is None else values * (1 - config.alpha + (2 * config.alpha - 1) * soft)


def _power(base: Tensor, exponent: float) -> Tensor:
    """A power whose gradient stays finite at 0, where roots have none."""
    if exponent == 2:  # noqa: PLR2004 - the usual one, and far quicker than a power
        return base * base
    return base.clamp_min(torch.finfo(base.dtype).tiny ** 0.5 if exponent < 1 else 0.0).pow(exponent)


def _pos_weight(config: CrossEntropyConfig | BinaryCrossEntropyConfig, batch: Scores) -> Tensor | None:
    """(C,) or (1,) weights of yes.

    Raises:
        ConfigError: There are neither one nor as many as classes.
    """
    if config.pos_weight is None:
        return None
    if len(config.pos_weight) not in {1, batch.scores.shape[1]}:
        raise ConfigError(f"pos_weight has {len(config.pos_weight)} numbers; expected 1, or {batch.scores.shape[1]}, one for each class.")
    return torch.tensor(config.pos_weight, device=batch.scores.device, dtype=batch.scores.dtype)


def _probable(config: ScoresConfig, logits: Tensor) -> Tensor:
    if not logits.is_floating_point():
        raise DataError(f"The target has the type {logits.dtype}; a teacher's logits are floating-point numbers.")
    return logits.float().softmax(1) if config.mode == "multiclass" else logits.float().sigmoid()
