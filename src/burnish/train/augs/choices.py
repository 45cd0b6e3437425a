"""What was drawn for a sample, as plain numbers and texts that JSON can hold, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.random import Generator

Choice: TypeAlias = dict[str, Any]
"""What was drawn for one augmentation; its `name` says which. All lengths are shares of the picture, so that it fits any."""

_SEEDS = 2**32


def between(low: float, high: float, rng: Generator) -> float:
    """A number between two ends."""
    return float(rng.uniform(low, high))


def either_way(reach: float, rng: Generator) -> float:
    """A number from -reach to reach."""
    return between(-reach, reach, rng)


def ratio_between(low: float, high: float, rng: Generator) -> float:
    """A factor between two ends; the logarithm is what is even."""
    return float(low * (high / low) ** rng.random())


def seed(rng: Generator) -> int:
    """The seed of what is too much to write down, such as noise."""
    return int(rng.integers(_SEEDS))
