"""Which metrics the settings of a training ask its evaluations for, and where they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.config import nearest
from burnish.descriptions import describe
from burnish.errors import ConfigError
from burnish.train.handlers.names import STOPPERS
from burnish.train.target import metric_names, parse_target

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from burnish.train.policies.settings import TrainConfig

_KNOWN_TO_TARGETS = ("epoch",)
"""What a target knows beside metrics."""


def asked_metrics(plan: TrainConfig) -> frozenset[str]:
    """All metrics that the target and the stopping rules of a training look at.

    Raises:
        ConfigError: One of them cannot be read.
    """
    return frozenset(name for _, names in _asking(plan) for name in names)


def refuse_unknown_metrics(plan: TrainConfig, given: Collection[str]) -> None:
    """Make sure that evaluations give whatever the target and the stopping rules ask for.

    Args:
        plan: Settings without gaps.
        given: The metrics that an evaluation gives.

    Raises:
        ConfigError: One is missing; the message says who asks for it, which is nearest and which there are.
    """
    for place, names in _asking(plan):
        for name in names:
            if name in given or (place == "evaluation.target" and name in _KNOWN_TO_TARGETS):
                continue
            told = f"{place} asks for the metric '{name}', which no evaluation of this training gives. {nearest(name, given)}"
            everything = f" There are {', '.join(sorted(given))}."
            raise ConfigError(told + ("" if "Known" in told else everything))


def _asking(plan: TrainConfig) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Who asks, and for which metrics."""
    if plan.evaluation.target is not None:
        yield "evaluation.target", metric_names(parse_target(plan.evaluation.target))
    for handler in plan.handlers:
        yield from _of_rules(getattr(handler, "rules", ()))


def _of_rules(rules: Iterable[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for rule in rules:
        described: Any = describe(STOPPERS, rule)
        place = f"The stopping rule '{described.name}'"
        condition: str = getattr(described, "when", "") or getattr(described, "unless", "")
        if condition:
            yield place, metric_names(parse_target(f"max 0 with {condition}"))
        yield place, getattr(described, "metrics", ())
        yield from _of_rules(getattr(described, "rules", ()))
