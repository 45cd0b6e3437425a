"""What a training is judged by: an expression over metrics, one after another, under constraints.

`max iou_dataset`, `min loss`, `max 0.5 * iou + 0.5 * f1`, `max iou_dataset with latency_ms <= 20 and recall_dataset >= 0.8`,
`max balanced_accuracy, min loss` (the second decides between equals). Checkpoints, stopping, schedules and searches ask the same target.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from burnish.errors import ConfigError, DataError
from burnish.train.expression import Expression, evaluate, names_in, parse_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONSTRAINT = re.compile(r"^(?P<left>.+?)(?P<sign><=|>=|<|>)(?P<right>.+)$")
LATEST = "max epoch"
"""The last weights, whatever they came to: beside metrics, targets know the epochs that are done."""
FEW = 10
"""On fewer pictures than this it is mostly chance which weights look best."""
_EXAMPLE = "expected for instance 'max iou', 'min loss' or 'max iou with latency_ms <= 20'"


@dataclass(frozen=True, slots=True)
class Objective:
    """One thing to make large or small.

    Attributes:
        mode: Which of both.
        expression: Of metrics.
    """

    mode: Literal["max", "min"]
    expression: Expression


@dataclass(frozen=True, slots=True)
class Constraint:
    """What must hold: left is below right.

    Attributes:
        left: An expression.
        right: Another.
        strict: Equality does not do.
    """

    left: Expression
    right: Expression
    strict: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What counts as better.

    Attributes:
        text: As it was written.
        objectives: The first decides, the next ones between equals.
        constraints: Whatever breaks one is worse than whatever breaks none.
    """

    text: str
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class Score:
    """How good metrics are; the greater score is the better one.

    Attributes:
        feasible: No constraint is broken.
        violation: How far they are broken, negative, relative to what they allow; 0 where they are not.
        values: The objectives, the sign turned where small is good; no number is the worst.
    """

    feasible: bool
    violation: float
    values: tuple[float, ...]

    @property
    def cost(self) -> float:
        """The first objective as something to be small, for schedules that wait for a gain; infinite where constraints are broken."""
        return -self.values[0] if self.feasible else math.inf


def parse_target(text: str) -> Target:
    """Read a target.

    Raises:
        ConfigError: It cannot be read; the message says where and what was expected.
    """
    head, _, tail = re.sub(r"\s+", " ", text.strip()).partition(" with ")
    objectives = tuple(_objective(part, text) for part in _split(head))
    constraints = tuple(_constraint(part, text) for part in re.split(r"\band\b", tail)) if tail else ()
    return Target(text, objectives, constraints)


def score(target: Target, metrics: Mapping[str, float]) -> Score:
    """How good metrics are.

    Raises:
        DataError: A metric of the target is not among them; the message holds the nearest.
    """
    values = tuple(_worth(objective, metrics) for objective in target.objectives)
    broken = [_violation(constraint, metrics) for constraint in target.constraints]
    return Score(not any(broken), -math.fsum(broken), values)


def metric_names(target: Target) -> tuple[str, ...]:
    """The metrics that a target asks for, each once."""
    expressions = [o.expression for o in target.objectives] + [e for c in target.constraints for e in (c.left, c.right)]
    return tuple(dict.fromkeys(name for expression in expressions for name in names_in(expression)))


def require_metrics(target: Target, metrics: Mapping[str, float]) -> None:
    """Make sure that metrics hold all that a target asks for.

    Raises:
        DataError: One is missing.
    """
    for name in metric_names(target):
        if name not in metrics:
            from burnish.config import nearest  # noqa: PLC0415 - only for the message

            raise DataError(f"The target '{target}' asks for the metric '{name}', which no evaluation gives. {nearest(name, metrics)}")


def _read(value: Any) -> Target:
    if isinstance(value, Target):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a target is a text; {_EXAMPLE}")  # noqa: TRY004 - pydantic turns a ValueError into a message
    return parse_target(value)


TargetText = Annotated[Target, PlainValidator(_read), PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string"})]
"""A target in settings: written as text."""


def _split(text: str) -> list[str]:
    """The objectives, cut at commas that stand outside of brackets."""
    depth, parts, begin = 0, list[str](), 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


def _objective(part: str, text: str) -> Objective:
    mode, _, expression = part.strip().removeprefix("then ").partition(" ")
    if mode not in {"max", "min"} or not expression.strip():
        raise ConfigError(f"The target '{text}' has the part '{part.strip()}' without max or min and a metric; {_EXAMPLE}.")
    return Objective("max" if mode == "max" else "min", parse_expression(expression))


def _constraint(part: str, text: str) -> Constraint:
    found = _CONSTRAINT.match(part.strip())
    if found is None:
        raise ConfigError(f"The target '{text}' has the constraint '{part.strip()}' without <=, >=, < or >; {_EXAMPLE}.")
    left, right = parse_expression(found["left"]), parse_expression(found["right"])
    below = found["sign"].startswith("<")
    return Constraint(left if below else right, right if below else left, strict="=" not in found["sign"])


def _worth(objective: Objective, metrics: Mapping[str, float]) -> float:
    value = evaluate(objective.expression, metrics)
    return -math.inf if math.isnan(value) else value if objective.mode == "max" else -value


def _violation(constraint: Constraint, metrics: Mapping[str, float]) -> float:
    """0 where it holds, else by how much it does not, relative to the larger side; never 0 then."""
    left, right = evaluate(constraint.left, metrics), evaluate(constraint.right, metrics)
    if left < right or (left == right and not constraint.strict):
        return 0.0
    gap = (left - right) / max(abs(left), abs(right), 1e-12)
    return max(gap, 1e-12) if math.isfinite(gap) else math.inf
