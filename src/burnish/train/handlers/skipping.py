"""Steps that would do harm are left out: the loss or a gradient is no number, the loss is far off, or its turn has come."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Any

from burnish.errors import ModelError
from burnish.train.distributed import world_size
from burnish.train.run import gradient_norm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.train.handlers.settings import SkippingConfig
    from burnish.train.run import Run

_TO_DEVIATION = 1.4826  # median deviation to standard deviation of a normal distribution


class Skipping:
    """Judges each step before it is done.

    Attributes:
        in_a_row: Steps skipped since the last one that was done.
        reasons: How often for which reason.
    """

    name = "skipping"

    def __init__(self, config: SkippingConfig) -> None:
        self._config = config
        self._losses: deque[float] = deque(maxlen=config.window)
        self.in_a_row = 0
        self.reasons: dict[str, int] = {}

    def gradients_ready(self, run: Run) -> bool:
        """Whether the step may be done.

        Raises:
            ModelError: Too many were skipped after one another.
        """
        loss, reason = self._judge(run)
        if world_size() > 1:
            reason = _agreed(reason)
        if not reason:
            self._losses.append(loss)
            self.in_a_row = 0
            return True
        self.in_a_row += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        run.told[f"skipped/{reason}"] = self.reasons[reason]
        if self.in_a_row >= self._config.at_most:
            rate = run.job.optimizer.param_groups[0]["lr"]
            message = f"{self.in_a_row} steps in a row were skipped by step {run.step + 1} (the last one: {reason}, loss {loss:g})"
            raise ModelError(f"{message}. Lower the learning rate (it is {rate:g}), lengthen the warm-up, or look at the data.")
        return False

    def state(self) -> dict[str, Any]:
        """The losses that the next ones are compared with."""
        return {"losses": list(self._losses), "in_a_row": self.in_a_row, "reasons": dict(self.reasons)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue with them."""
        self._losses.clear()
        self._losses.extend(state["losses"])
        self.in_a_row, self.reasons = state["in_a_row"], dict(state["reasons"])

    def _judge(self, run: Run) -> tuple[float, str]:
        config = self._config
        loss = math.nan if run.loss is None else float(run.loss)
        if config.every and (run.step + 1) % config.every == 0:
            return loss, "every"
        if config.not_finite and not math.isfinite(loss):
            return loss, "not finite"
        if config.outlier and self._is_outlier(loss, config.outlier):
            return loss, "outlier"
        if config.not_finite and not math.isfinite(float(gradient_norm(run))):
            return loss, "gradient not finite"
        return loss, ""

    def _is_outlier(self, loss: float, times: float) -> bool:
        if len(self._losses) < self._config.window // 4:
            return False
        middle = median(self._losses)
        spread = _TO_DEVIATION * median(abs(value - middle) for value in self._losses)
        return loss > middle + times * max(spread, 1e-3 * abs(middle))


def _agreed(reason: str) -> str:
    """All ranks skip where one does: gradients are already those of all."""
    from burnish.train.distributed import gathered  # noqa: PLC0415 - only with several ranks

    return next((found for found in gathered(reason) if found), "")
