"""The libraries of others that writers need: imported when a writer is built, and told how to install where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from burnish.errors import MissingExtra


def library(module: str, command: str) -> Any:
    """A module of a library.

    Args:
        module: Its name.
        command: What installs it.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{error.name} is not installed, and this writer needs it. Install it with: {command}") from error
