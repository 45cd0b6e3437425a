"""Arithmetic over named numbers, read from a text without running any of it as Python."""

from __future__ import annotations

import ast
import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.config import nearest
from burnish.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_SIGNS: dict[type[ast.unaryop], Callable[[float], float]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "mean": lambda *values: math.fsum(values) / len(values),
    "abs": math.fabs,
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
}
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Expression:
    """Arithmetic over metrics.

    Attributes:
        text: As it was written; two of the same text are equal.
    """

    text: str


def parse_expression(text: str) -> Expression:
    """Check an expression: numbers, metrics (in quotes where their names hold more than letters, digits and _), + - * / **, functions.

    Raises:
        ConfigError: It holds anything else.
    """
    expression = Expression(text.strip())
    _check(_tree(expression), expression)
    return expression


def evaluate(expression: Expression, metrics: Mapping[str, float]) -> float:
    """Its value; NaN where it has none (a division by 0, the root of a negative number).

    Raises:
        DataError: A metric is missing; the message holds the nearest.
    """
    try:
        return float(_value(_tree(expression), metrics))
    except (ZeroDivisionError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        return math.nan


def names_in(expression: Expression) -> tuple[str, ...]:
    """The metrics that it asks for."""
    return tuple(dict.fromkeys(_names(_tree(expression))))


def _tree(expression: Expression) -> ast.expr:
    if len(expression.text) > _LONGEST:
        raise ConfigError(f"An expression has {len(expression.text):,} letters; expected at most {_LONGEST:,}.")
    try:
        return ast.parse(expression.text, mode="eval").body
    except SyntaxError as error:
        raise ConfigError(f"'{expression.text}' is no expression: {error.msg} at letter {error.offset}.") from error


def _check(node: ast.expr, expression: Expression) -> None:
    """Refuse whatever is no arithmetic."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left, expression)
            _check(right, expression)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
            _check(operand, expression)
        case ast.Call(func=ast.Name(id=name), args=[_, *_], keywords=[]) if name in _FUNCTIONS:
            for argument in node.args:
                _check(argument, expression)
        case ast.Call(func=ast.Name(id=name)):
            raise ConfigError(f"'{expression.text}' calls '{name}'. {nearest(name, _FUNCTIONS)}")
        case ast.Name() | ast.Constant(value=str()):
            pass
        case ast.Constant(value=int() | float()):
            pass
        case _:
            found = ast.get_source_segment(expression.text, node) or type(node).__name__
            raise ConfigError(f"'{expression.text}' holds '{found}'; expected metrics, numbers, + - * / ** and {', '.join(_FUNCTIONS)}.")


def _value(node: ast.expr, metrics: Mapping[str, float]) -> Any:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            value = _BINARY[type(op)](_value(left, metrics), _value(right, metrics))
            return math.nan if isinstance(value, complex) else value
        case ast.UnaryOp(op=op, operand=operand):
            return _SIGNS[type(op)](_value(operand, metrics))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(_value(argument, metrics) for argument in arguments))
        case ast.Name(id=name) | ast.Constant(value=str(name)):
            return _metric(name, metrics)
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case _:  # pragma: no cover - `parse_expression` lets nothing else through
            raise ConfigError(f"{ast.dump(node)} is no arithmetic.")


def _metric(name: str, metrics: Mapping[str, float]) -> float:
    if name not in metrics:
        raise DataError(f"There is no metric '{name}'. {nearest(name, metrics)}")
    return metrics[name]


def _names(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.BinOp(left=left, right=right):
            yield from _names(left)
            yield from _names(right)
        case ast.UnaryOp(operand=operand):
            yield from _names(operand)
        case ast.Call(args=arguments):
            for argument in arguments:
                yield from _names(argument)
        case ast.Name(id=name) | ast.Constant(value=str(name)):
            yield name
        case _:
            pass
