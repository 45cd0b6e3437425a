"""Descriptions of handlers. No torch here, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from burnish.config import Config
from burnish.train.optim.settings import ParameterRule

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class AccumulationConfig(Config):
    """Several batches make one step, as one large batch would."""

    name: Literal["accumulation"] = "accumulation"
    """Which handler."""
    batches: Count = 1
    """Batches of one step; the last step of an epoch takes those that are left."""


class PrecisionConfig(Config):
    """In which numbers the forward pass computes."""

    name: Literal["precision"] = "precision"
    """Which handler."""
    mode: Literal["float32", "bf16", "fp16", "auto"] = "float32"
    """`bf16` needs no scaling; `fp16` scales the loss so that small gradients survive; `auto` takes bf16 on GPUs that have it."""
    scale: Positive = 65536.0
    """Scale of the loss to begin with (fp16)."""
    growth_steps: Count = 2000
    """Steps without an overflow before the scale doubles (fp16)."""


class SkippingConfig(Config):
    """Leave out steps that would do harm. Looking at the loss waits for the GPU at each step."""

    name: Literal["skipping"] = "skipping"
    """Which handler."""
    not_finite: bool = True
    """Skip where the loss or a gradient is infinite or no number."""
    outlier: Annotated[float, Field(gt=1)] | None = None
    """Skip where the loss is above the median of the last steps by so many times their median deviation from it."""
    window: Annotated[int, Field(ge=5)] = 100
    """Steps that the median is taken over; before it is a quarter full nothing is an outlier."""
    every: Annotated[int, Field(ge=2)] | None = None
    """Skip each how many-th step, whatever it is."""
    at_most: Count = 50
    """Steps skipped after one another, by their numbers or as outliers, before the training is given up."""


class ClippingConfig(Config):
    """Gradients are never longer, or larger, than this."""

    name: Literal["clipping"] = "clipping"
    """Which handler."""
    norm: Positive | None = 1.0
    """Longest gradient, over all parameters together."""
    value: Positive | None = None
    """Largest value in a gradient; before the norm."""
    kind: Annotated[float, Field(gt=0)] = 2.0
    """Which norm; inf is the largest value."""


class AveragingConfig(Config):
    """A running average of the weights, which evaluations and the best checkpoint use."""

    name: Literal["averaging"] = "averaging"
    """Which handler."""
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """Share of the average that is kept at each step."""
    warm: bool = True
    """Keep less at first: (1 + t) / (10 + t) at step t."""
    begin: Annotated[int, Field(ge=0)] = 0
    """Steps before the average begins; until then it is the weights themselves."""


class Stage(ParameterRule):
    """Parameters that are frozen for a while."""

    until: Positive
    """Epoch, also a fraction, up to which they are frozen."""


class FreezingConfig(Config):
    """Parameters that join later."""

    name: Literal["freezing"] = "freezing"
    """Which handler."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """Which, and until when. Their optimiser knows them from the beginning."""


class TimingConfig(Config):
    """How long a step takes, and how much of it is waiting for data."""

    name: Literal["timing"] = "timing"
    """Which handler."""


class MemoryConfig(Config):
    """How much memory is used at most."""

    name: Literal["memory"] = "memory"
    """Which handler."""


class StoppingConfig(Config):
    """When to stop before the last epoch."""

    name: Literal["stopping"] = "stopping"
    """Which handler."""
    rules: Annotated[tuple[str | dict[str, object], ...], Field(min_length=1)] = ("patience",)
    """Stoppers by name, or mappings with the key `name`; the first that is met ends the training."""


class InterruptsConfig(Config):
    """SIGTERM and Ctrl-C finish the step, save and stop; a second Ctrl-C stops at once."""

    name: Literal["interrupts"] = "interrupts"
    """Which handler."""
    ask: bool = False
    """On a terminal, ask after a Ctrl-C whether to go on, save and go on, or stop; without one there are no questions."""


class SavingConfig(Config):
    """Checkpoints: the last, and the best by the target."""

    name: Literal["saving"] = "saving"
    """Which handler."""
    every_steps: Count | None = None
    """Steps between checkpoints inside an epoch; one is written at each end of an epoch and at each stop in any case."""
    every_minutes: Positive | None = None
    """The same by the clock."""
    best: bool = True
    """Keep the weights of the best evaluation in best.pt."""

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        if self.every_steps and self.every_minutes:
            raise ValueError("checkpoints come by steps or by minutes; give one of every_steps and every_minutes")
        return self
