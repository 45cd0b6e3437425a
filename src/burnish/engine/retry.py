"""Try again what may fail for a moment."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_log = logging.getLogger("burnish")


def retried(
    action: Callable[[], T],
    *,
    on: type[Exception] | tuple[type[Exception], ...],
    tries: int = 4,
    wait_s: float = 0.5,
    longest_s: float = 30.0,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Do something, and do it again when it fails in an expected way; the waiting time doubles after each try.

    Args:
        action: What to do.
        on: The errors after which it is tried again; any other is raised at once.
        tries: How often in all.
        wait_s: Seconds before the second try.
        longest_s: The longest wait in seconds.
        sleep: How to wait.

    Raises:
        Exception: What the last try raised.
    """
    for attempt in range(1, tries):
        try:
            return action()
        except on as error:
            pause = min(wait_s * 2 ** (attempt - 1), longest_s)
            _log.warning("Try %d of %d failed (%s); the next follows in %.1f s.", attempt, tries, error, pause)
            sleep(pause)
    return action()
