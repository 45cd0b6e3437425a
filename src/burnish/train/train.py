"""Train a network on a dataset, into a run folder with weights, numbers and a report."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from burnish.engine.fingerprint import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError, extra
from burnish.formats.plans import copies_for, read_plan
from burnish.models.device import choose_device, seeded
from burnish.train.augs.pipeline import build_augs
from burnish.train.handlers.order import build_handlers
from burnish.train.handlers.parts import LossParts
from burnish.train.handlers.saving import BEST
from burnish.train.loaders.cached import worker_count
from burnish.train.loaders.feeding import Feed
from burnish.train.loaders.placement import Placement
from burnish.train.loaders.sampler import class_weights
from burnish.train.loaders.shared import share_samples
from burnish.train.optim.factors import Clock
from burnish.train.optim.optimizers import build_optimizer
from burnish.train.optim.scheduler import build_scheduler
from burnish.train.policies.examples import gather
from burnish.train.policies.policy import policy_of
from burnish.train.policies.resolving import resolved
from burnish.train.policies.settings import TrainConfig
from burnish.train.policies.showing import Showing
from burnish.train.result import TrainResult
from burnish.train.run import Job
from burnish.train.run_folder import refuse_other_run, write_run
from burnish.train.target import parse_target
from burnish.train.training import train as run_job
from burnish.train.writers.making import build_writers

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from burnish.data.dataset import Dataset
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.losses import Batch
    from burnish.train.policies.policy import Loss, Policy
    from burnish.train.run import Measured
    from burnish.train.samples import Sample


def train(
    dataset: Dataset,
    config: TrainConfig | None = None,
    *,
    progress: Progress = silent,
    work: Path | str | None = None,
    force: bool = False,
) -> TrainResult:
    """Train a network, and measure its best weights.

    Args:
        dataset: Pictures with labels.
        config: The settings.
        progress: Where to report.
        work: The run folder; the same call with the same folder continues a training that was stopped or killed. Without one, nothing
            stays but the result.
        force: Begin anew in a folder that holds another training.

    Raises:
        DataError: There is nothing to learn, or no space for the decoded pictures.
        ConfigError: The settings do not fit one another or the dataset; the folder holds another training and `force` is not set.
        ModelError: The training failed.
    """
    chosen = config or TrainConfig()
    examples = gather(dataset, chosen.task, chosen.data, seed=chosen.seed)
    plan = resolved(chosen, policy_of(examples))
    policy = policy_of(examples, plan.network)
    with tempfile.TemporaryDirectory(prefix="burnish-train-") as temporary:
        folder = Path(work or temporary)
        mark = _mark(plan, policy.examples)
        refuse_other_run(folder, plan, mark, force=force)
        setup = _set_up(plan, policy, folder, progress)
        for note in setup.examples.notes:
            progress.say(note)
        write_run(folder, plan, setup.policy, mark)
        job, showing = _job(setup, folder, mark, progress)
        run = run_job(job)
        if job.writer is not None:
            job.writer.close()
        _take_best(job.model, folder)
        measured = {part: _measure(setup, job.model, part) for part in ("val", "test") if len(setup.examples.part(part))}
        return TrainResult(plan, setup.policy, job.model, run, measured, folder if work else None, showing)


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A training, ready to begin: settings without gaps, pictures, task, batches and device."""

    plan: TrainConfig
    examples: Examples
    policy: Policy
    feed: Feed
    loss: Loss
    device: torch.device


def _set_up(plan: TrainConfig, policy: Policy, folder: Path, progress: Progress) -> Setup:
    assert isinstance(plan.size, tuple)
    assert plan.data.fit is not None
    examples = policy.examples
    own = examples.part("train")
    if not len(examples.part("val")):
        raise DataError("There is no picture to validate with. Name such a split with data.validation, or add pictures.")
    placement = Placement(size=plan.size, how=plan.data.fit)
    place = Path(plan.data.cache or folder / "cache")
    samples = share_samples(
        examples.paths,
        placement,
        place,
        targets=policy.targets,
        budget=plan.data.keep.budget,
        windows=examples.windows,
        progress=progress,
    )

    def sample(row: int) -> Sample:
        found, place = samples.placed(row)
        return policy.annotated(found, row, place)

    feed = Feed(
        sample=sample,
        epoch_rows=_epoch_rows(plan, examples),
        pool=own,
        augment=build_augs(plan.augs).augment,
        collate=policy.collate,
        batch_size=plan.batch_size,
        seed=plan.seed,
        workers=worker_count(plan.data.workers),
        name=samples.name,
    )
    return Setup(plan, examples, policy, feed, policy.loss(plan.loss), choose_device(plan.device))


