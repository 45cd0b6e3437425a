"""Checkpoints: `last.pt` holds a training with all that continues it, `best.pt` the weights of the best evaluation.

Each is written whole or not at all. What last.pt holds of chance (torch, Python, NumPy) and of the place inside an epoch makes a continued
training equal to one that was never stopped.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from burnish.engine.files import refuse_impossible_folder
from burnish.train.checkpoint import save_checkpoint
from burnish.train.distributed import is_first
from burnish.train.resuming import run_state

if TYPE_CHECKING:
    from burnish.train.handlers.settings import SavingConfig
    from burnish.train.run import Run

LAST, BEST = "last.pt", "best.pt"


class Saving:
    """Writes checkpoints into the folder of the job; without a folder it writes none."""

    name = "saving"

    def __init__(self, config: SavingConfig) -> None:
        self._config = config
        self._saved = time.monotonic()

    def began(self, run: Run) -> None:
        """Make sure that checkpoints can be written, before hours are spent.

        Raises:
            DataError: The folder cannot be made or written.
        """
        self._saved = time.monotonic()
        if run.job.folder is not None:
            refuse_impossible_folder(run.job.folder)

    def evaluated(self, run: Run) -> None:
        """Keep the best weights; the network holds those that were evaluated."""
        if run.job.folder is None or not run.improved or not self._config.best or not is_first() or run.score is None:
            return
        content = {
            "fingerprint": run.job.fingerprint,
            "model": run.job.model.state_dict(),
            "step": run.step,
            "epoch": run.position,
            "metrics": run.metrics,
            "target": str(run.job.target),
            "score": asdict(run.score),
        }
        save_checkpoint(run.job.folder / BEST, content)

    def step_ended(self, run: Run) -> None:
        """Write the last state when it is time: at ends of epochs, at stops, and every so often."""
        if run.job.folder is None or not (run.batch == 0 or run.stop or run.saves or self._due(run)) or not is_first():
            return
        save_checkpoint(run.job.folder / LAST, run_state(run))
        self._saved, run.saves = time.monotonic(), False

    def _due(self, run: Run) -> bool:
        if self._config.every_steps:
            return run.step % self._config.every_steps == 0
        return self._config.every_minutes is not None and time.monotonic() - self._saved >= 60 * self._config.every_minutes
