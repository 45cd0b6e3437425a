"""In which order handlers act: one place that says it, whatever the order they are given in."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from burnish.config import nearest
from burnish.descriptions import build, describe
from burnish.errors import ConfigError
from burnish.train.handlers.accumulation import Accumulation
from burnish.train.handlers.names import HANDLERS
from burnish.train.handlers.precision import Precision
from burnish.train.handlers.settings import AccumulationConfig, PrecisionConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from burnish.config import Config
    from burnish.train.run import Run

ORDER: Final = (
    "freezing",  # first it is settled what is trained at all
    "precision",  # then the forward pass; after the last backward pass gradients lose the scale of the loss,
    "accumulation",  # and become the mean over all batches of the step:
    "skipping",  # now they can be judged, before clipping hides what is wrong with them
    "clipping",  # what was not skipped is bounded; then the optimiser steps
    "averaging",  # the average follows the new weights
    "timing",
    "memory",
    "stopping",  # rules look at the evaluation
    "interrupts",  # signals after rules, so that a rule's reason is the one that is told
    "saving",  # last, so that a checkpoint holds what all others have come to
)
"""All handlers, in the order in which they act within each event."""

EVENTS: Final = ("began", "epoch_began", "step_began", "gradients_ready", "stepped", "evaluated", "epoch_ended", "step_ended", "ended")
"""What handlers are told, in the order of a training; `gradients_ready` may answer False to skip the step."""


@dataclass(frozen=True, slots=True, eq=False)
class Handlers:
    """Handlers in their order, and who listens to which event.

    Attributes:
        members: All, in order.
        accumulation: The one that there always is.
        precision: The one that there always is.
        listening: Of each event, the methods that are called.
    """

    members: tuple[Any, ...]
    accumulation: Accumulation
    precision: Precision
    listening: Mapping[str, tuple[Callable[[Run], Any], ...]]

    def tell(self, event: str, run: Run) -> None:
        """Call all who listen to an event."""
        for method in self.listening[event]:
            method(run)

    def named(self, name: str) -> Any:
        """The handler of a name, or None."""
        return next((member for member in self.members if member.name == name), None)

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold of them, by name."""
        return {member.name: member.state() for member in self.members if hasattr(member, "state")}

    def restore(self, states: Mapping[str, Any]) -> None:
        """Continue where states were taken; a handler that is new since then begins anew."""
        for member in self.members:
            if member.name in states and hasattr(member, "restore"):
                member.restore(states[member.name])


def build_handlers(given: Iterable[Config | Mapping[str, Any] | str] = (), more: Iterable[Any] = ()) -> Handlers:
    """Make handlers and put them in order.

    Args:
        given: Names, mappings with the key `name`, or descriptions.
        more: Objects of your own with a `name`, methods named as `EVENTS`, and maybe `after`, the handler that they follow; without it they
            come before `stopping`. What a checkpoint must hold of them is `state()` and `restore(state)`.

    Raises:
        ConfigError: A name or key is unknown, or two handlers have one name.
    """
    described = [describe(HANDLERS, one) for one in given]
    for needed in (AccumulationConfig, PrecisionConfig):
        if not any(isinstance(one, needed) for one in described):
            described.append(needed())
    return _bundle(_ordered([build(HANDLERS, one) for one in described], list(more)))


def fresh_handlers(handlers: Handlers, names: Collection[str], more: Iterable[Any] = ()) -> Handlers:
    """Copies of some handlers of a training that has not begun, for trials that must leave the originals as they are.

    Args:
        handlers: Those of the training.
        names: Which to copy; accumulation and precision are always among them.
        more: As in `build_handlers`.
    """
    wanted = {*names, Accumulation.name, Precision.name}
    return _bundle(_ordered([deepcopy(member) for member in handlers.members if member.name in wanted], list(more)))


def _bundle(members: list[Any]) -> Handlers:
    listening = {event: tuple(getattr(member, event) for member in members if hasattr(member, event)) for event in EVENTS}
    accumulation = next(member for member in members if isinstance(member, Accumulation))
    precision = next(member for member in members if isinstance(member, Precision))
    return Handlers(tuple(members), accumulation, precision, listening)


def _ordered(built: list[Any], more: list[Any]) -> list[Any]:
    twice = [name for name, number in Counter(member.name for member in (*built, *more)).items() if number > 1]
    if twice:
        raise ConfigError(f"There are two handlers '{twice[0]}'; give one, with all its settings.")
    ranked = {name: float(rank) for rank, name in enumerate(ORDER)}
    for number, member in enumerate(more, start=1):
        after = getattr(member, "after", "memory")
        if after not in ranked:
            raise ConfigError(f"The handler '{member.name}' follows '{after}', which is none. {nearest(after, ranked)}")
        ranked[member.name] = ranked[after] + number / (len(more) + 1)
    return sorted((*built, *more), key=lambda member: ranked[member.name])