def _job(setup: Setup, folder: Path, mark: str, progress: Progress) -> tuple[Job, Showing]:
    plan, device = setup.plan, setup.device
    with seeded(device, plan.seed):
        model = _network(setup).to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    torch.manual_seed(plan.seed)
    optimizer = build_optimizer(plan.optimizer, model, plan.parameters)
    showing = Showing(setup.policy, setup.feed, setup.examples.part("val")[: plan.evaluation.pictures], device)
    parts = LossParts()
    handlers = build_handlers(plan.handlers, [parts, *([showing] if plan.evaluation.pictures else [])])
    batches = setup.feed.batches_per_epoch()
    steps = math.ceil(batches / handlers.accumulation.batches)
    assert plan.schedule is not None
    assert plan.evaluation.target is not None
    scheduler = build_scheduler(plan.schedule, optimizer, Clock(steps * plan.epochs, steps))
    job = Job(
        model,
        optimizer,
        _forward(setup, parts, lambda: scheduler.step / (steps * plan.epochs)),
        lambda epoch, first: (batch for batch in setup.feed.batches(epoch, first)),
        batches_per_epoch=batches,
        epochs=plan.epochs,
        handlers=handlers,
        scheduler=scheduler,
        evaluate=lambda network: _measure(setup, network, "val"),
        evaluations_per_epoch=min(plan.evaluation.per_epoch, batches),
        target=parse_target(plan.evaluation.target),
        folder=folder,
        fingerprint=mark,
        writer=build_writers([{"name": "jsonl", "folder": folder}, *plan.writers]),
        log_every=max(1, min(50, steps)),
        progress=progress,
    )
    return job, showing


def _network(setup: Setup) -> nn.Module:
    from burnish.models.networks.building import build_network  # noqa: PLC0415 - loads the libraries of networks

    assert setup.plan.network is not None
    assert isinstance(setup.plan.size, tuple)
    return build_network(setup.plan.network, outputs=setup.policy.outputs, image_size=setup.plan.size)


def _forward(setup: Setup, parts: LossParts, done: Callable[[], float]) -> Callable[[nn.Module, Batch], Measured]:
    def forward(model: nn.Module, batch: Batch) -> Measured:
        return parts.kept(setup.loss(model, batch.to(setup.device), progress=done()))

    return forward


def _measure(setup: Setup, model: nn.Module, part: str) -> dict[str, float]:
    """The numbers of one part, its pictures as the network sees them."""
    measuring = setup.policy.measuring(setup.plan.evaluation.metrics, setup.loss)
    model.eval()
    with torch.inference_mode():
        for rows, batch in setup.feed.plain_batches(setup.examples.part(part)):
            measuring.update(model, batch.to(setup.device), rows)
    return measuring.compute()


def _take_best(model: nn.Module, folder: Path) -> None:
    best = folder / BEST
    if best.exists():
        content: dict[str, Tensor] = torch.load(best, map_location="cpu", weights_only=True)["model"]
        model.load_state_dict(content)
    model.eval()


def _epoch_rows(plan: TrainConfig, examples: Examples) -> Callable[[int], NDArray[np.int64]]:
    """The rows of each epoch in their order: a function of seed and epoch alone."""
    own = examples.part("train")
    if plan.data.sampling == "balanced":
        labels = np.array([examples.numbers[examples.rows_of(int(row))[0]["class"]] for row in own])
        weights = class_weights(labels, len(examples.classes))[labels]
        shares = weights / weights.sum()
        return lambda epoch: own[np.random.default_rng([plan.seed, epoch]).choice(len(own), size=len(own), p=shares)]
    if plan.data.plan is not None:
        copies = copies_for(read_plan(plan.data.plan), examples.dataset)
        own = np.repeat(own, [copies.get(int(image), 1) for image in examples.images[own]])
    return lambda epoch: np.random.default_rng([plan.seed, epoch]).permutation(own)


def _mark(plan: TrainConfig, examples: Examples) -> str:
    """What must be equal for a folder to hold this very training; workers, writers and device change nothing."""
    settings = plan.model_dump(mode="json", exclude={"writers": True, "device": True, "data": {"workers", "cache", "keep"}})
    rows = [str(sorted(map(str, examples.rows_of(place)))) for place in range(len(examples))]
    return fingerprint(str(settings), examples.parts.tobytes(), *map(str, examples.paths), *rows, *examples.classes)
