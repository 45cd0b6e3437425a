"""Which handler answers which path and method, and who may ask."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from burnish.testing.cvat.answers import Answer
    from burnish.testing.cvat.calls import Call

    Handler = Callable[[Call], Answer]

_PLACES = {"{id}": r"(?P<id>\d+)", "{request}": r"(?P<request>.+)", "{file}": r"(?P<file>[^/]+)", "{uuid}": r"(?P<uuid>[0-9a-f-]+)"}


@dataclass(frozen=True, slots=True)
class Route:
    """A path with the handlers of its methods."""

    path: str
    """Below /api/, with {id}, {request}, {file} and {uuid} as places; a closing [/] allows a trailing slash."""
    handlers: Mapping[str, Handler]
    is_open: bool = False
    """Whether it answers without a login; such requests are counted and throttled."""

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the places, or None if this is another path."""
        found = re.fullmatch(self._pattern(), path)
        return found.groupdict() if found else None

    def _pattern(self) -> str:
        pattern = re.escape(self.path).replace(r"\[/\]", "/?").replace(r"\{", "{").replace(r"\}", "}")
        for place, expression in _PLACES.items():
            pattern = pattern.replace(place, expression)
        return "/api/" + pattern


def find(routes: Iterable[Route], path: str) -> tuple[Route, dict[str, str]] | None:
    """The first route that takes the path, with the values of its places."""
    for route in routes:
        if (values := route.match(path)) is not None:
            return route, values
    return None
