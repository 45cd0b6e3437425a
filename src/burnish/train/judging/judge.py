"""What a judge of predictions is: it is shown pictures batch by batch, and tells numbers of all of them, of each, and of each class."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol

from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from burnish.train.judging.bootstrap import Statistics
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import EvaluateConfig
    from burnish.train.target import Target
    from burnish.train.trained import Trained

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """What was taken for what.

    Attributes:
        counts: (R, C) of what was given against what was predicted.
        given: R names.
        predicted: C names.
        unit: What is counted: pictures, pixels, boxes or points.
        pictures: Of each cell (given, predicted), rows of the pictures that have the most of it, most first.
    """

    counts: NDArray[np.int64]
    given: tuple[str, ...]
    predicted: tuple[str, ...]
    unit: str
    pictures: Mapping[tuple[int, int], Sequence[int]] = field(default_factory=dict[tuple[int, int], "Sequence[int]"])


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The way of one class, or key point, over all thresholds.

    Attributes:
        kind: pr: precision over recall; roc: true over false positive rate; pck: right key points over the distance that is allowed.
        name: Of the class or point.
        points: (T, 3) threshold, across, up, from the highest threshold down.
    """

    kind: Literal["pr", "roc", "pck"]
    name: str
    points: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What a judge came to.

    Attributes:
        metrics: Of all pictures together, the main one first.
        pictures: One row a picture: `row` in the examples, its numbers, `given` and `predicted` where that can be said in words.
        score: The column of `pictures` that ranks them; high is good.
        classes: One row a class, or a point; the first column says which.
        sweep: Numbers at each threshold, class by class as the first column says; empty where no threshold decides. `best` marks the
            target's.
        curves: Of each class.
        confusion: What was taken for what, where one class excludes the others.
        reliability: (bins, 3) number, sum of confidences, number of right ones; None where there is none.
        notes: What the reader should know, one sentence each.
    """

    metrics: Mapping[str, float]
    pictures: pl.DataFrame
    score: str
    classes: pl.DataFrame
    sweep: pl.DataFrame
    curves: tuple[Curve, ...] = ()
    confusion: Confusion | None = None
    reliability: Floats | None = None
    notes: tuple[str, ...] = ()


class Judge(Protocol):
    """Compares one network's predictions with the labels of examples."""

    def add(self, rows: Sequence[int], pictures: Sequence[NDArray[np.uint8]]) -> None:
        """Predict and compare pictures (h, w, 3) uint8 in their own sizes; `rows` are their places in the examples."""
        ...

    def statistics(self) -> Statistics:
        """Gives the main metrics with every picture counted so many times, (N,), in the order in which they were added."""
        ...

    def figures(self, target: Target | None) -> Figures:
        """All numbers of what was added; the target chooses the best threshold where it can."""
        ...


def judge_of(trained: Trained, policy: Policy, config: EvaluateConfig) -> Judge:
    """The judge of a network's task.

    Raises:
        ConfigError: The task has none.
    """
    try:
        module = import_module(f"burnish.train.judging.{trained.task}")
    except ModuleNotFoundError as error:
        raise ConfigError(f"Networks for {trained.task} cannot be evaluated yet; their training measures them (metrics.jsonl).") from error
    return module.judge(trained, policy, config)
