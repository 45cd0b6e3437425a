"""Progress of long work, with the time left; a frontend decides how it looks."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO, TypeVar

from burnish.engine.timing import duration_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from contextlib import AbstractContextManager


T = TypeVar("T")


class Progress(Protocol):
    """Where long work reports to."""

    def task(self, label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """Begin a piece of work; the function it gives is called with the number of items done since the last call."""
        ...

    def say(self, text: str) -> None:
        """Tell one line."""
        ...


class Silent:
    """Progress that nobody wants to see."""

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        """Begin a piece of work and show nothing."""
        del label, total
        yield lambda _number: None

    def say(self, text: str) -> None:
        """Show nothing."""


class Lines:
    """Progress as plain lines, a new one every few seconds: for log files and pipes."""

    def __init__(self, stream: TextIO | None = None, every_s: float = 5.0) -> None:
        self.stream = stream or sys.stderr
        self.every_s = every_s

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        """Begin a piece of work; lines tell how far it is and how long it will take."""
        began = shown = time.monotonic()
        done = 0

        def advance(number: int) -> None:
            nonlocal done, shown
            done += number
            now = time.monotonic()
            if now - shown >= self.every_s:
                shown = now
                self.say(f"{label}: {_state(done, total, now - began)}")

        yield advance
        self.say(f"{label}: done in {duration_text(time.monotonic() - began)}")

    def say(self, text: str) -> None:
        """Write one line."""
        print(text, file=self.stream, flush=True)


silent: Progress = Silent()


def tracked(items: Iterable[T], progress: Progress, label: str, total: int | None = None) -> Iterator[T]:
    """Pass items through, counting each as done when the next is asked for."""
    with progress.task(label, total) as advance:
        for item in items:
            yield item
            advance(1)


def _state(done: int, total: int | None, elapsed_s: float) -> str:
    if not total:
        return f"{done:,} done"
    left = elapsed_s / max(done, 1) * (total - done)
    return f"{done:,} of {total:,} ({done / total:.0%}), about {duration_text(left)} left"
