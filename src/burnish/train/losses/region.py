"""Losses on the overlap of regions: Dice, Jaccard, Tversky, their squared and generalised forms.

All stand on a few sums over the pixels of each class. `p` is the probability, `g` the target, both from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.losses.loss import Part, part
from burnish.train.losses.scores import Scores, arranged, class_weights, probabilities, targets
from burnish.train.losses.sums import class_sums, label_sums

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.settings.region import (
        DiceConfig,
        GeneralisedDiceConfig,
        JaccardConfig,
        SquaredDiceConfig,
        SquaredJaccardConfig,
        TverskyConfig,
    )
    from burnish.train.losses.settings.shared import OverlapConfig, RegionConfig


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Sums over the valid pixels, each (B, C) per picture or (1, C) over the batch.

    Attributes:
        overlap: Of p g (product form), or of what a semimetric takes for it: (p + g - |p - g|) / 2.
        predicted: Of p; of p^2 for the squared losses.
        true: Of g; of g^2 for the squared losses.
        area: Number of pixels, weighted.
        images: How many pictures each row stands for.
        mean: Mean of p.
        present: Whether the class has a true pixel at all.
    """

    overlap: Tensor
    predicted: Tensor
    true: Tensor
    area: Tensor
    images: int
    mean: Tensor
    present: Tensor


def dice(config: DiceConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - (2 TP + s) / (sum p + sum g + s).

    The semimetric form takes (sum p + sum g - sum |p - g|) / 2 for TP (Wang et al., "Dice semimetric losses", 2023).
    """
    return _overlap_loss(config, predicted, target, weight, fp_weight=0.5, fn_weight=0.5, smooth=config.smooth / 2)


def jaccard(config: JaccardConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - (TP + s) / (sum p + sum g - TP + s); semimetric: Wang et al., "Jaccard metric losses", 2023."""
    return _overlap_loss(config, predicted, target, weight, fp_weight=1.0, fn_weight=1.0, smooth=config.smooth)


def tversky(config: TverskyConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """(1 - (TP + s) / (TP + a FP + b FN + s))^gamma (Salehi et al., 2017; Abraham and Khan, 2018)."""
    weights = {"fp_weight": config.fp_weight, "fn_weight": config.fn_weight, "smooth": config.smooth}
    return _overlap_loss(config, predicted, target, weight, gamma=config.gamma, **weights)


def sq_dice(config: SquaredDiceConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - (2 sum pg + s) / (sum p^2 + sum g^2 + s) (Milletari et al., 2016)."""
    batch = arranged(config, predicted, target, weight)
    sums = _regions(config, batch, squared=True)
    return _per_region(config, batch, sums, 1 - _ratio(2 * sums.overlap + config.smooth, sums.predicted + sums.true + config.smooth))


def sq_jaccard(config: SquaredJaccardConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - (sum pg + s) / (sum p^2 + sum g^2 - sum pg + s)."""
    batch = arranged(config, predicted, target, weight)
    sums = _regions(config, batch, squared=True)
    union = sums.predicted + sums.true - sums.overlap
    return _per_region(config, batch, sums, 1 - _ratio(sums.overlap + config.smooth, union + config.smooth))


def gdice(config: GeneralisedDiceConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - (2 sum_c w_c sum pg + s) / (sum_c w_c (sum p + sum g) + s) (Sudre et al., 2017); one value for all classes together."""
    batch = arranged(config, predicted, target, weight)
    sums = _regions(config, batch)
    weights = _inverse_sizes(sums, config.weighting)
    given = class_weights(config, batch)
    weights = weights if given is None else weights * given
    overlap = (weights * sums.overlap).sum(1, keepdim=True)
    both = (weights * (sums.predicted + sums.true)).sum(1, keepdim=True)
    values = 1 - _ratio(2 * overlap + config.smooth, both + config.smooth)
    present = sums.present.any(1, keepdim=True)
    whole = Regions(overlap, both, both, sums.area.amax(1, keepdim=True), sums.images, sums.mean.mean(1, keepdim=True), present)
    return _counted(config, whole, values, None)


def _overlap_loss(
    config: OverlapConfig,
    predicted: Tensor,
    target: Tensor,
    weight: Tensor | None,
    *,
    fp_weight: float,
    fn_weight: float,
    smooth: float,
    gamma: float = 1.0,
) -> Part:
    batch = arranged(config, predicted, target, weight)
    sums = _regions(config, batch, semimetric=config.form == "semimetric")
    false = fp_weight * (sums.predicted - sums.overlap) + fn_weight * (sums.true - sums.overlap)
    values = 1 - _ratio(sums.overlap + smooth, sums.overlap + false + smooth)
    if gamma != 1:
        # Rounding may leave a perfect overlap just below 0, and a root has no slope at 0.
        values = values.clamp_min(torch.finfo(values.dtype).eps) ** gamma
    return _per_region(config, batch, sums, values)


def _regions(config: RegionConfig, batch: Scores, *, semimetric: bool = False, squared: bool = False) -> Regions:
    """The sums over each class's pixels, of each picture or of the batch."""
    probable = probabilities(config, batch)
    if batch.hard is not None:
        overlap, predicted, true, ones = label_sums(probable, batch.hard, batch.weights, squared=squared)
    else:
        overlap, predicted, true, ones = class_sums(probable, targets(batch), batch.weights, semimetric=semimetric, squared=squared)
    area, mean = _area(batch), ones
    if not config.per_image:
        overlap, predicted, true, area, mean = (values.sum(0, keepdim=True) for values in (overlap, predicted, true, area, mean))
    images = 1 if config.per_image else len(batch.scores)
    return Regions(overlap, predicted, true, area, images, mean / torch.where(area > 0, area, 1.0), true > 0)


def _area(batch: Scores) -> Tensor:
    """(B, C) number of pixels, weighted."""
    size, classes, pixels = batch.scores.shape
    if batch.weights is None:
        return batch.scores.new_full((size, classes), pixels)
    return batch.weights.sum(2).expand(size, classes)


def _per_region(config: RegionConfig, batch: Scores, sums: Regions, values: Tensor) -> Part:
    return _counted(config, sums, values, class_weights(config, batch))


def _counted(config: RegionConfig, sums: Regions, values: Tensor, weights: Tensor | None) -> Part:
    """Values of regions, with what a class without a true pixel costs and how much each counts."""
    counts = (sums.area > 0).to(values.dtype)
    if config.empty == "penalise":
        values = torch.where(sums.present, values, sums.mean)
    elif config.empty == "zero":
        values = torch.where(sums.present, values, 0.0)
    elif config.empty == "ignore":
        counts = counts * sums.present
    if weights is not None:
        counts = counts * weights
    return part(values, (counts * sums.images).expand(values.shape))


def _inverse_sizes(sums: Regions, weighting: str) -> Tensor:
    """Weights (B, C) of classes; a class without a pixel gets the largest of the others', 1 where there are none."""
    if weighting == "uniform":
        return torch.ones_like(sums.true)
    sizes = sums.true**2 if weighting == "square" else sums.true
    weights = torch.where(sums.present, 1 / torch.where(sums.present, sizes, 1.0), 0.0)
    largest = weights.amax(1, keepdim=True)
    return torch.where(sums.present, weights, torch.where(largest > 0, largest, 1.0))


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """A fraction; 0 / 0, nothing predicted of what is not there, is 1: there is no mistake."""
    return torch.where(below > 0, above / torch.where(below > 0, below, 1.0), 1.0)
