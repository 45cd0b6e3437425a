"""Losses at the outlines of regions: distances to them, and how well they meet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from burnish.errors import ConfigError, extra
from burnish.train.losses.distances import checked, outline_distances
from burnish.train.losses.loss import Part, part
from burnish.train.losses.neighbours import dilated, eroded
from burnish.train.losses.scores import arranged, class_weights, maps, probabilities, targets

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.scores import Scores
    from burnish.train.losses.settings.outline import (
        BoundaryConfig,
        HausdorffDistanceConfig,
        HausdorffErosionConfig,
        Surface2EdgeConfig,
        SurfaceConfig,
    )
    from burnish.train.losses.settings.shared import PixelSpaceConfig

_HALF = 0.5


def surface(config: SurfaceConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None, distances: Tensor | None = None) -> Part:
    """Mean over pixels of phi_g p, phi the signed distance to the true outline, negative inside (Kervadec et al., 2019 and 2021).

    Negative values are right: the best prediction takes all that lies inside. A class without an outline costs nothing.

    Args:
        config: The description.
        predicted: Scores (B, C, H, W), or (B, H, W) in binary mode.
        target: As `scores.arranged` takes it.
        weight: Of pictures or pixels.
        distances: (B, C, H, W) from `signed_distances`; made here when they are not given.
    """
    batch = arranged(config, predicted, target, weight)
    signed = checked(distances, maps(batch, targets(batch)) > _HALF).flatten(2).to(batch.scores.dtype)
    values = probabilities(config, batch) * signed
    return _per_pixel(config, batch, values / math.hypot(*batch.size) if config.normalise else values)


def surface2edge(
    config: Surface2EdgeConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None, distances: Tensor | None = None
) -> Part:
    """Mean distance of the predicted edge from the true one, and share of the true edge that is missed; a definition of our own.

    The edge of a map is e(x) = dilated(x) - eroded(x) over 3 x 3 pixels, from 0 to 1. With D the distance to the true outline,

        L = sum e(p) D / sum e(p)  +  missed * sum e(g) (1 - dilated(e(p))) / sum e(g).

    The first part draws the predicted edge to the true one and is in pixels; the second keeps it from dissolving.
    """
    batch = arranged(config, predicted, target, weight)
    soft = maps(batch, targets(batch))
    away = checked(distances, soft > _HALF).abs().flatten(2).to(batch.scores.dtype)
    found, true = (_edges(values) for values in (maps(batch, probabilities(config, batch)), soft))
    near = dilated(found, 2 * config.reach + 1).flatten(2)
    found, true = found.flatten(2), true.flatten(2)
    weights = 1.0 if batch.weights is None else batch.weights
    found, true = found * weights, true * weights
    far = _share((found * away).sum(2), found.sum(2))
    missed = _share((true * (1 - near)).sum(2), true.sum(2))
    return _per_map(config, batch, far + config.missed * missed)


def hausdorff_dt(
    config: HausdorffDistanceConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None, distances: Tensor | None = None
) -> Part:
    """Mean over pixels of (p - g)^2 (d_p^a + d_g^a), d the distances to both outlines (Karimi and Salcudean, 2019).

    The prediction's outline is that of p > 0.5 and carries no gradient, as in the paper.
    """
    batch = arranged(config, predicted, target, weight)
    probable, soft = probabilities(config, batch), targets(batch)
    mine = outline_distances(maps(batch, probable) > _HALF)
    if distances is None:
        theirs = outline_distances(maps(batch, soft) > _HALF)
    else:
        signed = checked(distances, maps(batch, soft) > _HALF)
        theirs = torch.where(signed == 0, signed, signed.abs() + _HALF)
    scale = math.hypot(*batch.size) if config.normalise else 1.0
    away = ((mine / scale) ** config.alpha + (theirs / scale) ** config.alpha).flatten(2).to(soft.dtype)
    return _per_pixel(config, batch, (probable - soft) ** 2 * away)


def hausdorff_er(config: HausdorffErosionConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """Mean over pixels of sum_k k^a times the squared errors eroded k times (Karimi and Salcudean, 2019, section II.C).

    An erosion is the mean over a cross of five pixels less 0.5, cut at 0 and stretched to 0 .. 1, as in the paper.
    """
    batch = arranged(config, predicted, target, weight)
    valid = 1.0 if batch.weights is None else (batch.weights > 0).to(batch.scores.dtype)
    left = maps(batch, (probabilities(config, batch) - targets(batch)) ** 2 * valid)
    total = torch.zeros_like(left)
    for number in range(1, config.erosions + 1):
        left = _worn(left)
        total = total + left * number**config.alpha
    return _per_pixel(config, batch, total.flatten(2))


def boundary(config: BoundaryConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - F1 of the outlines, within a tolerance (Bokhovkin and Burnaev, 2019).

    The outline of a map is b(x) = dilated(1 - x) - (1 - x). Precision is the share of b(p) that lies in dilated(b(g)), recall the share
    of b(g) in dilated(b(p)). Two maps without outlines meet perfectly.

    Raises:
        ConfigError: A side is even.
    """
    for name in ("width", "tolerance"):
        if getattr(config, name) % 2 == 0:
            raise ConfigError(f"{name} is {getattr(config, name)}; expected an odd number, so that the square has a middle.")
    batch = arranged(config, predicted, target, weight)
    found, true = (maps(batch, values) for values in (probabilities(config, batch), targets(batch)))
    found, true = (dilated(1 - values, config.width) - (1 - values) for values in (found, true))
    near_found, near_true = (dilated(values, config.tolerance).flatten(2) for values in (found, true))
    weights = 1.0 if batch.weights is None else batch.weights
    found, true = found.flatten(2) * weights, true.flatten(2) * weights
    precision, recall = _share((found * near_true).sum(2), found.sum(2)), _share((true * near_found).sum(2), true.sum(2))
    empty = (found.sum(2) == 0) & (true.sum(2) == 0)
    return _per_map(config, batch, torch.where(empty, 0.0, 1 - _share(2 * precision * recall, precision + recall)))


def _edges(values: Tensor) -> Tensor:
    return dilated(values, 3) - eroded(values, 3)


def _worn(left: Tensor) -> Tensor:
    """One erosion of maps (B, C, H, W)."""
    around = left.clone()
    around[..., 1:, :] += left[..., :-1, :]
    around[..., :-1, :] += left[..., 1:, :]
    around[..., :, 1:] += left[..., :, :-1]
    around[..., :, :-1] += left[..., :, 1:]
    worn = torch.relu(0.2 * around - _HALF)
    low, high = worn.amin((2, 3), keepdim=True), worn.amax((2, 3), keepdim=True)
    return torch.where(high > low, (worn - low) / torch.where(high > low, high - low, 1.0), worn)


def _share(part_of: Tensor, whole: Tensor) -> Tensor:
    """A share, 0 of nothing."""
    return part_of / torch.where(whole > 0, whole, 1.0)


def _per_pixel(config: PixelSpaceConfig, batch: Scores, values: Tensor) -> Part:
    weights = class_weights(config, batch)
    if weights is None:
        return part(values, batch.weights)
    return part(values, weights.view(1, -1, 1) * (torch.ones_like(values) if batch.weights is None else batch.weights))


def _per_map(config: PixelSpaceConfig, batch: Scores, values: Tensor) -> Part:
    """Values (B, C); a picture of which no pixel counts does not count."""
    counts = torch.ones_like(values) if batch.weights is None else (batch.weights > 0).any(2).to(values.dtype).expand(values.shape)
    weights = class_weights(config, batch)
    return part(values, counts if weights is None else counts * weights)
