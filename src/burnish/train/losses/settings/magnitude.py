"""Descriptions of the losses on differences of numbers."""

from __future__ import annotations

from typing import Literal

from burnish.config import Config
from burnish.train.losses.settings.shared import Positive


class DifferenceConfig(Config):
    """The difference of two arrays of one shape."""

    ignore_value: float | None = None
    """Targets of this value do not count; NaN targets never do."""


class L1Config(DifferenceConfig):
    """Absolute difference, |d|; also called MAE."""

    name: Literal["l1"] = "l1"
    """Which loss."""


class MseConfig(DifferenceConfig):
    """Squared difference, d^2."""

    name: Literal["mse"] = "mse"
    """Which loss."""


class HuberConfig(DifferenceConfig):
    """Half of d^2 up to delta, then delta (|d| - delta / 2)."""

    name: Literal["huber"] = "huber"
    """Which loss."""

    delta: Positive = 1.0
    """Where the parabola becomes a line."""


class SmoothL1Config(DifferenceConfig):
    """Huber divided by delta (called beta here), so that the line has the slope 1."""

    name: Literal["smooth_l1"] = "smooth_l1"
    """Which loss."""

    beta: Positive = 1.0
    """Where the parabola becomes a line."""


class LogCoshConfig(DifferenceConfig):
    """log cosh d: half of d^2 near 0, |d| - log 2 far away, smooth everywhere."""

    name: Literal["log_cosh"] = "log_cosh"
    """Which loss."""
