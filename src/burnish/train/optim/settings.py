"""Descriptions of optimisers and of the groups of their parameters. No torch here, so that a config file is checked at once."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from burnish.config import Config

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ParameterRule(Config):
    """Some parameters, and what is different with them. Exactly one of `glob`, `regex` and `type` chooses."""

    glob: str | None = None
    """Names of parameters, for instance encoder.*; * also stands for dots."""
    regex: str | None = None
    """An expression that is found anywhere in the name."""
    type: str | None = None
    """Class of the module that holds the parameter, or of one that it comes from, for instance BatchNorm2d."""
    lr: Rate | None = None
    """A learning rate of their own."""
    lr_scale: Positive = 1.0
    """Factor of the learning rate."""
    weight_decay: Decay | None = None
    """A weight decay of their own, which also biases, norms and embeddings among them get."""
    freeze: bool = False
    """Leave them as they are; normalisation among them stays in evaluation mode, so that its statistics stay too."""

    @field_validator("regex")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"this is no regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        given = [key for key in ("glob", "regex", "type") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"a rule is chosen by exactly one of glob, regex and type, and {' and '.join(given) or 'none'} is given")
        if self.lr is not None and self.lr_scale != 1:
            raise ValueError("a rule has lr or lr_scale, not both")
        return self


class ParametersConfig(Config):
    """Which parameters are trained, and how."""

    rules: tuple[ParameterRule, ...] = ()
    """Exceptions; the first that matches a parameter decides."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor of the learning rate from each layer to the one before it; 1 gives all the same."""
    no_decay: tuple[Literal["bias", "norm", "embedding"], ...] = ("bias", "norm", "embedding")
    """What gets no weight decay."""


class OptimizerConfig(Config):
    """What every optimiser has."""

    name: str
    """Which optimiser."""
    lr: Rate = 1e-3
    """Learning rate, before any schedule."""
    weight_decay: Decay = 0.0
    """Weight decay, as the optimiser applies it; biases, norms and embeddings get none unless `parameters` says so."""
    parameters: ParametersConfig = ParametersConfig()
    """Which parameters are trained, and in which groups."""
    options: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Further arguments of the optimiser's own constructor."""


class SgdConfig(OptimizerConfig):
    """Gradient descent with momentum: sgd, lars, madgrad, muon."""

    lr: Rate = 0.1
    """Learning rate, before any schedule."""
    momentum: Share = 0.9
    """Share of the last direction that is kept."""


class NesterovConfig(SgdConfig):
    """Gradient descent that can look ahead: sgd, lars, muon."""

    nesterov: bool = False
    """Take the gradient where momentum leads."""


class AdamConfig(OptimizerConfig):
    """Adam and its family with two running means."""

    betas: tuple[Share, Share] = (0.9, 0.999)
    """Share of the running mean of gradients, and of their squares, that is kept."""
    eps: Positive = 1e-8
    """Added below the bar."""


class AdamWConfig(AdamConfig):
    """Adam's family with decay of its own."""

    weight_decay: Decay = 0.01
    """Weight decay, apart from the gradient; biases, norms and embeddings get none unless `parameters` says so."""


class AdanConfig(OptimizerConfig):
    """Adan, with three running means."""

    betas: tuple[Share, Share, Share] = (0.98, 0.92, 0.99)
    """Share of each running mean that is kept."""
    eps: Positive = 1e-8
    """Added below the bar."""


class LionConfig(OptimizerConfig):
    """Lion, which takes the sign of its momentum."""

    lr: Rate = 1e-4
    """Learning rate; three to ten times below Adam's."""
    betas: tuple[Share, Share] = (0.9, 0.99)
    """Share of the momentum in the step, and of what is kept."""


class RmspropConfig(OptimizerConfig):
    """RMSprop."""

    alpha: Share = 0.99
    """Share of the running mean of squares that is kept."""
    momentum: Share = 0.0
    """Share of the last direction that is kept."""
    eps: Positive = 1e-8
    """Added below the bar."""


class FreeSgdConfig(SgdConfig):
    """Schedule-free gradient descent."""

    lr: Rate = 1.0
    """Learning rate; it needs no schedule, and about ten times that of plain SGD."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps over which the rate rises."""


class FreeAdamConfig(AdamConfig):
    """Schedule-free Adam."""

    lr: Rate = 2.5e-3
    """Learning rate; it needs no schedule."""


class FreeAdamWConfig(FreeAdamConfig):
    """Schedule-free AdamW."""

    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps over which the rate rises."""


class TimmConfig(OptimizerConfig):
    """Any optimiser of timm by its name there."""

    optimizer: str
    """The name that timm knows it by, for instance cadamw; `timm.optim.list_optimizers()` lists them."""
