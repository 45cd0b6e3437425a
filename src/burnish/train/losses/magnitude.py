"""Losses on the differences of two arrays of one shape: torch's own, with weights and values that do not count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from burnish.errors import DataError, extra
from burnish.train.losses.loss import Part, full, part

with extra("train"):
    import torch
    from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from burnish.train.losses.settings.magnitude import DifferenceConfig, HuberConfig, L1Config, LogCoshConfig, MseConfig, SmoothL1Config


def l1(config: L1Config, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """|d|."""
    return _measured(config, predicted, target, weight, lambda one, two: functional.l1_loss(one, two, reduction="none"))


def mse(config: MseConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """d^2."""
    return _measured(config, predicted, target, weight, lambda one, two: functional.mse_loss(one, two, reduction="none"))


def huber(config: HuberConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """d^2 / 2 up to delta, then delta (|d| - delta / 2) (Huber, 1964)."""
    measure = lambda one, two: functional.huber_loss(one, two, reduction="none", delta=config.delta)  # noqa: E731 - one of a row of five
    return _measured(config, predicted, target, weight, measure)


def smooth_l1(config: SmoothL1Config, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Huber over beta (Girshick, 2015)."""
    measure = lambda one, two: functional.smooth_l1_loss(one, two, reduction="none", beta=config.beta)  # noqa: E731 - one of a row of five
    return _measured(config, predicted, target, weight, measure)


def log_cosh(config: LogCoshConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Log cosh d = |d| + log(1 + exp(-2 |d|)) - log 2, which never overflows."""

    def measure(one: Tensor, two: Tensor) -> Tensor:
        difference = one - two
        return difference + functional.softplus(-2.0 * difference) - math.log(2.0)

    return _measured(config, predicted, target, weight, measure)


def _measured(
    config: DifferenceConfig, predicted: Tensor, target: Tensor, weight: Tensor | None, measure: Callable[[Tensor, Tensor], Tensor]
) -> Part:
    if predicted.shape != target.shape:
        raise DataError(f"The target has shape {tuple(target.shape)}; expected {tuple(predicted.shape)}, as the prediction.")
    target = full(target).to(predicted.dtype)
    valid = ~target.isnan()
    if config.ignore_value is not None:
        valid &= target != config.ignore_value
    target = torch.where(valid, target, predicted.detach())
    weights = valid.to(predicted.dtype) if weight is None else valid * _spread(weight, predicted)
    return part(measure(predicted, target), weights)


def _spread(weight: Tensor, predicted: Tensor) -> Tensor:
    """Weights of items (B,), or of any shape that broadcasts from the left, as they broadcast to the prediction."""
    if weight.shape != predicted.shape[: weight.ndim]:
        raise DataError(f"The weight has shape {tuple(weight.shape)}; expected the first dimensions of {tuple(predicted.shape)}.")
    return full(weight).to(predicted.dtype).reshape(weight.shape + (1,) * (predicted.ndim - weight.ndim))
