"""The libraries of others that writers need: imported when a writer is built, and told how to install where they are missing."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any

from burnish.errors import MissingExtra

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import TextIO


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


def said_elsewhere() -> AbstractContextManager[TextIO]:
    """What is printed goes to standard error: some libraries greet on standard output, which belongs to the result (`--json`)."""
    return redirect_stdout(sys.stderr)
