"""Descriptions of what is found out before a training. No torch here, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from burnish.config import Config

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]


class LargestBatchConfig(Config):
    """How the largest batch is looked for."""

    margin: Share = 0.1
    """Share of the largest batch that fits which is left free: memory gets cut into pieces, and inputs vary."""
    multiple: Count = 8
    """The answer is rounded down to a multiple of this, where it is at least that large."""
    begin: Count = 2
    """The first size that is tried; batch normalisation cannot train on 1."""
    most: Count = 4096
    """The largest size that is tried; there is no use in more than the dataset has pictures."""
    steps: Count = 3
    """Training steps of each trial; the first makes the state of the optimiser, the next ones need it beside all else."""
    memory_mib: Positive | None = None
    """MiB that may be taken: of the process on a CPU, of torch on a GPU. None: all of a GPU; of a machine, 0.8 of what is free."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.begin > self.most:
            raise ValueError(f"begin is {self.begin}, more than most, {self.most}; expected at most that")
        return self


class RateRangeConfig(Config):
    """How learning rates are swept."""

    steps: Annotated[int, Field(ge=10)] = 100
    """Steps of the sweep; the rate grows by the same factor at each."""
    low: Positive = 1e-7
    """The rate to begin with."""
    high: Positive = 10.0
    """The rate to end with."""
    smoothing: Share = 0.9
    """Share of the running mean of losses that is kept at each step; its start from nothing is made up for."""
    divergence: Annotated[float, Field(gt=1)] = 2.0
    """The sweep ends where the smoothed loss is above its least by so many times what it began with, or is no number."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}; expected low below high")
        return self


class AdjustConfig(Config):
    """How the settings of an optimiser follow the number of samples of a step."""

    lr: Literal["auto", "linear", "sqrt", "none"] = "auto"
    """Learning rate: linear for SGD and its like, square root for optimisers that divide by a running mean of squares or take signs."""
    betas: Literal["sde", "half_life", "none"] = "sde"
    """Running means: sde keeps the path of training (1 - beta grows with the batch), half_life their memory in samples."""
    eps: bool = True
    """Divide eps by the root of the factor, as belongs to sde."""
    momentum: Literal["sde", "half_life", "none"] = "none"
    """Momentum of SGD and RMSprop; it is mostly left alone."""
    weight_decay: Literal["timescale", "none"] = "none"
    """timescale keeps rate x decay x steps of decay that stands apart from the gradient (AdamW) as they were."""
    beyond: Literal["refuse", "clamp"] = "refuse"
    """Where a rule is not valid any more: refuse, or take the last value that is and warn."""
