"""Progress on the terminal: bars with the time left; plain lines where standard error is a file or pipe."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from burnish.engine.progress import Lines, Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.progress import Progress as Bars


def terminal_progress(*, quiet: bool = False) -> Progress:
    """The progress that suits where standard error goes."""
    if quiet:
        return Silent()
    return _Terminal() if sys.stderr.isatty() else Lines(sys.stderr)


class _Terminal:
    """Nested work shows as bars under one another; a finished one leaves a line with its time."""

    def __init__(self) -> None:
        self._bars: Bars | None = None

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        outer = self._bars
        bars = outer or _new_bars()
        if outer is None:
            self._bars = bars
            bars.start()
        task = bars.add_task(label, total=total)
        try:
            yield lambda number: bars.advance(task, number)
        finally:
            if outer is None:
                bars.stop()
                self._bars = None
            else:
                bars.remove_task(task)

    def say(self, text: str) -> None:
        (self._bars or _new_bars()).console.print(text, highlight=False)


def _new_bars() -> Bars:
    from rich.console import Console  # noqa: PLC0415 - loaded only when something is shown
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as RichProgress  # noqa: PLC0415

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
