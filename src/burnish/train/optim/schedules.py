"""Descriptions of learning rate schedules. No torch here, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from burnish.config import Config
from burnish.descriptions import Alias, Entry, Kind

Fraction = Annotated[float, Field(ge=0, le=1)]
Epochs = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ScheduleConfig(Config):
    """What every schedule has: a warm-up before it."""

    warmup: Epochs = 0.0
    """Epochs, also a fraction of one, over which the rate rises."""
    warmup_shape: Literal["linear", "exponential", "constant"] = "linear"
    """How it rises: evenly; quickly at first; or not at all, and then by one jump."""
    warmup_from: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the rate with which the warm-up begins."""


class ConstantConfig(ScheduleConfig):
    """The same rate throughout."""

    name: Literal["constant"] = "constant"
    """Which schedule."""


class StepConfig(ScheduleConfig):
    """The rate falls by a factor after some epochs."""

    name: Literal["step"] = "step"
    """Which schedule."""
    every: Annotated[float, Field(gt=0)] | None = None
    """Epochs between falls; or else `at` tells them."""
    at: tuple[Epochs, ...] = ()
    """Epochs, also fractions, after which it falls."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """What the rate is multiplied with at each fall."""

    @model_validator(mode="after")
    def _has_steps(self) -> Self:
        if (self.every is None) == (not self.at):
            raise ValueError("a step schedule has either every or at; give one of them")
        return self


class CosineConfig(ScheduleConfig):
    """Half a cosine from the rate to its lowest value (Loshchilov and Hutter, "SGDR", 2017)."""

    name: Literal["cosine"] = "cosine"
    """Which schedule."""
    final: Fraction = 0.0
    """Share of the rate at the end."""
    cycles: Annotated[int, Field(ge=1)] = 1
    """How often it begins anew."""
    cycle_factor: Annotated[float, Field(gt=0, le=1)] = 1.0
    """What the height of each cycle is multiplied with."""


class PolyConfig(ScheduleConfig):
    """(1 - progress) to some power."""

    name: Literal["poly"] = "poly"
    """Which schedule."""
    power: Annotated[float, Field(gt=0)] = 0.9
    """The power; 1 is a straight line."""
    final: Fraction = 0.0
    """Share of the rate at the end."""


class OneCycleConfig(ScheduleConfig):
    """Up and down again (Smith and Topin, "Super-convergence", 2018), equal to torch's OneCycleLR."""

    name: Literal["one_cycle"] = "one_cycle"
    """Which schedule."""
    rise: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Share of the training in which the rate rises."""
    start: Annotated[float, Field(gt=0, le=1)] = 0.04
    """Share of the rate with which it begins."""
    final: Annotated[float, Field(ge=0, le=1)] = 4e-6
    """Share of the rate with which it ends."""
    shape: Literal["cosine", "linear"] = "cosine"
    """How it goes between."""
    momentum: tuple[Fraction, Fraction] | None = None
    """Lowest and highest momentum (or first beta), which goes the other way; None leaves it as it is."""


class StableConfig(ScheduleConfig):
    """The full rate, then a straight fall at the end (warm-up, stable, decay)."""

    name: Literal["stable"] = "stable"
    """Which schedule."""
    decay: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Share of the training in which it falls."""
    final: Fraction = 0.0
    """Share of the rate at the end."""


class PlateauConfig(ScheduleConfig):
    """The rate falls when evaluations bring no gain; counted in evaluations, of which an epoch may have several."""

    name: Literal["plateau"] = "plateau"
    """Which schedule."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """What the rate is multiplied with."""
    patience: Annotated[int, Field(ge=0)] = 5
    """Evaluations without a gain before it falls."""
    threshold: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    """A gain counts from this share of the best value on."""
    cooldown: Annotated[int, Field(ge=0)] = 0
    """Evaluations after a fall that are not held against it."""
    final: Fraction = 0.0
    """Share of the rate below which it never falls."""


_AT: Final = "burnish.train.optim."


def _entry(config: str, make: str, summary: str) -> Entry:
    return Entry(f"{_AT}schedules:{config}", f"{_AT}factors:{make}", summary)


SCHEDULES: Final = Kind(
    "schedule",
    {
        "constant": _entry("ConstantConfig", "constant", "The same rate throughout."),
        "step": _entry("StepConfig", "step", "Falls by a factor after some epochs."),
        "cosine": _entry("CosineConfig", "cosine", "Half a cosine, once or in cycles."),
        "poly": _entry("PolyConfig", "poly", "(1 - progress) to a power."),
        "one_cycle": _entry("OneCycleConfig", "one_cycle", "Up and down again, momentum the other way."),
        "stable": _entry("StableConfig", "stable", "The full rate, then a straight fall."),
        "plateau": _entry("PlateauConfig", "constant", "Falls when evaluations bring no gain."),
    },
    {
        "linear": Alias("poly", {"power": 1.0}),
        "wsd": Alias("stable"),
        "onecycle": Alias("one_cycle"),
        "multistep": Alias("step"),
        "reduce_on_plateau": Alias("plateau"),
    },
)
