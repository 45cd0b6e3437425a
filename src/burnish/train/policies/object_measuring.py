"""Measuring a detector batch by batch: COCO's numbers of boxes, and of masks where the network gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from burnish.geometry import rle
from burnish.train.meters import LossMeter
from burnish.train.policies.found_arrays import LEAST, MOST, Arrays, arrays_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import nn

    from burnish.models.networks.found import Objects
    from burnish.train.metering import Meter
    from burnish.train.policies.detection import BoxNetwork, ObjectBatch, OwnLoss

_NAMED = 3
"""Columns before those of boxes: picture, class and score, or picture, class and crowd."""


@dataclass(slots=True, eq=False)
class ObjectMeasuring:
    """Measures boxes and masks as the network sees the pictures.

    Attributes:
        loss: What batches cost.
        meters: COCO's numbers, of boxes (`map`) or masks (`mask_map`).
        costs: The parts of the loss.
    """

    loss: OwnLoss
    meters: tuple[Meter, ...]
    costs: LossMeter = field(default_factory=LossMeter)

    def update(self, model: nn.Module, batch: ObjectBatch, rows: NDArray[np.int64]) -> None:
        """Add a batch."""
        self.costs.update(self.loss(model, batch))
        found = [arrays_of(one) for one in cast("BoxNetwork", model).detect(batch.pictures, threshold=LEAST, most=MOST)]
        found_rows = np.concatenate([_found_rows(one, row) for one, row in zip(found, rows.tolist(), strict=True)])
        objects = [(one, row, 0) for one, row in zip(batch.targets, rows.tolist(), strict=True)]
        objects += [(one, row, 1) for one, row in zip(batch.crowds, rows.tolist(), strict=True)]
        true_rows = np.concatenate([_true_rows(*one) for one in objects])
        for meter in self.meters:
            if meter.metric.description.name == "map":  # pyright: ignore[reportAttributeAccessIssue] - every metric's has a name
                meter.update(found_rows, true_rows, images=rows)
                continue
            codes = {"masks": _codes(one.masks for one in found), "true_masks": _codes(_drawn(one) for one, *_ in objects)}
            sizes = np.tile(np.array(batch.pictures.shape[-2:]), (len(rows), 1))
            meter.update(found_rows[:, :_NAMED], true_rows[:, : _NAMED + 1], **codes, images=rows, sizes=sizes)

    def compute(self) -> dict[str, float]:
        """The loss, its parts, and the metrics of all batches."""
        costs = {name if name == "loss" else f"loss/{name}": value for name, value in self.costs.compute().items()}
        return {**costs, **{name: value for meter in self.meters for name, value in meter.compute().items()}}


def _found_rows(found: Arrays, row: int) -> NDArray[np.float64]:
    """Detections (n, 7) as the metric takes them."""
    known = np.stack([np.full(len(found.classes), row), found.classes, found.scores], axis=1)
    return np.concatenate([known, found.boxes], axis=1).astype(np.float64)


def _true_rows(objects: Objects, row: int, crowd: int) -> NDArray[np.float64]:
    """True objects (m, 8) as the metric takes them: picture, class, crowd, no area of its own, and the box."""
    count = len(objects.classes)
    known = [np.full(count, row), objects.classes.cpu().numpy(), np.full(count, crowd), np.full(count, np.nan)]
    return np.concatenate([np.stack(known, axis=1), objects.boxes.cpu().numpy()], axis=1).astype(np.float64)


def _drawn(objects: Objects) -> NDArray[np.uint8] | None:
    return None if objects.masks is None else objects.masks.cpu().numpy()


def _codes(masks: Iterable[NDArray[np.generic] | None]) -> list[bytes]:
    """COCO's compressed run-length code of each mask of each picture."""
    return [rle.compress(rle.encode(mask.astype(np.bool_))) for some in masks if some is not None for mask in some]
