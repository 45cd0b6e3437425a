"""Rules that end a training. Each is asked after an evaluation and answers why to stop, or nothing."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from burnish.descriptions import build
from burnish.engine.timing import duration_text
from burnish.train.handlers.names import STOPPERS
from burnish.train.optim.plateau import Waiting, after_value
from burnish.train.target import parse_target, require_metrics, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.train.handlers.stopper_settings import (
        AllOfConfig,
        AnyOfConfig,
        GoalConfig,
        HopelessConfig,
        NotFiniteConfig,
        PatienceConfig,
        TimeLimitConfig,
    )
    from burnish.train.run import Run


class Stopper(Protocol):
    """A rule; those that remember something also have `state` and `restore`, and those that look at the clock `by_step = True`."""

    def met(self, run: Run) -> str:
        """Why to stop; empty to go on."""
        ...


class Patience:
    """No gain of the target for some evaluations."""

    def __init__(self, config: PatienceConfig) -> None:
        self._config = config
        self._waiting = Waiting()

    def met(self, run: Run) -> str:
        """Stop when waiting has taken too long; an equal second objective decides nothing here."""
        if run.score is None:
            return ""
        self._waiting = after_value(self._waiting, run.score.cost, threshold=self._config.threshold)
        if self._waiting.waited < self._config.evaluations:
            return ""
        return f"the target '{run.job.target}' has brought no gain in {self._waiting.waited} evaluations"

    def state(self) -> dict[str, Any]:
        """How long it has waited."""
        return asdict(self._waiting)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue to wait."""
        self._waiting = Waiting(**state)


class Goal:
    """Metrics have reached what was wanted."""

    def __init__(self, config: GoalConfig) -> None:
        self._text = config.when
        self._target = parse_target(f"max 0 with {config.when}")

    def met(self, run: Run) -> str:
        """Stop when the condition holds."""
        require_metrics(self._target, run.metrics)
        return f"the goal '{self._text}' is reached" if score(self._target, run.metrics).feasible else ""


class Hopeless:
    """Metrics are too bad after some evaluations."""

    def __init__(self, config: HopelessConfig) -> None:
        self._config = config
        self._target = parse_target(f"max 0 with {config.unless}")

    def met(self, run: Run) -> str:
        """Stop when the condition does not hold."""
        if run.evaluations < self._config.after:
            return ""
        require_metrics(self._target, run.metrics)
        return (
            ""
            if score(self._target, run.metrics).feasible
            else f"'{self._config.unless}' does not hold after {run.evaluations} evaluations"
        )


class TimeLimit:
    """Time is up."""

    by_step = True

    def __init__(self, config: TimeLimitConfig) -> None:
        self._limit = 60 * config.minutes
        self._began = time.monotonic()
        self._before = 0.0

    def met(self, _run: Run) -> str:
        """Stop when the time is used up."""
        return f"the time of {duration_text(self._limit)} is used up" if self._spent() >= self._limit else ""

    def state(self) -> dict[str, Any]:
        """Time used."""
        return {"seconds": self._spent()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Count the time of before."""
        self._before, self._began = state["seconds"], time.monotonic()

    def _spent(self) -> float:
        return self._before + time.monotonic() - self._began


class NotFinite:
    """A metric is infinite or no number."""

    def __init__(self, config: NotFiniteConfig) -> None:
        self._names = config.metrics

    def met(self, run: Run) -> str:
        """Stop when one is."""
        bad = [name for name in self._names or run.metrics if not math.isfinite(run.metrics.get(name, math.nan))]
        return f"the metric '{bad[0]}' is {run.metrics.get(bad[0], 'missing')}" if bad else ""


class AnyOf:
    """One of some stoppers says so; they are asked after evaluations."""

    def __init__(self, config: AnyOfConfig | AllOfConfig) -> None:
        self._members: list[Stopper] = [build(STOPPERS, rule) for rule in config.rules]

    def met(self, run: Run) -> str:
        """Stop with the first reason."""
        return next(filter(None, [member.met(run) for member in self._members]), "")

    def state(self) -> dict[str, Any]:
        """How far each is."""
        return stopper_states(self._members)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue with it."""
        restore_stoppers(self._members, state)


class AllOf:
    """All of some stoppers say so, at the same evaluation."""

    def __init__(self, config: AllOfConfig) -> None:
        self._members: list[Stopper] = [build(STOPPERS, rule) for rule in config.rules]

    def met(self, run: Run) -> str:
        """Stop with all reasons."""
        reasons = [member.met(run) for member in self._members]
        return ", and ".join(reasons) if all(reasons) else ""

    def state(self) -> dict[str, Any]:
        """How far each is."""
        return stopper_states(self._members)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue with it."""
        restore_stoppers(self._members, state)


def stopper_states(members: Sequence[Any]) -> dict[str, Any]:
    """What a checkpoint must hold of some rules, by their place."""
    return {f"{number} {type(member).__name__}": member.state() for number, member in enumerate(members) if hasattr(member, "state")}


def restore_stoppers(members: Sequence[Any], state: Mapping[str, Any]) -> None:
    """Continue with it; a rule that was not there begins anew."""
    for number, member in enumerate(members):
        own = state.get(f"{number} {type(member).__name__}")
        if own is not None:
            member.restore(own)
