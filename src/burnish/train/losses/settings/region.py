"""Descriptions of the losses on overlaps of regions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.train.losses.settings.shared import NotNegative, OverlapConfig, Positive, RegionConfig, ScoresConfig


class DiceConfig(OverlapConfig):
    """Dice, the same as F1: 1 - 2 sum(pg) / (sum p + sum g)."""

    name: Literal["dice"] = "dice"
    """Which loss."""


class JaccardConfig(OverlapConfig):
    """Jaccard, the same as IoU: 1 - sum(pg) / (sum p + sum g - sum(pg))."""

    name: Literal["jaccard"] = "jaccard"
    """Which loss."""


class TverskyConfig(OverlapConfig):
    """Tversky: 1 - TP / (TP + fp_weight FP + fn_weight FN), to a power."""

    name: Literal["tversky"] = "tversky"
    """Which loss."""

    fp_weight: NotNegative = 0.5
    """What a false positive weighs; above fn_weight it favours precision."""

    fn_weight: NotNegative = 0.5
    """What a false negative weighs; above fp_weight it favours recall."""

    gamma: Positive = 1.0
    """The power of focal Tversky, (1 - index)^gamma; its paper writes 1/gamma, from 1/3 to 1."""


class GeneralisedDiceConfig(RegionConfig):
    """Generalised Dice: one fraction over all classes, each weighted by its inverse size."""

    name: Literal["gdice"] = "gdice"
    """Which loss."""

    weighting: Literal["square", "simple", "uniform"] = "square"
    """square: 1 / size^2; simple: 1 / size; uniform: 1. A class without a pixel gets the largest weight of the others."""


class SquaredDiceConfig(RegionConfig):
    """Dice with squares below the bar: 1 - 2 sum(pg) / (sum p^2 + sum g^2)."""

    name: Literal["sq_dice"] = "sq_dice"
    """Which loss."""


class SquaredJaccardConfig(RegionConfig):
    """Jaccard with squares below the bar: 1 - sum(pg) / (sum p^2 + sum g^2 - sum(pg))."""

    name: Literal["sq_jaccard"] = "sq_jaccard"
    """Which loss."""


class LovaszConfig(ScoresConfig):
    """Lovasz: the tight convex extension of the Jaccard loss; softmax over several classes, hinge on logits for yes and no."""

    name: Literal["lovasz"] = "lovasz"
    """Which loss."""

    per_image: bool = False
    """Measure each picture and take the mean; otherwise the batch counts as one large picture."""

    classes: Literal["present", "all"] = "present"
    """Which classes count: those with a true pixel, or all."""

    label_smoothing: Annotated[float, Field(ge=0, le=0)] = 0.0
    """None: sorting needs hard targets."""
