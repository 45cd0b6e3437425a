"""The learning rate: a warm-up of fractional epochs, then reduction when the loss stands still; a frozen state and plain functions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from burnish.train.optim.plateau import Waiting, after_value

if TYPE_CHECKING:
    from burnish.train.settings import TrainingConfig

_STEEPNESS = 5.0
_SMALLEST_GAIN = 1e-4


@dataclass(frozen=True, slots=True)
class Schedule:
    """How far the schedule is; plain numbers, so that a checkpoint can hold it.

    Attributes:
        rate: Learning rate after the warm-up, reduced so far.
        step: Training steps done.
        best_loss: Lowest loss that an evaluation gave.
        waited: Evaluations since then.
    """

    rate: float
    step: int = 0
    best_loss: float = math.inf
    waited: int = 0


def begin(training: TrainingConfig) -> Schedule:
    """The schedule before the first step."""
    return Schedule(rate=training.lr)


def learning_rate(schedule: Schedule, training: TrainingConfig, steps_per_epoch: int) -> float:
    """The learning rate of the next step.

    During the warm-up of W steps it rises as 1 - exp(-5 t / W), scaled to end at 1: the exponential warm-up of Ma and Yarats, "On the
    adequacy of untuned warmup for adaptive optimization" (2021), made finite.
    """
    steps = training.warmup * steps_per_epoch
    done = schedule.step + 1
    if done >= steps:
        return schedule.rate
    return schedule.rate * math.expm1(-_STEEPNESS * done / steps) / math.expm1(-_STEEPNESS)


def after_step(schedule: Schedule) -> Schedule:
    """The schedule one training step later."""
    return replace(schedule, step=schedule.step + 1)


def after_evaluation(schedule: Schedule, loss: float, training: TrainingConfig, steps_per_epoch: int) -> Schedule:
    """The schedule after an evaluation: patience counts, and the rate is reduced when it ends.

    Equal to torch's ReduceLROnPlateau in its standard setting (a gain counts from one part in 10,000), except that evaluations during
    the warm-up are not held against it.
    """
    waiting = after_value(Waiting(schedule.best_loss, schedule.waited), loss, threshold=_SMALLEST_GAIN)
    warm = schedule.step < training.warmup * steps_per_epoch
    if waiting.waited and warm:
        return schedule
    if waiting.waited <= training.patience:
        return replace(schedule, best_loss=waiting.best, waited=waiting.waited)
    return replace(schedule, rate=max(schedule.rate * training.factor, training.min_lr), waited=0)
