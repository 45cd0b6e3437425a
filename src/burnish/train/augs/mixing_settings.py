"""Descriptions of augmentations that take other samples in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.train.augs.geometric_settings import Share, Sometimes

Alpha = Annotated[float, Field(gt=0, le=100)]


class MosaicConfig(Sometimes):
    """Four samples about one point (Bochkovskiy et al., YOLOv4, 2020), each scaled in proportion to cover its part."""

    name: Literal["mosaic"] = "mosaic"
    """Which augmentation."""
    reach: Annotated[float, Field(ge=0, le=0.45)] = 0.25
    """How far the common point may lie from the middle, as a share of the sides."""


class MixupConfig(Sometimes):
    """Blend two samples (Zhang et al., 2018): labels and beliefs by their shares, boxes and their like of both."""

    name: Literal["mixup"] = "mixup"
    """Which augmentation."""
    alpha: Alpha = 0.2
    """The first sample's share is drawn from Beta(alpha, alpha)."""


class CutmixConfig(Sometimes):
    """Put a rectangle of another sample in (Yun et al., 2019): labels by area, all else with its pixels."""

    name: Literal["cutmix"] = "cutmix"
    """Which augmentation."""
    alpha: Alpha = 1.0
    """The share that is kept is drawn from Beta(alpha, alpha)."""


class CopyPasteConfig(Sometimes):
    """Paste instances of another sample over this one (Ghiasi et al., 2021). Both need instance masks."""

    name: Literal["copy_paste"] = "copy_paste"
    """Which augmentation."""
    instances: Annotated[int, Field(ge=1, le=1000)] = 5
    """Most instances that are pasted."""
    shift: Share = 0.3
    """Largest way from their place, as a share of the sides."""
    scale: Annotated[float, Field(ge=1, le=5)] = 1.5
    """Largest factor by which they grow or shrink."""
