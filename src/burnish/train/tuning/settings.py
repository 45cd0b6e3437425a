"""The settings of the verb `tune`. No torch here, so that a config file is checked at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from burnish.config import Config
from burnish.train.policies.settings import TrainConfig

Count = Annotated[int, Field(ge=1)]
Number = Annotated[int | float, Field(allow_inf_nan=False)]


class RangeConfig(Config):
    """Numbers from low to high, both among them; whole numbers where low, high and step are."""

    low: Number
    """The least."""
    high: Number
    """The greatest."""
    log: bool = False
    """Whether each power of ten gets as much attention: for learning rates and their like."""
    step: Annotated[int | float, Field(gt=0)] | None = None
    """Distance of the numbers that are tried; any number in between when not given."""

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step) if value is not None)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}; expected low below high")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs a low above 0, and no step")
        return self

    def values(self) -> list[Any] | None:
        """All values, where they can be counted."""
        step = self.step or (1 if self.is_whole and not self.log else None)
        if step is None:
            return None
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        return [self.low + number * step for number in range(count)]


class ChoicesConfig(Config):
    """One of several values, of any kind: also names or whole descriptions of losses, networks, optimisers ..."""

    choices: Annotated[tuple[Any, ...], Field(min_length=1)]
    """The values."""

    def values(self) -> list[Any] | None:
        """All of them."""
        return list(self.choices)


class TuneConfig(Config):
    """Search the settings of a training: many trainings, each judged by its target, the next ones chosen by the former."""

    trials: Count = 20
    """Trainings, with those of earlier calls on the same folder."""
    space: Mapping[str, RangeConfig | ChoicesConfig] = Field(default_factory=dict[str, RangeConfig | ChoicesConfig])
    """What is varied: settings of the training, with dots (optimizer.lr), and their ranges: {low, high, log}, {low, high, step} or
    {choices: [...]}."""
    minutes: Annotated[float, Field(gt=0)] | None = None
    """No training begins later than this; those under way are finished."""
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    """How settings are chosen: by a model of what was good so far (TPE), at random, or every combination once in a random order."""
    pruner: Literal["median", "halving", "none"] = "median"
    """Which trainings are cut short: those below the median of the others at the same evaluation; all but the best third again and
    again (ASHA); or none."""
    startup: Count = 5
    """Trainings that are finished before one is measured against the median of the others."""
    parallel: Count = 1
    """Trainings at a time, each in a process of its own where there are several."""
    workers_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of this machine's cores that each training takes, for loading and computing; an equal share when not given."""
    engine: Literal["local", "ray"] = "local"
    """local: this machine, with Optuna; ray: Ray Tune, on one machine or many."""
    address: str | None = None
    """Address of a Ray cluster; when not given, one is started on this machine for the search."""
    training: TrainConfig = TrainConfig()
    """The training, as burnish train takes it; the space changes some of its settings."""
    seed: int = 0
    """Of the search; the same seed tries the same settings where one training runs at a time and results are the same."""

    @property
    def dataset(self) -> str | None:
        """The training's."""
        return self.training.dataset

    @property
    def named_files(self) -> tuple[str, ...]:
        """Those of the training."""
        return self.training.named_files
