"""Which servers are spoken to, and what is said to others."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from burnish.errors import ServiceError

OLDEST: Final = (2, 31)
"""From here on exports and imports are background requests at /api/requests, which is all that is spoken."""


def check_version(found: str, host: str) -> None:
    """Refuse servers that speak another language.

    Raises:
        ServiceError: The server is too old, or of another generation.
    """
    number = _numbers(found)
    if number is None:
        raise ServiceError(f"{host} says that it is version '{found}', which is no version of CVAT.")
    if number < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ServiceError(
            f"{host} is CVAT {found}; this needs {oldest} or newer (cvat-sdk {_client()} is installed). Update the server, or work with a "
            "backup of the task: burnish opens it as a file."
        )
    if number[0] != OLDEST[0]:
        raise ServiceError(f"{host} is CVAT {found}, a generation that is not known here (cvat-sdk {_client()}). Update burnish.")


def _numbers(text: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def _client() -> str:
    try:
        return version("cvat-sdk")
    except PackageNotFoundError:
        return "not"
