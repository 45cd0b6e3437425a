"""Losses on key points, as heatmaps or as coordinates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from burnish.errors import ConfigError, DataError, extra
from burnish.geometry.keypoint_sigmas import COCO_PERSON
from burnish.train.losses.loss import Part, full, part
from burnish.train.losses.neighbours import dilated

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.settings.keypoints import AdaptiveWingConfig, HeatmapMseConfig, OksConfig, WingConfig

_NEAR = 0.2
_OTHER_SIGMA = 0.05


def heatmap_mse(config: HeatmapMseConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Squared difference of heatmaps.

    Args:
        config: The description.
        predicted: (B, K, H, W).
        target: (B, K, H, W).
        weight: (B, K), 0 for points that are not there; or (B,), or (B, K, H, W).
    """
    del config
    target = _heatmaps(predicted, target)
    return part((predicted - target) ** 2, _per_point(weight, predicted))


def adaptive_wing(config: AdaptiveWingConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Adaptive wing: w log(1 + |d / e|^(a - g)) up to theta, a line with the same slope beyond it (Wang, Bo and Fuxin, 2019).

    The mean is over pixels, not over the foreground's weights. Arguments as `heatmap_mse`.
    """
    target = _heatmaps(predicted, target)
    gap = (predicted - target).abs()
    power = config.alpha - target
    ratio = config.theta / config.epsilon
    slope = config.omega / (1 + ratio**power) * power * ratio ** (power - 1) / config.epsilon
    offset = config.theta * slope - config.omega * torch.log1p(ratio**power)
    inner = gap.clamp(max=config.theta)
    values = torch.where(gap < config.theta, config.omega * torch.log1p((inner / config.epsilon) ** power), slope * gap - offset)
    if config.foreground_weight:
        values = values * (1 + config.foreground_weight * (dilated(target, 3) > _NEAR))
    return part(values, _per_point(weight, predicted))


def wing(config: WingConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Wing: w log(1 + |d| / e) below w, |d| - c beyond it (Feng et al., 2018).

    Args:
        config: The description.
        predicted: (N, K, 2) coordinates.
        target: (N, K, 2), or (N, K, 3) with the visibility: 0 does not count.
        weight: (N,) or (N, K) or None.

    Raises:
        DataError: Shapes do not fit.
    """
    points, weights = _points(predicted, target, weight)
    gap = (predicted - points).abs()
    offset = config.omega - config.omega * math.log1p(config.omega / config.epsilon)
    values = torch.where(gap < config.omega, config.omega * torch.log1p(gap / config.epsilon), gap - offset)
    return part(values, weights.unsqueeze(2))


def oks(config: OksConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None, areas: Tensor) -> Part:
    """1 - exp(-d^2 / (2 area (2 sigma)^2)), meaned over the visible points of each object: COCO's object keypoint similarity.

    Args:
        config: The description.
        predicted: (N, K, 2) coordinates.
        target: (N, K, 3) of x, y, visibility; 0 does not count. (N, K, 2) counts all.
        weight: (N,) or (N, K) or None.
        areas: (N,) of the objects, in square pixels.

    Raises:
        DataError: Shapes do not fit.
        ConfigError: There are not as many sigmas as points.
    """
    points, weights = _points(predicted, target, weight)
    if areas.shape != predicted.shape[:1]:
        raise DataError(f"areas have the shape {tuple(areas.shape)}; expected ({len(predicted)},), one for each object.")
    sigmas = torch.tensor(_sigmas(config, predicted.shape[1]), dtype=predicted.dtype, device=predicted.device)
    scale = 2 * full(areas).to(predicted.dtype).unsqueeze(1) * (2 * sigmas) ** 2
    gap = ((predicted - points) ** 2).sum(2)
    missed = -torch.expm1(-gap / scale.clamp_min(torch.finfo(predicted.dtype).eps))
    total = weights.sum(1)
    values = (missed * weights).sum(1) / torch.where(total > 0, total, 1.0)
    own = full(weight).to(values.dtype) if weight is not None and weight.ndim == 1 else 1.0
    return part(values, (total > 0) * own)


def _sigmas(config: OksConfig, points: int) -> tuple[float, ...]:
    if config.sigmas is None:
        return COCO_PERSON if points == len(COCO_PERSON) else (_OTHER_SIGMA,) * points
    if len(config.sigmas) != points:
        raise ConfigError(f"sigmas has {len(config.sigmas)} numbers, but there are {points} key points.")
    return config.sigmas


def _points(predicted: Tensor, target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """True points (N, K, 2) and weights (N, K)."""
    batch = predicted.shape[:2]
    if predicted.ndim != 3 or predicted.shape[2] != 2 or target.shape[:2] != batch or target.ndim != 3 or target.shape[2] not in {2, 3}:  # noqa: PLR2004
        found = f"{tuple(predicted.shape)} and {tuple(target.shape)}"
        raise DataError(f"Predicted and true points have the shapes {found}; expected (N, K, 2), and (N, K, 2) or (N, K, 3).")
    target = full(target).to(predicted.dtype)
    weights = torch.ones_like(target[..., 0]) if target.shape[2] == 2 else (target[..., 2] > 0).to(target.dtype)  # noqa: PLR2004
    if weight is not None:
        if weight.shape not in {batch, batch[:1]}:
            raise DataError(f"The weight has shape {tuple(weight.shape)}; expected {tuple(batch)} or {tuple(batch[:1])}.")
        weights = weights * full(weight).to(target.dtype).reshape(len(weight), -1)
    return torch.where(weights.unsqueeze(2) > 0, target[..., :2], predicted.detach()), weights


def _heatmaps(predicted: Tensor, target: Tensor) -> Tensor:
    if predicted.shape != target.shape or predicted.ndim != 4:  # noqa: PLR2004 - pictures, points, height, width
        found = f"{tuple(predicted.shape)} and {tuple(target.shape)}"
        raise DataError(f"Predicted and true heatmaps have the shapes {found}; expected (B, K, H, W) for both.")
    return full(target).to(predicted.dtype)


def _per_point(weight: Tensor | None, predicted: Tensor) -> Tensor | None:
    if weight is None:
        return None
    if weight.shape != predicted.shape[: weight.ndim]:
        raise DataError(f"The weight has shape {tuple(weight.shape)}; expected (B, K), (B,) or {tuple(predicted.shape)}.")
    return full(weight).to(predicted.dtype).reshape(weight.shape + (1,) * (4 - weight.ndim))
