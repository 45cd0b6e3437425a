"""What a check is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from burnish.errors import extra
from burnish.train.finders.trials import sized_batch
from burnish.train.run import Measured, mean_loss

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

Status: TypeAlias = Literal["ok", "warning", "error", "not checked"]
LossCall: TypeAlias = "Callable[[Any, Any], Tensor | tuple[Tensor, float] | Measured]"
"""Gives the loss of what a network gave and its targets."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        name: Of the check.
        status: error: the training or its target will fail; warning: it may; not checked: something is missing for it.
        found: What was seen.
        advice: What to do; empty where nothing is.
    """

    name: str
    status: Status
    found: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.status}: {self.name}: {self.found}" + (f" {self.advice}" if self.advice else "")


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A batch to check with, on the device of the network.

    Attributes:
        inputs: (B, ...) what the network is called with, B at least 2.
        targets: What the loss is called with beside its output: tensors and lists with B rows, maybe in tuples and mappings.
    """

    inputs: Tensor
    targets: Any

    def sized(self, size: int) -> Example:
        """The same with another number of rows, repeated where there are too few."""
        return Example(sized_batch(self.inputs, size), sized_batch(self.targets, size))


class Check(Protocol):
    """Looks at one thing. It may change network and chance; `run_checks` brings them back."""

    def __call__(self, model: nn.Module, example: Example, loss: LossCall) -> Finding:
        """Look."""
        ...


def loss_of(model: nn.Module, example: Example, loss: LossCall) -> Tensor:
    """The mean loss of an example."""
    return mean_loss(loss(model(example.inputs), example.targets))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors of what a network gives, whatever they are packed in."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from tensors_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_in(one)


def told(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
