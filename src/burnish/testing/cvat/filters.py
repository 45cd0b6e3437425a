"""The JSON filter of lists: `{"and": [{"==": [{"var": "mode"}, "annotation"]}, ...]}`."""

from __future__ import annotations

import json
import operator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Container


class FilterError(ValueError):
    """A filter that cannot be read or asks for what is not there."""


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, many: value in many,
}


def parse(expression: str, known: Container[str]) -> Any:
    """Read a filter and check that all of its terms are known.

    Raises:
        FilterError: It is not JSON, or names an unknown term.
    """
    try:
        rule = json.loads(expression)
    except json.JSONDecodeError as error:
        message = f"can't parse filter expression: {error}"
        raise FilterError(message) from error
    _check(rule, known)
    return rule


def matches(rule: Any, value: Callable[[str], Any]) -> bool:
    """Whether an object passes; `value` gives its terms.

    Raises:
        FilterError: The rule has an operator that CVAT does not have.
    """
    if not rule:
        return True
    (name, arguments), *_ = rule.items()
    if name == "and":
        return all(matches(each, value) for each in arguments)
    if name == "or":
        return any(matches(each, value) for each in arguments)
    if name in {"!", "not"}:
        return not matches(arguments[0] if isinstance(arguments, list) else arguments, value)
    if name == "!!":
        return value(_variable(arguments)) is not None
    return _compared(name, [_operand(each, value) for each in arguments])


def _compared(name: str, operands: list[Any]) -> bool:
    if any(each is None for each in operands) and name not in {"==", "!=", "in"}:
        return False
    if name in {"<", "<="} and len(operands) > 2:  # noqa: PLR2004 - a <= b <= c
        return all(_COMPARISONS[name](left, right) for left, right in pairwise(operands))
    if name == "in" and isinstance(operands[1], str):
        return str(operands[0]).lower() in operands[1].lower()
    if name not in _COMPARISONS:
        message = f"{name} operation is not supported"
        raise FilterError(message)
    return _COMPARISONS[name](operands[0], operands[1])


def _operand(found: Any, value: Callable[[str], Any]) -> Any:
    return value(found["var"]) if isinstance(found, dict) else found


def _variable(arguments: Any) -> str:
    found = arguments[0] if isinstance(arguments, list) else arguments
    return str(found["var"])


def _check(rule: Any, known: Container[str]) -> None:
    if isinstance(rule, dict):
        if "var" in rule and rule["var"] not in known:
            message = f"term '{rule['var']}' is not supported"
            raise FilterError(message)
        for part in rule.values():
            _check(part, known)
    elif isinstance(rule, list):
        for part in rule:
            _check(part, known)
