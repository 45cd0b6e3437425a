"""How single settings follow the samples of a step: the formulas, with their limits.

The factor k is samples of the new step over samples of the old one; samples count over ranks and accumulated batches.

- learning rate: lr k for SGD (Goyal et al. 2017, arXiv 1706.02677), lr sqrt(k) for Adam and RMSprop (Malladi et al. 2022, arXiv 2205.10287)
- running means: 1 - k (1 - beta), as the stochastic differential equation of Malladi et al. asks, while k (1 - beta) < 1; or beta^k,
  which keeps the half-life in samples and is valid for every k
- eps / sqrt(k), as belongs to the former
- running average of weights: decay^k (Busbridge et al. 2023, arXiv 2307.13813)
- decoupled weight decay: lr x decay x steps stays what it was
"""

from __future__ import annotations

import math

from burnish.errors import ConfigError

_TOLERANCE = 1e-9


def batch_factor(old: int, new: int) -> float:
    """Samples of the new step over those of the old one.

    Raises:
        ConfigError: One of them is below 1.
    """
    if min(old, new) < 1:
        raise ConfigError(f"Steps of {old} and {new} samples; expected at least 1 each.")
    return new / old


def linear_rate(lr: float, factor: float) -> float:
    """Learning rate of SGD."""
    return lr * factor


def root_rate(lr: float, factor: float) -> float:
    """Learning rate of Adam and its like."""
    return lr * math.sqrt(factor)


def is_valid_sde(beta: float, factor: float) -> bool:
    """Whether the rule of the differential equation still has a running mean: k (1 - beta) < 1."""
    return factor * (1 - beta) < 1 - _TOLERANCE


def sde_mean(beta: float, factor: float) -> float:
    """1 - k (1 - beta); 0, no memory at all, is the last value where the rule is not valid any more. Ask `is_valid_sde` before."""
    return 1 - factor * (1 - beta) if is_valid_sde(beta, factor) else 0.0


def half_life_mean(beta: float, factor: float) -> float:
    """beta^k: the running mean forgets as much over the same number of samples."""
    return beta**factor


def scaled_eps(eps: float, factor: float) -> float:
    """What is added below the bar."""
    return eps / math.sqrt(factor)


def averaging_decay(decay: float, factor: float) -> float:
    """Decay of the running average of the weights, which follows each step of the optimiser."""
    return decay**factor


def timescale_decay(weight_decay: float, factor: float, rate_factor: float) -> float:
    """Decoupled weight decay: steps become fewer by k and the rate larger by its own factor, so decay is multiplied by k over that."""
    return weight_decay * factor / rate_factor
