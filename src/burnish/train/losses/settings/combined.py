"""Description of several losses that are added."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from burnish.config import Config
from burnish.descriptions import Chosen
from burnish.train.losses.names import LOSSES
from burnish.train.losses.settings.shared import NotNegative, Share


class Ramp(Config):
    """A weight that changes while the training goes on."""

    start: NotNegative
    """The weight at first."""

    end: NotNegative
    """The weight at last."""

    begins: Share = 0.0
    """The share of the training after which it begins to change."""

    ends: Share = 1.0
    """The share of the training after which it stays."""

    shape: Literal["linear", "cosine"] = "linear"
    """linear, or slow at both ends."""

    @model_validator(mode="after")
    def _in_order(self) -> Ramp:
        if self.begins > self.ends:
            raise ValueError(f"begins {self.begins} is after ends {self.ends}")
        return self


class Member(Config):
    """One of the losses."""

    loss: Annotated[Config, Chosen(LOSSES)]
    """Its name, or its description."""

    weight: NotNegative | Ramp = 1.0
    """What its mean is multiplied with, or how that changes."""


class CombinedConfig(Config):
    """A weighted sum of losses, each of which is logged."""

    name: Literal["combined"] = "combined"
    """Which loss."""

    parts: Annotated[dict[str, Member], Field(min_length=1)]
    """The losses, by the name under which each is logged."""

    @model_validator(mode="after")
    def _names_free(self) -> CombinedConfig:
        if "loss" in self.parts:
            raise ValueError("a part is called 'loss', which is the name of the whole; call it by what it is")
        return self
