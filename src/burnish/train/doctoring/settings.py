"""The settings of the verb `doctor`. No torch here, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from burnish.train.policies.settings import TrainConfig


class DoctorConfig(TrainConfig):
    """Check a training before hours are spent on it; without a dataset, only what is installed and the machine.

    Takes the config file of burnish train as it is. Nothing is trained, and nothing is left changed.
    """

    needs_dataset: ClassVar[bool] = False

    batch: bool = False
    """Also look for the largest batch that fits into memory."""
    rate: bool = False
    """Also sweep the learning rate and suggest one."""
    statistics: bool = True
    """Read all training pictures for their colours, and for the frequencies and weights of classes."""
    without: tuple[str, ...] = ()
    """Checks of the network that are left out, by their names in the result; for instance 'ONNX export' and 'int8', which take longest."""
    fewest: Annotated[int, Field(ge=1)] = 10
    """A class on fewer training pictures is told."""
