"""Measuring a network whose outputs are scores of classes, of pictures or of pixels, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from burnish.train.metering import mean_cost
from burnish.train.policies.losses import probabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from burnish.train.metering import Meter
    from burnish.train.policies.losses import Batch, ScoreLoss


@dataclass(slots=True, eq=False)
class ScoreMeasuring:
    """Loss and metrics of batches as the network sees them.

    Attributes:
        loss: What batches cost.
        meters: What else is measured, of probabilities (B, K, ...).
        given: Targets as metrics take them, of targets as the loss takes them.
        costs: Mean loss and pictures of each batch.
    """

    loss: ScoreLoss
    meters: tuple[Meter, ...]
    given: Callable[[Tensor], Tensor]
    costs: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def update(self, model: nn.Module, batch: Batch, rows: NDArray[np.int64]) -> None:
        """Add a batch."""
        scores = model(batch.pictures)
        self.costs.append((float(self.loss.of_scores(scores, batch.targets, boxed=batch.boxed).mean), len(rows)))
        found, given = probabilities(scores, self.loss.mode), self.given(batch.targets)
        for meter in self.meters:
            meter.update(found, given)

    def compute(self) -> dict[str, float]:
        """Loss and metrics of all batches, of all ranks."""
        return {"loss": mean_cost(self.costs), **{name: value for meter in self.meters for name, value in meter.compute().items()}}
