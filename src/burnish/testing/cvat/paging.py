"""Lists: filtered, searched, sorted, and cut into pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from burnish.testing.cvat.answers import Answer, RefusalError, bad_request
from burnish.testing.cvat.filters import FilterError, matches, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from burnish.testing.cvat.calls import Call, Json

T = TypeVar("T")

_DEFAULT_SIZE: Final = 10
_LARGEST_SIZE: Final = 500


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """How a kind of objects is listed."""

    show: Callable[[Call, T], Json]
    terms: Mapping[str, Callable[[T], Any]]
    """What may be filtered by and sorted by: name to value."""
    plain: frozenset[str] = frozenset()
    """Which of the terms are query parameters of their own."""
    search: tuple[str, ...] = ()
    """Which terms `search` looks into."""
    order: str = "-id"
    """The order where none is asked for."""
    extra: Mapping[str, Callable[[T, str], bool]] = field(default_factory=dict)
    """Query parameters with a test of their own."""


def page(call: Call, objects: Sequence[T], listing: Listing[T]) -> Answer:
    """One page of the objects that the request asks for.

    Raises:
        RefusalError: 400 for a filter that cannot be used, 404 for a page past the end.
    """
    chosen = _sorted(call, _searched(call, _filtered(call, list(objects), listing), listing), listing)
    size, number = _size(call, len(chosen)), _number(call)
    start = (number - 1) * size
    if number < 1 or (start >= len(chosen) and number > 1):
        raise RefusalError(Answer(404, {"detail": "Invalid page."}))
    return Answer(
        json={
            "count": len(chosen),
            "next": _link(call, number + 1) if start + size < len(chosen) else None,
            "previous": _link(call, number - 1) if number > 1 else None,
            "results": [listing.show(call, each) for each in chosen[start : start + size]],
        }
    )


def _filtered(call: Call, objects: list[T], listing: Listing[T]) -> list[T]:
    for name, value in call.query:
        if name in listing.plain and value != "":
            term = listing.terms[name]
            objects = [each for each in objects if _as_text(term(each)) == value]
        elif name in listing.extra and value != "":
            test = listing.extra[name]
            objects = [each for each in objects if test(each, value)]
    if not (expression := call.one("filter")):
        return objects
    try:
        rule = parse(expression, listing.terms)
        return [each for each in objects if matches(rule, lambda name, each=each: listing.terms[name](each))]
    except FilterError as error:
        raise bad_request([f"filter: {error}"]) from error


def _searched(call: Call, objects: list[T], listing: Listing[T]) -> list[T]:
    words = call.one("search").lower().split()
    return [
        each
        for each in objects
        if all(any(word in _as_text(listing.terms[name](each)).lower() for name in listing.search) for word in words)
    ]


def _sorted(call: Call, objects: list[T], listing: Listing[T]) -> list[T]:
    keys = [key for key in call.one("sort").split(",") if key.lstrip("-") in listing.terms] or [listing.order]
    for key in reversed(keys):
        term = listing.terms[key.lstrip("-")]
        objects = sorted(objects, key=lambda each, term=term: _sort_key(term(each)), reverse=key.startswith("-"))
    return objects


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is None, value if value is not None else 0)


def _size(call: Call, count: int) -> int:
    asked = call.one("page_size")
    if asked == "all":
        return max(count, 1)
    # Zero, negative numbers and words give the default size, as in CVAT.
    number = int(asked) if asked.isdigit() else 0
    return min(number, _LARGEST_SIZE) or _DEFAULT_SIZE


def _number(call: Call) -> int:
    asked = call.one("page", "1")
    if not asked.isdigit():
        raise RefusalError(Answer(404, {"detail": "Invalid page."}))
    return int(asked)


def _link(call: Call, number: int) -> str:
    pairs = [(name, value) for name, value in call.query if name != "page"]
    if number > 1:
        pairs.append(("page", str(number)))
    query = urlencode(sorted(pairs))
    return f"{call.base}{call.path}" + (f"?{query}" if query else "")


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
