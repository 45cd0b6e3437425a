"""Descriptions of the losses on probabilities."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.train.losses.settings.shared import Mode, NotNegative, PerClass, Positive, ScoresConfig, YesNo


class CrossEntropyConfig(ScoresConfig):
    """Cross-entropy: -log p of the true class; in binary and multilabel mode that of yes and no."""

    name: Literal["cross_entropy"] = "cross_entropy"
    """Which loss."""

    pos_weight: PerClass | None = None
    """How much more a yes counts than a no, one number or one a class; binary and multilabel."""


class BinaryCrossEntropyConfig(ScoresConfig):
    """Cross-entropy of yes and no."""

    name: Literal["binary_cross_entropy"] = "binary_cross_entropy"
    """Which loss."""

    mode: YesNo = "binary"  # pyright: ignore[reportIncompatibleVariableOverride] - frozen: it is only read
    """binary: one score; multilabel: each class yes or no."""

    pos_weight: PerClass | None = None
    """How much more a yes counts than a no, one number or one a class."""


class NllConfig(ScoresConfig):
    """Negative log-likelihood: the scores are log-probabilities already (`from_logits` is not asked)."""

    name: Literal["nll"] = "nll"
    """Which loss."""


class KlConfig(ScoresConfig):
    """Kullback-Leibler divergence of a soft target from the prediction; with a temperature, distillation."""

    name: Literal["kl"] = "kl"
    """Which loss."""

    temperature: Positive = 1.0
    """Logits of both sides are divided by it, and the loss is multiplied with its square (Hinton et al., 2015)."""

    target_logits: bool = False
    """The target is a teacher's logits; otherwise probabilities."""


class FocalConfig(ScoresConfig):
    """Focal loss: easy examples count less."""

    name: Literal["focal"] = "focal"
    """Which loss."""

    gamma: NotNegative = 2.0
    """How fast the weight of an example falls with its probability; 0 is cross-entropy."""

    alpha: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Weight of a yes, 1 - alpha that of a no; binary and multilabel. Weights of several classes are `class_weights`."""


class SoftMarginConfig(ScoresConfig):
    """Soft margin: log(1 + exp(-y x)) with y of -1 and 1, each class yes or no."""

    name: Literal["soft_margin"] = "soft_margin"
    """Which loss."""

    mode: Mode = "binary"
    """binary and multilabel; multiclass takes each class against the rest."""


class WeightedCrossEntropyConfig(ScoresConfig):
    """Binary cross-entropy where background pixels count less than those of objects; for masks that fill boxes."""

    name: Literal["weighted_cross_entropy"] = "weighted_cross_entropy"
    """Which loss."""

    mode: YesNo = "binary"  # pyright: ignore[reportIncompatibleVariableOverride] - frozen: it is only read
    """binary or multilabel."""

    background_weight: NotNegative = 0.1
    """Of a pixel outside."""

    object_weight: NotNegative = 1.0
    """Of a pixel inside."""


class BoxAwareConfig(ScoresConfig):
    """Binary cross-entropy where the border of a mask counts less, because a box's border is wrong in most places."""

    name: Literal["bbox_aware"] = "bbox_aware"
    """Which loss."""

    mode: YesNo = "binary"  # pyright: ignore[reportIncompatibleVariableOverride] - frozen: it is only read
    """binary or multilabel."""

    edge_weight: NotNegative = 0.1
    """Of a pixel on the border: dilated mask less eroded mask."""

    kernel: Annotated[int, Field(ge=3)] = 5
    """Side of the square that dilates and erodes, odd."""
