"""A schedule at work: it sets the rate of each group before each step, and learns of steps and evaluations."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from burnish.descriptions import describe, maker
from burnish.errors import ConfigError
from burnish.train.optim.factors import Clock, one_cycle_share, warmup_factor
from burnish.train.optim.plateau import Waiting, after_value
from burnish.train.optim.schedules import SCHEDULES, OneCycleConfig, PlateauConfig, ScheduleConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from burnish.config import Config


@dataclass(slots=True, eq=False)
class Scheduler:
    """The learning rates of an optimiser over a training.

    Attributes:
        config: What it was made of.
        optimizer: Whose groups it sets; each has its own rate, and all are multiplied with one factor.
        clock: How long the training is.
        factor: Closed form of the schedule.
        step: Steps done, skipped ones too: the schedule ends with the training whatever was skipped.
        level: What a plateau has reduced the rate to, as a share.
        waiting: How long evaluations brought no gain.
        resting: Evaluations that are not counted any more.
    """

    config: ScheduleConfig
    optimizer: torch.optim.Optimizer
    clock: Clock
    factor: Callable[[ScheduleConfig, int, Clock], float]
    step: int = 0
    level: float = 1.0
    waiting: Waiting = field(default_factory=Waiting)
    resting: int = 0

    def apply(self) -> float:
        """Set the rates of the coming step; gives the factor that they are multiplied with."""
        factor = self.level * warmup_factor(self.config, self.step, self.clock) * self.factor(self.config, self.step, self.clock)
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        if isinstance(self.config, OneCycleConfig) and self.config.momentum:
            self._cycle_momentum(self.config)
        return factor

    def after_step(self) -> None:
        """Learn that a step was done or skipped."""
        self.step += 1

    def after_evaluation(self, value: float) -> None:
        """Learn of an evaluation; only a plateau cares.

        Args:
            value: Of the target, the lower the better. During the warm-up a bad one is not held against the rate.
        """
        config = self.config
        if not isinstance(config, PlateauConfig):
            return
        waiting = after_value(self.waiting, value, threshold=config.threshold)
        warm = self.step < config.warmup * self.clock.steps_per_epoch
        if self.resting or warm:
            self.resting = max(self.resting - 1, 0)
            waiting = Waiting(waiting.best)
        if waiting.waited > config.patience:
            self.level = max(self.level * config.factor, config.final)
            self.resting = config.cooldown
            waiting = Waiting(waiting.best)
        self.waiting = waiting

    def state(self) -> dict[str, Any]:
        """How far it is, in plain numbers."""
        return {"step": self.step, "level": self.level, "waiting": asdict(self.waiting), "resting": self.resting}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a state was taken."""
        self.step, self.level, self.resting = state["step"], state["level"], state["resting"]
        self.waiting = Waiting(**state["waiting"])

    def _cycle_momentum(self, config: OneCycleConfig) -> None:
        low, high = config.momentum or (0.0, 0.0)
        share, _ = one_cycle_share(config, self.step, self.clock)
        momentum = high - (high - low) * share
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            elif "momentum" in group:
                group["momentum"] = momentum


def build_scheduler(given: Config | Mapping[str, Any] | str, optimizer: torch.optim.Optimizer, clock: Clock) -> Scheduler:
    """Make a schedule for an optimiser.

    Args:
        given: A name (`"cosine"`), a mapping with the key `name`, or a description.
        optimizer: Whose rates it sets; they stand for a factor of 1.
        clock: How long the training is.

    Raises:
        ConfigError: The name or a key is unknown, a value does not fit, or the warm-up is longer than the training.
    """
    config = describe(SCHEDULES, given)
    factor = maker(SCHEDULES, config)
    if not isinstance(config, ScheduleConfig):
        raise ConfigError(f"A {type(config).__name__} describes no schedule.")
    if config.warmup * clock.steps_per_epoch > clock.steps:
        epochs = clock.steps / clock.steps_per_epoch
        raise ConfigError(f"The warm-up of {config.warmup:g} epochs is longer than the training of {epochs:g}; shorten it.")
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return Scheduler(config, optimizer, clock, factor)
