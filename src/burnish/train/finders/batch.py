"""The largest batch that fits: sizes are doubled until one does not fit, then the gap is halved, with real training steps at each.

A forward pass alone says too little: gradients, the state of the optimiser and the average of the weights come beside it, and at the second
step all of them are there at once. Ranks try the same sizes, and a size fits where it fits on all of them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, ModelError
from burnish.train.distributed import gathered, world_size
from burnish.train.finders.memory import is_lack_of_memory, memory_limit, watched
from burnish.train.finders.settings import LargestBatchConfig
from burnish.train.finders.traceless import free_memory, traceless
from burnish.train.finders.trials import bare_network, sized_batch, trial_run, trial_step
from burnish.train.run import network_device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from burnish.train.run import Job

_MIB = 2**20
_BEYOND = 1.2


@dataclass(frozen=True, slots=True)
class Trial:
    """One size that was tried.

    Attributes:
        batch: Pictures of a batch.
        fits: On every rank.
        peak_bytes: The most memory in use, of the rank that needed most; as far as it went where the size does not fit.
        seconds: It took.
        tried: False where former trials said already that the limit would be passed by far.
    """

    batch: int
    fits: bool
    peak_bytes: int
    seconds: float
    tried: bool = True


@dataclass(frozen=True, slots=True)
class LargestBatch:
    """What was found.

    Attributes:
        batch: The size to take, for each rank: with the margin, rounded down.
        fitting: The largest size that fitted in a trial.
        bounded: The search ended at the largest size that was to be tried, not at the memory.
        trials: In their order.
        world: Ranks.
    """

    batch: int
    fitting: int
    bounded: bool
    trials: tuple[Trial, ...]
    world: int

    def accumulation(self, target: int) -> int:
        """Batches of a step that has at least so many samples over all ranks."""
        return accumulation_for(target, self.batch, self.world)

    def __str__(self) -> str:
        peak = max(trial.peak_bytes for trial in self.trials if trial.fits) / _MIB
        end = "the largest size that was to be tried" if self.bounded else "the largest that fits"
        return f"batch {self.batch} ({self.fitting} is {end}, with {peak:,.0f} MiB; {len(self.trials)} sizes, {self.world} ranks)"


def largest_batch(
    job: Job,
    config: LargestBatchConfig | None = None,
    *,
    batch_of: Callable[[int], Any] | None = None,
    progress: Progress = silent,
) -> LargestBatch:
    """Find the largest batch that a training can take; afterwards the job is as it was before.

    Each trial is several real steps: forward and backward passes in the job's precision, accumulated as the job does, clipping, the
    optimiser with its state, the running average. Where several ranks train, all must call this.

    Args:
        job: The training, not yet begun. Handlers of your own take no part.
        config: How to look.
        batch_of: Makes a batch of a size, with inputs as large as they come; without it the first batch of the job is repeated.
        progress: Where to report.

    Raises:
        ModelError: Not even the first size fits, or a step fails for another reason than memory.
        ConfigError: The network has SyncBatchNorm, or the system does not tell its free memory and no limit is given.
        DataError: The first batch cannot be repeated.
    """
    chosen = config or LargestBatchConfig()
    device = network_device(job.model)
    limit = memory_limit(device, chosen.memory_mib, world_size() if device.type == "cpu" else 1)
    make = batch_of or _repeating(job)
    with traceless(bare_network(job.model), job.optimizer), progress.task("Largest batch") as advance:

        def attempt(batch: int, before: Sequence[Trial]) -> Trial:
            trial = _agreed(_attempt(job, partial(make, batch), batch, steps=chosen.steps, limit=limit, before=before))
            advance(1)
            return trial

        trials = _search(attempt, chosen)
    fitting = max(trial.batch for trial in trials if trial.fits)
    bounded = all(trial.fits for trial in trials)
    return LargestBatch(safe_batch(fitting, chosen), fitting, bounded, trials, world_size())


def safe_batch(fitting: int, config: LargestBatchConfig) -> int:
    """What to take where a size fits: without the margin, and rounded down to a multiple if there is one below; at least 1."""
    safe = max(math.floor(fitting * (1 - config.margin) + 1e-9), 1)
    return safe // config.multiple * config.multiple or safe


def accumulation_for(target: int, batch: int, world: int = 1) -> int:
    """Batches of one step, so that it has at least a number of samples.

    Args:
        target: Samples of a step over all ranks.
        batch: Samples of a batch on one rank.
        world: Ranks.

    Raises:
        ConfigError: A number is below 1.
    """
    if min(target, batch, world) < 1:
        raise ConfigError(f"A step of {target} samples with batches of {batch} on {world} ranks; expected numbers of at least 1.")
    return math.ceil(target / (batch * world))


def _repeating(job: Job) -> Callable[[int], Any]:
    first = next(iter(job.batches(0, 0)))
    return lambda size: sized_batch(first, size)


def _search(attempt: Callable[[int, Sequence[Trial]], Trial], config: LargestBatchConfig) -> tuple[Trial, ...]:
    trials: list[Trial] = []
    size, fitting, failing = config.begin, 0, config.most + 1
    while failing > config.most and fitting < config.most:
        trials.append(attempt(size, trials))
        if trials[-1].fits:
            fitting, size = size, min(2 * size, config.most)
        else:
            failing = size
    if not fitting:
        peak = trials[-1].peak_bytes / _MIB
        message = f"Not even batches of {config.begin} fit into memory (it came to {peak:,.0f} MiB)"
        raise ModelError(f"{message}. Take smaller pictures, a smaller network, precision bf16, or begin with 1.")
    while failing - fitting > 1 and safe_batch(failing - 1, config) > safe_batch(fitting, config):
        middle = (fitting + failing) // 2
        trials.append(attempt(middle, trials))
        fitting, failing = (middle, failing) if trials[-1].fits else (fitting, middle)
    return tuple(trials)


def _attempt(job: Job, make: Callable[[], Any], batch: int, *, steps: int, limit: int | None, before: Sequence[Trial]) -> Trial | Exception:
    """Try a size; an error that says something else than a lack of memory is the answer, so that all ranks hear of it."""
    began = time.perf_counter()
    expected = _expected_bytes(batch, before)
    if limit is not None and expected > _BEYOND * limit:
        return Trial(batch, fits=False, peak_bytes=expected, seconds=0.0, tried=False)
    fits = True
    with watched(network_device(job.model)) as peak:
        try:
            _steps(job, make, steps)
        except Exception as error:  # noqa: BLE001 - all ranks must hear of it before it is raised
            if not is_lack_of_memory(error):
                return error.with_traceback(None)
            fits = False
            job.optimizer.state.clear()  # an optimiser that ran out of memory while it made its state left half of it
        finally:
            job.optimizer.zero_grad(set_to_none=True)
    free_memory()
    fits = fits and (limit is None or peak.bytes <= limit)
    return Trial(batch, fits, peak.bytes, time.perf_counter() - began)


def _steps(job: Job, make: Callable[[], Any], steps: int) -> None:
    run = trial_run(job)
    for _ in range(steps):
        trial_step(run, [make() for _ in range(job.handlers.accumulation.batches)])


def _expected_bytes(batch: int, before: Sequence[Trial]) -> int:
    """What a size will take, by a straight line through the two trials below it that are nearest; 0 where there are none."""
    below = sorted((trial.batch, trial.peak_bytes) for trial in before if trial.fits and trial.batch < batch)[-2:]
    if len(below) < 2:  # noqa: PLR2004 - two points make a line
        return 0
    (small, less), (large, more) = below
    return more + int((more - less) / (large - small) * (batch - large))


def _agreed(own: Trial | Exception) -> Trial:
    """One answer on all ranks.

    Raises:
        ModelError: A step failed on some rank for another reason than memory.
    """
    told = gathered((own.batch, own.fits, own.peak_bytes, own.seconds, own.tried) if isinstance(own, Trial) else str(own))
    if isinstance(own, Exception):
        if isinstance(own, ModelError | ConfigError):
            raise own
        raise ModelError(f"A trial step failed, and not for want of memory: {type(own).__name__}: {own}") from own
    failed = [(rank, one) for rank, one in enumerate(told) if isinstance(one, str)]
    if failed:
        raise ModelError(f"A trial step failed on rank {failed[0][0]}: {failed[0][1]}")
    trials = [Trial(*one) for one in told if not isinstance(one, str)]
    peak, seconds = max(trial.peak_bytes for trial in trials), max(trial.seconds for trial in trials)
    return Trial(own.batch, all(trial.fits for trial in trials), peak, seconds, all(trial.tried for trial in trials))
