"""What the network, its loss, its batches and the target of the training say to being tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.config import nearest
from burnish.errors import ConfigError, DataError, ModelError, extra
from burnish.train.asked import refuse_unknown_metrics
from burnish.train.checks.finding import Example, Finding, LossCall
from burnish.train.checks.running import all_checks, run_checks
from burnish.train.finders.batch import largest_batch
from burnish.train.finders.rates import rate_range
from burnish.train.finders.settings import LargestBatchConfig, RateRangeConfig
from burnish.train.finders.traceless import traceless
from burnish.train.rehearsal import evaluated_once
from burnish.train.run import mean_loss

with extra("train"):
    import torch
    from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage] - the common class of all of them

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn

    from burnish.engine.progress import Progress
    from burnish.train.doctoring.settings import DoctorConfig
    from burnish.train.run import Job
    from burnish.train.setup import Setup

_LOOKED_AT = 4
_FEW = 8
_FAR = 10


def look_at_network(setup: Setup, job: Job, config: DoctorConfig, progress: Progress) -> list[Finding]:
    """All findings on the network, on real batches of the training.

    Raises:
        ConfigError: A check that is to be left out does not exist.
    """
    batches = [batch.to(setup.device) for _, batch in zip(range(_LOOKED_AT), job.batches(0, 0), strict=False)]
    checks = all_checks(batches=job.batches(0, 0), batch=setup.feed.batch_size)
    for name in config.without:
        if name not in checks:
            raise ConfigError(f"There is no check '{name}' of the network to leave out. {nearest(name, checks)}")
    found = [_first_loss(setup, job, batches), _norms(setup, job.model), _target(setup, job)]
    example, loss = _example(setup, job.model, batches[0])
    found += run_checks(job.model, example, loss, checks={k: v for k, v in checks.items() if k not in config.without}, progress=progress)
    if config.batch:
        found.append(_largest(setup, job, progress))
    if config.rate:
        found.append(_rate(job, progress))
    return found


def _example(setup: Setup, model: nn.Module, batch: Any) -> tuple[Example, LossCall]:
    """A batch as checks take it; a loss that calls the network itself, or looks at boxes, is given the whole batch as targets."""
    loss: Any = setup.loss
    if hasattr(loss, "of_scores") and getattr(batch, "boxed", None) is None:
        return Example(batch.pictures.float(), batch.targets), loss.of_scores
    return Example(batch.pictures.float(), batch), lambda _output, given: loss(model, given)


def _first_loss(setup: Setup, job: Job, batches: Iterable[Any]) -> Finding:
    with traceless(job.model), torch.no_grad():
        job.model.train()
        losses = [float(mean_loss(setup.loss(job.model, batch, progress=0.0))) for batch in batches]
    told = ", ".join(f"{loss:.4g}" for loss in losses)
    if not all(loss == loss and abs(loss) != torch.inf for loss in losses):  # noqa: PLR0124 - no number equals itself
        return Finding("first loss", "error", f"Before any step the losses of batches are {told}.", "Look at the targets and the loss.")
    return Finding("first loss", "ok", f"Before any step the losses of batches are {told}.")


def _norms(setup: Setup, model: nn.Module) -> Finding:
    norms = sum(isinstance(module, _BatchNorm) for module in model.modules())
    each, devices = setup.feed.batch_size // setup.plan.hardware.devices, setup.plan.hardware.devices
    if not norms:
        return Finding("batch normalisation", "ok", "There is none, so that the number of pictures on a device does not matter.")
    found = f"{norms} layers of batch normalisation see {each} pictures at a time"
    if each < _FEW:
        more = ", sync_batch_norm" if devices > 1 else ""
        advice = f"Batches of {_FEW * devices} or more{more}, or a network with group normalisation: statistics of so few are noise."
        return Finding("batch normalisation", "warning", f"{found}.", advice)
    return Finding("batch normalisation", "ok", f"{found}.")


def _target(setup: Setup, job: Job) -> Finding:
    """Whether evaluations give what the target asks for, tried on one batch."""
    text = str(setup.plan.evaluation.target)
    try:
        metrics = evaluated_once(setup, job.model)
        refuse_unknown_metrics(setup.plan, metrics)
    except (DataError, ConfigError, ModelError) as error:
        return Finding("target", "error", str(error))
    return Finding("target", "ok", f"'{text}' can be told from evaluations; they give {', '.join(metrics)}.")


def _largest(setup: Setup, job: Job, progress: Progress) -> Finding:
    name, size = "largest batch", setup.feed.batch_size
    most = max(len(setup.examples.part("train")), 2)
    try:
        found = largest_batch(job, LargestBatchConfig(most=most), progress=progress)
    except (ModelError, ConfigError, DataError) as error:
        return Finding(name, "error", str(error))
    if size > found.fitting:
        return Finding(
            name, "error", f"{found}; batch_size is {size}.", f"Take {found.batch} and accumulate {found.accumulation(size)} of them."
        )
    return Finding(name, "ok", f"{found}; batch_size is {size}.")


def _rate(job: Job, progress: Progress) -> Finding:
    name, rate = "learning rate", float(job.optimizer.param_groups[0]["lr"])
    try:
        found = rate_range(job, RateRangeConfig(), progress=progress)
    except ModelError as error:
        return Finding(name, "error", str(error))
    told = f"{found}; optimizer.lr is {rate:.2g}."
    if found.diverged is not None and rate >= found.diverged:
        return Finding(name, "error", told, f"Take optimizer.lr={found.suggestion:.1g}: at its own the training diverges.")
    if not found.suggestion / _FAR <= rate <= found.suggestion * _FAR:
        return Finding(name, "warning", told, f"Try optimizer.lr={found.suggestion:.1g}.")
    return Finding(name, "ok", told)
