"""Time measurement: how long a block took, and durations as people read them."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_SECONDS_A_MINUTE = 60
_SECONDS_AN_HOUR = 3600


@dataclass(slots=True)
class Stopwatch:
    """Seconds spent in named parts of some work, added up over repeats."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def part(self, name: str) -> Generator[None]:
        """Add the time of the block to one part, also when the block fails."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def __str__(self) -> str:
        return ", ".join(f"{name} {duration_text(spent)}" for name, spent in self.seconds.items())


@contextmanager
def timed(label: str, logger: logging.Logger | None = None) -> Generator[None]:
    """Log how long a block took, at level INFO."""
    began = time.perf_counter()
    try:
        yield
    finally:
        (logger or logging.getLogger("burnish")).info("%s took %s", label, duration_text(time.perf_counter() - began))


def duration_text(seconds: float) -> str:
    """A duration as text: 0.42 s, 12 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if round(seconds) < _SECONDS_A_MINUTE:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < _SECONDS_AN_HOUR:
        return f"{whole // _SECONDS_A_MINUTE} min {whole % _SECONDS_A_MINUTE:02d} s"
    return f"{whole // _SECONDS_AN_HOUR} h {whole % _SECONDS_AN_HOUR // _SECONDS_A_MINUTE:02d} min"
