"""What every loss is: called on a prediction and a target, it gives a sum and a count for each of its parts.

A mean of means is wrong wherever batches differ in size: the last batch, pixels that are ignored, ranks with different pictures. So a loss
never gives a bare mean. `Result.mean` is the mean of one batch; where several micro-batches or ranks make one step, their counts are added
first, and each gives its `share` of the common mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from burnish.errors import extra
from burnish.train.meters import LossMeter

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from burnish.config import Config


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a loss.

    Attributes:
        values: What each item costs, of any shape: pixels (B, N), pictures and classes (B, C), boxes (N,), ...
        weights: How much each counts, of a shape that broadcasts to `values`; None is 1 for each.
        total: Sum of the weighted values, a scalar with its gradient.
        count: Sum of the weights, a scalar.
        factor: What its mean is multiplied with in the whole.
    """

    values: Tensor
    weights: Tensor | None
    total: Tensor
    count: Tensor
    factor: float = 1.0

    @property
    def mean(self) -> Tensor:
        """Total over count; 0, with a gradient of 0, where nothing counts."""
        return self.total / torch.where(self.count > 0, self.count, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a loss gives.

    Attributes:
        parts: By name; a plain loss has one, named after itself.
    """

    parts: Mapping[str, Part]

    @property
    def mean(self) -> Tensor:
        """The loss of this batch: what `backward` is called on where one batch makes one step."""
        return _added([part.factor * part.mean for part in self.parts.values()])

    @property
    def sum(self) -> Tensor:
        """The weighted sum over the items, not divided by anything."""
        return _added([part.factor * part.total for part in self.parts.values()])

    @property
    def counts(self) -> dict[str, Tensor]:
        """What each part's mean is divided by; they add up over micro-batches and ranks."""
        return {name: part.count for name, part in self.parts.items()}

    def share(self, counts: Mapping[str, Tensor]) -> Tensor:
        """This batch's share of a mean over more than itself: the shares of all add up to it, and so do their gradients.

        Args:
            counts: Of each part, over all micro-batches and ranks of the step. Where ranks average their gradients (DDP), multiply the
                share with the number of ranks.
        """
        return _added([part.factor * part.total / torch.where(counts[n] > 0, counts[n], 1.0) for n, part in self.parts.items()])


class Compute(Protocol):
    """The formula of a loss: float32 (or float64) in, a part or several out."""

    def __call__(self, predicted: Tensor, target: Tensor, *, weight: Tensor | None, **given: Any) -> Part | Result:
        """Measure a batch."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """A loss, ready to be called.

    Attributes:
        name: Of the loss and its meter.
        description: What it was made of.
        compute: Its formula.
        meter: Sums and counts since it was last reset; every call adds to it.
    """

    name: str
    description: Config
    compute: Compute
    meter: LossMeter = field(default_factory=LossMeter)

    def __call__(self, predicted: Tensor, target: Tensor, *, weight: Tensor | None = None, **given: Any) -> Result:
        """Measure a batch; inside, everything is float32 (float64 stays), whatever autocast says around it.

        Args:
            predicted: Scores, boxes or points, as the loss wants them.
            target: What they should have been.
            weight: How much each picture (B,), pixel (B, ...) or item counts; 0 not at all.
            **given: What single losses take besides: `distances` (losses at outlines), `progress` (combined), `areas` (OKS).

        Raises:
            DataError: Shapes, types or labels do not fit.
        """
        with torch.autocast(predicted.device.type, enabled=False):
            found = self.compute(full(predicted), target, weight=weight, **given)
        result = found if isinstance(found, Result) else Result({self.name: found})
        self.meter.update(result)
        return result


def part(values: Tensor, weights: Tensor | None = None) -> Part:
    """Sum and count of weighted values; a value whose weight is 0 does not count, even if it is no number."""
    if weights is None:
        return Part(values, None, values.sum(), torch.full((), float(values.numel()), device=values.device, dtype=values.dtype))
    weights = weights.to(values.dtype)
    count = weights.sum() if weights.shape == values.shape else weights.expand(values.shape).sum()
    return Part(values, weights, (values * weights).sum(), count)


def scaled(result: Result, factor: float) -> Result:
    """The same result with every part's factor multiplied."""
    return Result({name: replace(found, factor=factor * found.factor) for name, found in result.parts.items()})


def full(values: Tensor) -> Tensor:
    """Values in float32, or in float64 if they come so: sums over a picture overflow or drown in half precision."""
    return values if values.dtype in {torch.float32, torch.float64} else values.float()


def _added(values: list[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
