"""The settings of a training: the seed's keys, in force as they stand. No torch here, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from burnish.config import Config


class TrainingConfig(Config):
    """How each network is trained."""

    epochs: Annotated[int, Field(ge=1)] = 15
    """Passes over the training part."""

    batch_size: Annotated[int, Field(ge=2)] = 32
    """Pictures in one step; at least two, because batch normalisation needs them."""

    num_workers: Annotated[int, Field(ge=0)] = 8
    """Threads that prepare batches ahead, all on one copy of the pictures; never more than there are cores; 0 prepares none ahead."""

    patience: Annotated[int, Field(ge=0)] = 2
    """Epochs without a lower loss on the inner validation part before the learning rate is reduced."""

    warmup: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Epochs, also a fraction of one, over which the learning rate rises to `lr`; 0 starts with it."""

    lr: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3e-4
    """Learning rate of Adam after the warm-up."""

    min_lr: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 5e-6
    """The learning rate is never reduced below this."""

    factor: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """The learning rate is multiplied with this when patience ends."""

    weighted_sampler: bool = True
    """Draw pictures so that every class is seen equally often."""

    @model_validator(mode="after")
    def _lowest_rate_is_lowest(self) -> TrainingConfig:
        if self.min_lr > self.lr:
            raise ValueError(f"min_lr {self.min_lr} is above lr {self.lr}; expected it to be lower")
        return self
