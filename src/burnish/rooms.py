"""Rooms that bear the name of their main verb, and can be called like it."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallableRoom(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        verb = self.__name__.rpartition(".")[2]
        return getattr(import_module(f"{self.__name__}.{verb}"), verb)(*args, **kwargs)


def callable_room(name: str) -> None:
    """Let `burnish.audit(dataset)` work also when the package `burnish.audit` is loaded, which hides the function of that name."""
    sys.modules[name].__class__ = _CallableRoom
