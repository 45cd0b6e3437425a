"""What a task is: which outputs a network needs, how batches are made, what they cost, and how good predictions are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from burnish.config import Config
    from burnish.data.labels import Labels
    from burnish.train.loaders.placement import Place
    from burnish.train.loaders.shared import Targets
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.settings import Task
    from burnish.train.run import Measured
    from burnish.train.samples import Sample


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is chosen where the user chooses nothing.

    Attributes:
        network: Description of a network.
        loss: Description of a loss; None where the network has its own.
        metrics: Metrics, by name or description.
        target: What the best weights are chosen by.
        size: Height and width of pictures.
        fit: How pictures are brought to it.
        mirror_points: Pairs of key points that change places in a mirror, by numbers from 0.
        preset: Task whose augmentations suit, where it is another one.
    """

    network: Mapping[str, Any]
    loss: Mapping[str, Any] | None
    metrics: Sequence[Mapping[str, Any]]
    target: str
    size: tuple[int, int]
    fit: Literal["stretch", "letterbox", "crop"] = "stretch"
    mirror_points: tuple[tuple[int, int], ...] = ()
    preset: Task | None = None


class Measuring(Protocol):
    """Measures a network batch by batch."""

    def update(self, model: nn.Module, batch: Any, rows: NDArray[np.int64]) -> None:
        """Add a batch of samples that nothing was changed of."""
        ...

    def compute(self) -> dict[str, float]:
        """The numbers of all batches."""
        ...


class Policy(Protocol):
    """One task on one dataset."""

    @property
    def examples(self) -> Examples:
        """What is learnt from: pictures, or parts of them."""
        ...

    @property
    def pictures(self) -> Examples:
        """The whole pictures, as judges look at them."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """What the outputs are called."""
        ...

    @property
    def details(self) -> Mapping[str, Any]:
        """What a reader of the weights must know besides."""
        ...

    @property
    def outputs(self) -> int:
        """Outputs that the network needs."""
        ...

    @property
    def defaults(self) -> Defaults:
        """What is chosen where the user chooses nothing."""
        ...

    @property
    def targets(self) -> Targets:
        """What is computed once for each picture and kept beside it."""
        ...

    def annotated(self, sample: Sample, row: int, place: Place) -> Sample:
        """A sample with what is not kept beside the picture: classes, boxes, points, where the picture lies now."""
        ...

    def collate(self, samples: Sequence[Sample]) -> Any:
        """A batch, on the CPU."""
        ...

    def completed(self, description: Config | None) -> Config | None:
        """The description of a loss, with what the task knows filled in."""
        ...

    def loss(self, description: Config | None) -> Loss:
        """What a batch costs."""
        ...

    def measuring(self, metrics: Sequence[Config], loss: Loss) -> Measuring:
        """Measures from the beginning."""
        ...

    def given(self, sample: Sample) -> Labels:
        """The targets of a sample as annotations."""
        ...

    def predictions(self, model: nn.Module, batch: Any) -> list[Labels]:
        """What the network says of each picture of a batch, in pixels of what it was shown."""
        ...


class Loss(Protocol):
    """What a batch costs, by a network."""

    def __call__(self, model: nn.Module, batch: Any, *, progress: float = 1.0) -> Measured:
        """Measure a batch; `progress` is the share of the training that is done."""
        ...


def policy_of(examples: Examples, network: Config | None = None) -> Policy:
    """The policy of what examples are for; a network that is known by now may decide what batches must hold."""
    from importlib import import_module  # noqa: PLC0415 - the task decides what is loaded

    module = import_module(f"burnish.train.policies.{examples.task}")
    return module.policy(examples, network)
