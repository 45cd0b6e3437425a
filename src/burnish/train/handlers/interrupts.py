"""SIGTERM and Ctrl-C: the step is finished, the checkpoint written, the training ends in order."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from types import FrameType

    from burnish.train.handlers.settings import InterruptsConfig
    from burnish.train.run import Run

Answer = Literal["continue", "save", "stop"]

_ANSWERS: Final[dict[str, Answer]] = {"": "continue", "c": "continue", "s": "save", "q": "stop"}
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupts:
    """Listens to signals while a training runs, and gives back what listened before.

    Attributes:
        received: The signal that came, or None.
    """

    name = "interrupts"

    def __init__(self, config: InterruptsConfig | None = None) -> None:
        self._asks = config is not None and config.ask
        self.received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def began(self, _run: Run) -> None:
        """Listen; only the main thread can."""
        self.received = None
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in _SIGNALS}

    def stepped(self, run: Run) -> None:
        """End the training after this step if a signal has come."""
        if self.received is signal.SIGINT and self._asks and is_answered():
            self._obey(run, asked())
        elif self.received is not None:
            run.interrupted = True
            run.end(f"{self.received.name} was received")

    def _obey(self, run: Run, answer: Answer) -> None:
        self.received = None
        run.saves = answer == "save"
        if answer == "stop":
            run.interrupted = True
            run.end("you stopped it")

    def ended(self, _run: Run) -> None:
        """Give back what listened before."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)


def is_answered() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def asked() -> Answer:
    """Ask what to do; a second Ctrl-C or the end of the input stops."""
    while True:
        sys.stderr.write("\nThe step is finished. [c]ontinue, [s]ave and continue, or [q]uit with a checkpoint? ")
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            return "stop"
        answer = _ANSWERS.get(line.strip().lower()[:1]) if line else "stop"
        if answer is not None:
            return answer
