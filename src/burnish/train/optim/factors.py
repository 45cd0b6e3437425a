"""What a schedule multiplies the learning rate with: closed forms of how far the training is, so that any step can be asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from burnish.train.optim.schedules import (
        CosineConfig,
        OneCycleConfig,
        PolyConfig,
        ScheduleConfig,
        StableConfig,
        StepConfig,
    )

_STEEPNESS = 5.0


@dataclass(frozen=True, slots=True)
class Clock:
    """How long a training is.

    Attributes:
        steps: Steps in all.
        steps_per_epoch: Steps of one epoch.
    """

    steps: int
    steps_per_epoch: float


def warmup_factor(config: ScheduleConfig, step: int, clock: Clock) -> float:
    """Share of the rate that the warm-up grants to a step (from 0); 1 after it.

    The exponential shape is 1 - exp(-5 t / W), scaled to end at 1 (Ma and Yarats, "On the adequacy of untuned warmup for adaptive
    optimization", 2021, made finite).
    """
    steps = config.warmup * clock.steps_per_epoch
    done = step + 1
    if done >= steps:
        return 1.0
    if config.warmup_shape == "constant":
        return config.warmup_from
    share = done / steps if config.warmup_shape == "linear" else math.expm1(-_STEEPNESS * done / steps) / math.expm1(-_STEEPNESS)
    return config.warmup_from + (1 - config.warmup_from) * share


def constant(_config: ScheduleConfig, _step: int, _clock: Clock) -> float:
    """1, always."""
    return 1.0


def step(config: StepConfig, step: int, clock: Clock) -> float:
    """`factor` to the number of falls so far."""
    epoch = step / clock.steps_per_epoch
    falls = math.floor(epoch / config.every + 1e-9) if config.every else sum(epoch >= at - 1e-9 for at in config.at)
    return config.factor**falls


def cosine(config: CosineConfig, step: int, clock: Clock) -> float:
    """Half a cosine of the progress within a cycle."""
    progress = _progress(config, step, clock) * config.cycles
    cycle = min(math.floor(progress), config.cycles - 1)
    height = config.cycle_factor**cycle
    return config.final + (height - config.final) * (1 + math.cos(math.pi * (progress - cycle))) / 2


def poly(config: PolyConfig, step: int, clock: Clock) -> float:
    """(1 - progress) to a power."""
    return config.final + (1 - config.final) * (1 - _progress(config, step, clock)) ** config.power


def stable(config: StableConfig, step: int, clock: Clock) -> float:
    """1, then a straight line."""
    left = (1 - _progress(config, step, clock)) / config.decay
    return config.final + (1 - config.final) * min(left, 1.0)


def one_cycle(config: OneCycleConfig, step: int, clock: Clock) -> float:
    """From `start` up to 1 and down to `final`."""
    share, rising = one_cycle_share(config, step, clock)
    low = config.start if rising else config.final
    return low + (1 - low) * share


def one_cycle_share(config: OneCycleConfig, step: int, clock: Clock) -> tuple[float, bool]:
    """How high in its cycle a step is, 0 to 1, and whether it still rises."""
    last = max(clock.steps - 1, 1)
    top = min(max(config.rise * clock.steps - 1, 0.0), last)
    at = min(step, last)
    rising = at <= top
    share = (at / top if top else 1.0) if rising else 1 - (at - top) / (last - top)
    return ((1 - math.cos(math.pi * share)) / 2 if config.shape == "cosine" else share), rising


def _progress(config: ScheduleConfig, step: int, clock: Clock) -> float:
    """How far the part after the warm-up is, 0 to 1."""
    warm = config.warmup * clock.steps_per_epoch
    return min(max((step - warm) / max(clock.steps - warm, 1.0), 0.0), 1.0)
