"""The handler of the verb train that tells how each part of a loss goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.train.losses.loss import Result
from burnish.train.meters import LossMeter

if TYPE_CHECKING:
    from burnish.train.run import Measured, Run


class LossParts:
    """Means of the parts of a loss over the training batches since they were last told; a loss of one part has none."""

    name = "loss_parts"
    after = "memory"

    def __init__(self) -> None:
        self._meter = LossMeter()

    def kept(self, found: Measured) -> Measured:
        """Remember what a batch cost, and give it on."""
        if isinstance(found, Result) and len(found.parts) > 1:
            self._meter.update(found)
        return found

    def stepped(self, run: Run) -> None:
        """Tell the writer where the loss itself is told."""
        if run.step % run.job.log_every and run.batch != run.job.batches_per_epoch:
            return
        means = self._meter.compute()
        run.told |= {f"train/loss/{name}": value for name, value in means.items() if name != "loss"}
        self._meter.reset()
