"""Batches of objects with their heatmaps, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.train.losses.settings.combined import CombinedConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from burnish.train.losses.loss import Loss, Result


@dataclass(frozen=True, slots=True, eq=False)
class PointBatch:
    """Pictures of one object each.

    Attributes:
        pictures: (B, 3, H, W) uint8, RGB.
        heatmaps: (B, K, H / 4, W / 4) true ones.
        known: (B, K) whether a point is known.
        points: (B, K, 3) x, y in pixels and visibility of the first object; 0 where augmentation lost it.
        boxes: (B, 4) around it.
    """

    pictures: Tensor
    heatmaps: Tensor
    known: Tensor
    points: Tensor
    boxes: Tensor

    def to(self, device: torch.device) -> PointBatch:
        """The same on a device."""
        pictures, heatmaps, known = (part.to(device, non_blocking=True) for part in (self.pictures, self.heatmaps, self.known))
        return PointBatch(pictures, heatmaps, known, self.points, self.boxes)


@dataclass(frozen=True, slots=True, eq=False)
class HeatmapLoss:
    """What a batch costs by a loss on heatmaps.

    Attributes:
        loss: The loss.
    """

    loss: Loss

    def __call__(self, model: nn.Module, batch: PointBatch, *, progress: float = 1.0) -> Result:
        """Measure a batch; points that are not known do not count."""
        return self.of_heatmaps(model(batch.pictures), batch, progress=progress)

    def of_heatmaps(self, found: Tensor, batch: PointBatch, *, progress: float = 1.0) -> Result:
        """Measure heatmaps (B, K, h, w)."""
        given: dict[str, Any] = {"progress": progress} if isinstance(self.loss.description, CombinedConfig) else {}
        return self.loss(found, batch.heatmaps, weight=batch.known.float(), **given)
