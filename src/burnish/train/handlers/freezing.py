"""Parameters that join a training later: a new head learns first, then the network behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import ConfigError
from burnish.train.optim.parameters import begin_training, chosen, parameter_places

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.handlers.settings import FreezingConfig
    from burnish.train.run import Run


class Freezing:
    """Holds parameters until their time comes."""

    name = "freezing"

    def __init__(self, config: FreezingConfig) -> None:
        self._config = config
        self._held: list[tuple[Tensor, float]] = []
        self._frozen: set[int] = set()

    def began(self, run: Run) -> None:
        """Find the parameters, and freeze those whose time has not come.

        Raises:
            ConfigError: A stage matches nothing, or parameters that the optimiser does not know.
        """
        places = tuple(parameter_places(run.job.model))
        known = {id(parameter) for group in run.job.optimizer.param_groups for parameter in group["params"]}
        until: dict[int, tuple[Tensor, float]] = {}
        for stage in self._config.stages:
            for place in chosen(places, stage):
                if id(place.parameter) not in known:
                    raise ConfigError(
                        f"'{place.name}' is to join at epoch {stage.until:g}, but the optimiser does not know it: a rule freezes it."
                    )
                until.setdefault(id(place.parameter), (place.parameter, stage.until))
        self._held = list(until.values())
        self._apply(run)

    def step_began(self, run: Run) -> None:
        """Free those whose time has come."""
        if self._frozen:
            self._apply(run)

    def _apply(self, run: Run) -> None:
        before = set(self._frozen)
        for parameter, until in self._held:
            free = run.position >= until
            parameter.requires_grad_(free)
            (self._frozen.discard if free else self._frozen.add)(id(parameter))
        if before != self._frozen:
            begin_training(run.job.model)
