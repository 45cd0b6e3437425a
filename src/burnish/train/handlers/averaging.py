"""A running average of the weights (EMA), which is evaluated and kept in place of the weights themselves.

average <- d * average + (1 - d) * weights after each step that was done, with d = min(decay, (1 + t) / (10 + t)) at the t-th of them. Until
it begins, the average is the weights, so that an evaluation never sees weights that were never trained. Buffers with fractions (statistics
of normalisation) are averaged too, others copied.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from burnish.errors import extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from torch import Tensor, nn

    from burnish.train.handlers.settings import AveragingConfig
    from burnish.train.run import Run


class Averaging:
    """Keeps the average.

    Attributes:
        updates: Steps that it followed.
    """

    name = "averaging"

    def __init__(self, config: AveragingConfig) -> None:
        self._config = config
        self._average: dict[str, Tensor] = {}
        self._live: list[Tensor] = []
        self._means: list[Tensor] = []
        self._others: list[tuple[Tensor, Tensor]] = []
        self.updates = 0

    def began(self, run: Run) -> None:
        """Begin with the weights as they are."""
        live = _tensors(run.job.model)
        self._average = {name: tensor.clone() for name, tensor in live.items()}
        self.updates = 0
        floating = [name for name, tensor in live.items() if tensor.is_floating_point()]
        self._live = [live[name] for name in floating]
        self._means = [self._average[name] for name in floating]
        self._others = [(self._average[name], tensor) for name, tensor in live.items() if not tensor.is_floating_point()]

    def stepped(self, run: Run) -> None:
        """Follow the weights."""
        taken = run.step - run.skipped
        if taken <= self.updates:  # this step was skipped
            return
        self.updates = taken
        past = taken - self._config.begin
        decay = min(self._config.decay, (1 + past) / (10 + past)) if self._config.warm else self._config.decay
        torch._foreach_lerp_(self._means, self._live, 1.0 if past <= 0 else 1 - decay)  # pyright: ignore[reportPrivateUsage] - one call for all tensors, as torch's own code does
        for mean, live in self._others:
            mean.copy_(live)

    @contextmanager
    def swapped(self, model: nn.Module) -> Generator[None]:
        """Give the network the average for a while."""
        live = {name: tensor.clone() for name, tensor in _tensors(model).items()}
        _put(model, self._average)
        try:
            yield
        finally:
            _put(model, live)

    def state(self) -> dict[str, Any]:
        """The average."""
        return {"average": self._average, "updates": self.updates}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue with it."""
        for name, tensor in self._average.items():
            tensor.copy_(state["average"][name])
        self.updates = state["updates"]


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach() for name, tensor in model.state_dict().items()}


def _put(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(values[name])
