"""Descriptions of stoppers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.config import Config

Members = Annotated[tuple[str | dict[str, object], ...], Field(min_length=1)]
Condition = Annotated[str, Field(min_length=1)]


class PatienceConfig(Config):
    """Stop when the target has brought no gain for a while."""

    name: Literal["patience"] = "patience"
    """Which stopper."""
    evaluations: Annotated[int, Field(ge=1)] = 10
    """Evaluations without a gain."""
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """A gain counts from this share of the best value on."""


class GoalConfig(Config):
    """Stop when metrics are good enough."""

    name: Literal["goal"] = "goal"
    """Which stopper."""
    when: Condition
    """What must hold, for instance iou_dataset >= 0.9 and latency_ms <= 20."""


class HopelessConfig(Config):
    """Stop when metrics are too bad after a while."""

    name: Literal["hopeless"] = "hopeless"
    """Which stopper."""
    unless: Condition
    """What must hold, for instance iou_dataset >= 0.2."""
    after: Annotated[int, Field(ge=1)] = 1
    """Evaluations before it is asked."""


class TimeLimitConfig(Config):
    """Stop when time is up; time before an interruption counts."""

    name: Literal["time_limit"] = "time_limit"
    """Which stopper."""
    minutes: Annotated[float, Field(gt=0)]
    """How long the training may take."""


class NotFiniteConfig(Config):
    """Stop when an evaluation gives something that is no number."""

    name: Literal["not_finite"] = "not_finite"
    """Which stopper."""
    metrics: tuple[str, ...] = ()
    """Which metrics are looked at; none named are all."""


class AllOfConfig(Config):
    """Stop when all of some stoppers say so."""

    name: Literal["all_of"] = "all_of"
    """Which stopper."""
    rules: Members
    """Stoppers."""


class AnyOfConfig(Config):
    """Stop when one of some stoppers says so."""

    name: Literal["any_of"] = "any_of"
    """Which stopper."""
    rules: Members
    """Stoppers."""
