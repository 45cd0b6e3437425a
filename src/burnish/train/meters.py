"""Meters: what is added up while a model trains or is judged, exact over batches of any size and over ranks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.distributed import gathered

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.loss import Result


@dataclass(slots=True, eq=False)
class LossMeter:
    """Running means of a loss and its parts: sums over all items of all batches, divided once, at the end.

    Attributes:
        sums: Of each part: its total, its total times its factor, and its count, (3,) float64; on the device of the loss, so that adding
            never waits for a GPU.
    """

    sums: dict[str, Tensor] = field(default_factory=dict)

    def update(self, result: Result) -> None:
        """Add a batch."""
        for name, part in result.parts.items():
            total = part.total.detach()
            row = torch.stack([total, part.factor * total, part.count.detach().to(total.dtype)])
            row = row if row.device.type == "mps" else row.double()
            self.sums[name] = self.sums[name] + row if name in self.sums else row

    def compute(self) -> dict[str, float]:
        """The mean of each part over all items of all ranks, and of the whole as `loss` where there are several parts; all ranks must call.

        NaN where nothing counted. The result is what writers take.
        """
        ranks = gathered({name: row.tolist() for name, row in self.sums.items()})
        names = dict.fromkeys(name for found in ranks for name in found)
        sums = {name: [sum(column) for column in zip(*(found[name] for found in ranks if name in found), strict=True)] for name in names}
        means = {name: total / count if count else float("nan") for name, (total, _, count) in sums.items()}
        if len(sums) <= 1:
            return means
        return {"loss": sum(weighted / count for _, weighted, count in sums.values() if count), **means}

    def reset(self) -> None:
        """Begin again, for instance with a new epoch."""
        self.sums.clear()
