"""Several batches make one step, exactly as one large batch would: by sums and counts, not by means of means.

The mean of a step over batches i is sum_i n_i m_i / sum_i n_i, with the mean m_i of each and what it was divided by, n_i. So each batch's
loss is weighted with its count when it comes, and the gradients are divided by the sum of the counts at the end. Counts are taken relative
to a fixed one, so that half-precision gradients keep their size. Where the parts of a loss are divided by numbers that vary against one
another (ignored pixels in one part only), `Job.count` gives the counts of the whole step beforehand, and each batch gives its share. Where
each of several ranks has one batch a step, they tell one another the counts of what they computed, before they go back: exact without it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from burnish.errors import ConfigError, extra
from burnish.train.distributed import summed, world_size

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from burnish.train.handlers.settings import AccumulationConfig
    from burnish.train.run import Measured, Run

_TOLERANCE = 1e-3
_ADVICE = "Larger batches without accumulation are exact; in Python, Job.count weights each part by its own."


class Accumulation:
    """Gathers the batches of a step.

    Attributes:
        batches: How many make a step.
    """

    name = "accumulation"

    def __init__(self, config: AccumulationConfig) -> None:
        self.batches = config.batches
        self._unit = 0.0
        self._total: Tensor | None = None
        self._sum: Tensor | None = None
        self._ratios: dict[str, Tensor] = {}
        self._exact: Mapping[str, Tensor] | None = None
        self._warned = False
        self._alone = True
        self._single = True

    def begin(self, run: Run, window: Sequence[Any]) -> None:
        """Begin a step over some batches."""
        self._total = self._sum = None
        self._ratios = {}
        self._single = len(window) == 1
        self._alone = self._single and world_size() == 1
        count = run.job.count
        if count is None or self._alone:
            self._exact = None
            return
        counted = [count(batch) for batch in window]
        self._exact = {name: summed(sum((one[name] for one in counted[1:]), counted[0][name])) for name in counted[0]}

    @property
    def weighs(self) -> bool:
        """Whether a batch is not the whole step, now or with other ranks."""
        return not self._alone

    def weighted(self, found: Tensor | tuple[Tensor, float] | Measured) -> Tensor:
        """What `backward` is called on.

        Args:
            found: What the forward pass gave.

        Raises:
            ConfigError: A bare mean cannot be added to others.
        """
        alone = self._alone
        if self._single and not alone and self._exact is None and not isinstance(found, torch.Tensor | tuple):
            self._exact = {name: summed(count) for name, count in found.counts.items()}
        if self._exact is not None and not isinstance(found, torch.Tensor | tuple):
            share = found.share(self._exact)
            self._add(share, torch.zeros((), device=share.device))
            return share * world_size()
        mean, counts = _mean_and_counts(found, alone=alone)
        if alone:
            self._sum, self._total = mean.detach(), None
            return mean
        first = next(iter(counts.values()))
        first = first if first.device.type == "mps" else first.double()
        self._check_ratios(counts)
        self._unit = self._unit or max(float(summed(first)), 1.0)  # the same on all ranks
        weight = first / self._unit
        self._add(mean * weight, weight)
        return mean * weight

    def settle(self, parameters: Sequence[Tensor]) -> Tensor:
        """Turn the gradients into those of the mean over all batches and ranks; gives that mean of this process.

        Args:
            parameters: Those that have a gradient, already without the scale of the loss.
        """
        assert self._sum is not None
        if self._total is None or self._exact is not None:
            return self._sum
        total = summed(self._total) / world_size()
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        torch._foreach_div_(gradients, float(total) or 1.0)  # pyright: ignore[reportPrivateUsage] - one call for all tensors, as torch's own code does
        return self._sum / torch.where(self._total > 0, self._total, 1.0)

    def state(self) -> dict[str, float]:
        """The count that others are relative to."""
        return {"unit": self._unit}

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue with it."""
        self._unit = state["unit"]

    def _add(self, loss: Tensor, weight: Tensor) -> None:
        self._sum = loss.detach() if self._sum is None else self._sum + loss.detach()
        self._total = weight if self._total is None else self._total + weight

    def _check_ratios(self, counts: Mapping[str, Tensor]) -> None:
        """Warn once where one weight a batch cannot be right for all parts of a loss."""
        if len(counts) == 1 or self._warned:
            return
        first = next(iter(counts.values()))
        ratios = {name: count / first for name, count in counts.items()}
        known = self._ratios or ratios
        if any(abs(float(known[name] / ratio) - 1) > _TOLERANCE for name, ratio in ratios.items()):
            self._warned = True
            told = f"The parts of the loss ({', '.join(counts)}) count in different proportions from batch to batch"
            logging.getLogger("burnish").warning("%s: all are weighted by the first. %s", told, _ADVICE)
        self._ratios = known


def _mean_and_counts(found: Tensor | tuple[Tensor, float] | Measured, *, alone: bool) -> tuple[Tensor, Mapping[str, Tensor]]:
    if isinstance(found, torch.Tensor):
        if not alone:
            message = "The forward pass gives a bare mean, which cannot be added to those of other batches"
            raise ConfigError(f"{message}; let it give (mean, count), or the result of a loss of burnish.train.losses.")
        return found, {}
    if isinstance(found, tuple):
        mean, count = found
        return mean, {"loss": torch.as_tensor(count, device=mean.device)}
    return found.mean, {} if alone else found.counts
