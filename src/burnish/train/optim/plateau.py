"""When a value has stood still for too long: what the learning rate and early stopping wait for."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long there was no gain; plain numbers, so that a checkpoint can hold it.

    Attributes:
        best: Lowest value so far.
        waited: Evaluations since then.
    """

    best: float = math.inf
    waited: int = 0


def after_value(waiting: Waiting, value: float, *, threshold: float) -> Waiting:
    """One evaluation later; a lower value is a gain from a share `threshold` of the best on, NaN never is."""
    bar = waiting.best - threshold * abs(waiting.best) if math.isfinite(waiting.best) else waiting.best
    return Waiting(value) if value < bar else Waiting(waiting.best, waiting.waited + 1)
