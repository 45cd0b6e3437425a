"""The training ends before its last epoch when a stopper says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.descriptions import build
from burnish.train.handlers.names import STOPPERS
from burnish.train.handlers.stoppers import restore_stoppers, stopper_states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.train.handlers.settings import StoppingConfig
    from burnish.train.handlers.stoppers import Stopper
    from burnish.train.run import Run


class Stopping:
    """Asks stoppers, after evaluations and, those that want it, after steps."""

    name = "stopping"

    def __init__(self, config: StoppingConfig) -> None:
        self._stoppers: list[Stopper] = [build(STOPPERS, rule) for rule in config.rules]

    def evaluated(self, run: Run) -> None:
        """Ask all."""
        for stopper in self._stoppers:
            reason = stopper.met(run)
            if reason:
                run.end(reason)

    def stepped(self, run: Run) -> None:
        """Ask those that look at the clock."""
        for stopper in self._stoppers:
            reason = stopper.met(run) if getattr(stopper, "by_step", False) else ""
            if reason:
                run.end(reason)

    def state(self) -> dict[str, Any]:
        """How far each is."""
        return stopper_states(self._stoppers)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue with it."""
        restore_stoppers(self._stoppers, state)
