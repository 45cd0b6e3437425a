"""The learning rate range test (Smith 2017, arXiv 1506.01186): rates that grow by the same factor at each step, and the loss they lead to.

The steps are those of the real loop, with the job's precision, clipping, accumulation and ranks; afterwards the job is as it was before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.engine.progress import Progress, silent
from burnish.errors import ModelError
from burnish.report.plots import line_chart
from burnish.train.distributed import averaged
from burnish.train.finders.settings import RateRangeConfig
from burnish.train.finders.traceless import traceless
from burnish.train.handlers.order import fresh_handlers
from burnish.train.training import train

if TYPE_CHECKING:
    import polars as pl

    from burnish.train.run import Job, Run

TENTH: Final = 10.0
"""How far below the rate at which training diverges the careful suggestion lies."""

_OF_THE_SWEEP = ("precision", "accumulation", "freezing", "clipping")
_LEAST_STEPS = 5


@dataclass(frozen=True, slots=True)
class RateRange:
    """What a sweep showed. Rates are those of the first group; groups keep their proportions.

    Attributes:
        rates: Of each step.
        losses: Of each step, the mean over ranks.
        smoothed: The running mean of the losses.
        diverged: The rate at which the loss diverged; None where it did not by the end.
        steepest: The rate at which the smoothed loss fell fastest; None where it never fell.
        careful: A tenth of the rate at which it diverged, or of the one with the least smoothed loss where it did not.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    diverged: float | None
    steepest: float | None
    careful: float

    @property
    def suggestion(self) -> float:
        """The smaller one of both: the fastest fall, but never close to where training breaks."""
        return self.careful if self.steepest is None else min(self.steepest, self.careful)

    @property
    def table(self) -> pl.DataFrame:
        """One row a step: rate, loss, smoothed."""
        import polars as pl  # noqa: PLC0415 - only where a table is asked for

        return pl.DataFrame({"rate": self.rates, "loss": self.losses, "smoothed": self.smoothed})

    def chart(self) -> str:
        """The sweep as SVG for a report's page; the axis is the power of ten of the rate. What is far above the start is cut off."""
        top = 2 * max(self.smoothed[0], *self.losses[:_LEAST_STEPS])
        shown = {name: [value if value <= top else math.nan for value in line] for name, line in self._lines().items()}
        powers = [math.log10(rate) for rate in self.rates]
        return line_chart(shown, powers, title="Learning rate range test", note=f"{self}.", axis="learning rate, as a power of ten")

    def __str__(self) -> str:
        end = "no divergence" if self.diverged is None else f"diverges at {self.diverged:.2g}"
        fall = "no fall" if self.steepest is None else f"steepest fall at {self.steepest:.2g}"
        return f"learning rate {self.suggestion:.2g} ({fall}, {end})"

    def _lines(self) -> dict[str, tuple[float, ...]]:
        return {"loss": self.losses, "smoothed": self.smoothed}


def rate_range(job: Job, config: RateRangeConfig | None = None, *, progress: Progress = silent) -> RateRange:
    """Sweep the learning rate and suggest one; afterwards the job is as it was before.

    Args:
        job: The training, not yet begun. Its schedule, evaluations, checkpoints, writer and handlers of your own take no part.
        config: How to sweep.
        progress: Where to report.

    Raises:
        ModelError: The training diverges within the first steps, or its memory does not suffice.
    """
    chosen = config or RateRangeConfig()
    sweep = Sweep(chosen)
    handlers = fresh_handlers(job.handlers, _OF_THE_SWEEP, [sweep])
    epochs = math.ceil(chosen.steps / math.ceil(job.batches_per_epoch / handlers.accumulation.batches))
    plain = replace(job, handlers=handlers, epochs=epochs, scheduler=None, evaluate=None, folder=None, writer=None)
    with traceless(job.model, job.optimizer):
        train(replace(plain, progress=progress, label="Learning rate range test"))
    if len(sweep.smoothed) < _LEAST_STEPS:
        message = f"The loss diverges within {len(sweep.losses)} steps, at a rate of {sweep.rates[-1]:.2g}"
        raise ModelError(
            f"{message}; expected at least {_LEAST_STEPS} steps before that. Lower low, and look at the first batches and the loss."
        )
    return _judged(sweep)


class Sweep:
    """A handler that sets the rate before each step and ends the training where the loss diverges."""

    name = "sweep"
    after = "memory"

    def __init__(self, config: RateRangeConfig) -> None:
        self._config = config
        self._shares: list[float] = []
        self._mean = 0.0
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.diverged: float | None = None

    def began(self, run: Run) -> None:
        """Keep the proportions of the groups."""
        groups = run.job.optimizer.param_groups
        first = float(groups[0]["lr"])
        self._shares = [float(group["lr"]) / first for group in groups]

    def step_began(self, run: Run) -> None:
        """Set the rate of the coming step."""
        config = self._config
        rate = config.low * (config.high / config.low) ** (len(self.rates) / (config.steps - 1))
        self.rates.append(rate)
        for group, share in zip(run.job.optimizer.param_groups, self._shares, strict=True):
            group["lr"] = rate * share

    def stepped(self, run: Run) -> None:
        """Look at the loss that the step began with, which the rates before it have led to."""
        assert run.loss is not None
        loss = float(averaged(run.loss.double() if run.device.type != "mps" else run.loss))
        self.losses.append(loss)
        if not math.isfinite(loss) or self._has_diverged(self._smooth(loss)):
            self.diverged = self.rates[-1]
            run.end("the loss diverged")
        elif len(self.rates) == self._config.steps:
            run.end("the sweep is done")

    def _smooth(self, loss: float) -> float:
        """The running mean, divided by the share that its start from 0 has left over, as Adam does it."""
        kept = self._config.smoothing
        self._mean = kept * self._mean + (1 - kept) * loss
        self.smoothed.append(self._mean / (1 - kept ** len(self.losses)))
        return self.smoothed[-1]

    def _has_diverged(self, smoothed: float) -> bool:
        """Whether the loss rose above its least by far more than it was at the start; a bounded loss never does."""
        if len(self.smoothed) <= _LEAST_STEPS:  # batches differ, and the running mean does not yet even that out
            return False
        start = max(map(abs, self.smoothed[:_LEAST_STEPS]))
        return smoothed > min(self.smoothed) + self._config.divergence * start


def _judged(sweep: Sweep) -> RateRange:
    count = len(sweep.smoothed)
    rates, smoothed = np.array(sweep.rates[:count]), np.array(sweep.smoothed)
    least = int(smoothed.argmin())
    edge = sweep.diverged if sweep.diverged is not None else float(rates[least])
    return RateRange(
        rates=tuple(sweep.rates[:count]),
        losses=tuple(sweep.losses[:count]),
        smoothed=tuple(sweep.smoothed),
        diverged=sweep.diverged,
        steepest=_steepest(rates, smoothed),
        careful=edge / TENTH,
    )


def _steepest(rates: np.ndarray, smoothed: np.ndarray) -> float | None:
    """Where the loss falls fastest over the logarithm of the rate, on the way to its least value."""
    end = int(smoothed.argmin()) + 1
    if end < _LEAST_STEPS:
        return None
    slopes = np.gradient(smoothed[:end], np.log(rates[:end]))
    return float(rates[int(slopes.argmin())]) if slopes.min() < 0 else None
