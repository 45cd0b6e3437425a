"""SIGTERM and Ctrl-C: the step is finished, the checkpoint written, the training ends in order."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from burnish.train.run import Run

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupts:
    """Listens to signals while a training runs, and gives back what listened before.

    Attributes:
        received: The signal that came, or None.
    """

    name = "interrupts"

    def __init__(self, _config: object = None) -> None:
        self.received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def began(self, _run: Run) -> None:
        """Listen; only the main thread can."""
        self.received = None
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in _SIGNALS}

    def stepped(self, run: Run) -> None:
        """End the training after this step if a signal has come."""
        if self.received is not None:
            run.interrupted = True
            run.end(f"{self.received.name} was received")

    def ended(self, _run: Run) -> None:
        """Give back what listened before."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
