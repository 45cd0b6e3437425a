"""How long steps take, and how much of it is waiting for data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from burnish.train.run import Run


class Timing:
    """Measures the time between steps; the loop adds what it waited for data.

    Attributes:
        waited: Seconds of waiting for data since it was last told.
    """

    name = "timing"

    def __init__(self, _config: object = None) -> None:
        self.waited = 0.0
        self._began = time.perf_counter()
        self._steps = 0

    def began(self, _run: Run) -> None:
        """Begin to measure."""
        self._restart()

    def stepped(self, run: Run) -> None:
        """Count a step, and tell the means when numbers are due."""
        self._steps += 1
        if run.step % run.job.log_every == 0:
            self._tell(run)

    def evaluated(self, _run: Run) -> None:
        """Leave evaluations out."""
        self._restart()

    def _tell(self, run: Run) -> None:
        spent = time.perf_counter() - self._began
        run.told["time/step_ms"] = 1e3 * spent / self._steps
        run.told["time/data_share"] = min(self.waited / spent, 1.0) if spent else 0.0
        self._restart()

    def _restart(self) -> None:
        self._began, self._steps, self.waited = time.perf_counter(), 0, 0.0
