"""Descriptions of the losses on key points."""

from __future__ import annotations

from typing import Literal

from burnish.config import Config
from burnish.train.losses.settings.shared import NotNegative, Positive


class HeatmapMseConfig(Config):
    """Squared difference of heatmaps (B, K, H, W)."""

    name: Literal["heatmap_mse"] = "heatmap_mse"
    """Which loss."""


class OksConfig(Config):
    """1 - object keypoint similarity of points (N, K, 2) with true ones (N, K, 3)."""

    name: Literal["oks"] = "oks"
    """Which loss."""

    sigmas: tuple[Positive, ...] | None = None
    """How exactly each point can be placed, as a share of the object's size; None takes those of COCO's person for 17 points, else 0.05."""


class WingConfig(Config):
    """Wing: logarithmic near 0, so that small errors go on counting, |d| far away."""

    name: Literal["wing"] = "wing"
    """Which loss."""

    omega: Positive = 10.0
    """Up to here the error counts logarithmically."""

    epsilon: Positive = 2.0
    """How curved the logarithm is."""


class AdaptiveWingConfig(Config):
    """Adaptive wing on heatmaps (B, K, H, W) from 0 to 1: sharp at the peaks, mild on the background."""

    name: Literal["adaptive_wing"] = "adaptive_wing"
    """Which loss."""

    omega: Positive = 14.0
    """Size of the logarithmic part."""

    theta: Positive = 0.5
    """Where it becomes a line."""

    epsilon: Positive = 1.0
    """How curved the logarithm is."""

    alpha: Positive = 2.1
    """The power at the background; at a peak it is one less."""

    foreground_weight: NotNegative = 10.0
    """Pixels near a point count 1 + this: the dilated target above 0.2, as in the paper; 0 counts all alike."""
