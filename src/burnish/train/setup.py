"""A training made ready: settings without gaps become pictures, batches, a network and everything else that the loop asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.engine.files import refuse_impossible_folder
from burnish.engine.fingerprint import fingerprint
from burnish.errors import ConfigError, DataError, extra
from burnish.formats.plans import copies_for, read_plan
from burnish.models.device import seeded
from burnish.train.augs.pipeline import build_augs
from burnish.train.distributed import is_first, rank, world_size
from burnish.train.exchange import share_weights
from burnish.train.handlers.order import build_handlers
from burnish.train.handlers.parts import LossParts
from burnish.train.latency import LATENCY, asks_for_latency, latency_ms
from burnish.train.loaders.cached import worker_count
from burnish.train.loaders.feeding import Feed
from burnish.train.loaders.placement import Placement
from burnish.train.loaders.sampler import class_weights
from burnish.train.loaders.sharding import shard_rows
from burnish.train.loaders.shared import share_samples
from burnish.train.optim.factors import Clock
from burnish.train.optim.optimizers import build_optimizer
from burnish.train.optim.scheduler import build_scheduler
from burnish.train.policies.losses import ScoreLoss
from burnish.train.policies.showing import Showing
from burnish.train.run import Job
from burnish.train.run_folder import CACHE, caches_of_other_runs
from burnish.train.several import rank_device
from burnish.train.target import parse_target
from burnish.train.writers.making import build_writers

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from burnish.engine.progress import Progress
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.losses import Batch
    from burnish.train.policies.policy import Loss, Policy
    from burnish.train.policies.settings import TrainConfig
    from burnish.train.run import Measured
    from burnish.train.samples import Sample
    from burnish.train.writers.writer import Writer


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A training, ready to begin: settings without gaps, pictures, task, batches and device."""

    plan: TrainConfig
    examples: Examples
    policy: Policy
    feed: Feed
    loss: Loss
    device: torch.device


def set_up(plan: TrainConfig, policy: Policy, folder: Path, progress: Progress) -> Setup:
    """Prepare the pictures of a training; each rank gets its part of each batch.

    Args:
        plan: Settings without gaps.
        policy: The task and its pictures.
        folder: Where decoded pictures are kept, unless the plan says so.
        progress: Where to report.

    Raises:
        DataError: There is no picture to validate with.
        ConfigError: Something of the plan cannot be made, for instance the folder `data.cache`.
    """
    assert isinstance(plan.size, tuple)
    assert plan.data.fit is not None
    examples = policy.examples
    own = examples.part("train")
    if not len(examples.part("val")):
        raise DataError("There is no picture to validate with. Name such a split with data.validation, or add pictures.")
    placement = Placement(size=plan.size, how=plan.data.fit)
    place = _cache_folder(plan, folder)
    samples = share_samples(
        examples.paths,
        placement,
        place,
        targets=policy.targets,
        budget=replace(plan.data.keep.budget, further=() if plan.data.cache else caches_of_other_runs(folder)),
        windows=examples.windows,
        progress=progress,
    )

    def sample(row: int) -> Sample:
        found, place = samples.placed(row)
        return policy.annotated(found, row, place)

    feed = Feed(
        sample=sample,
        epoch_rows=epoch_rows(plan, examples),
        pool=own,
        augment=build_augs(plan.augs).augment,
        collate=policy.collate,
        batch_size=plan.batch_size // world_size(),
        seed=plan.seed,
        workers=worker_count(plan.data.workers, trials=world_size()),
        rank=rank(),
        world_size=world_size(),
        name=samples.name,
    )
    return Setup(plan, examples, policy, feed, policy.loss(plan.loss), rank_device(plan.hardware.device))


def build_job(
    setup: Setup, folder: Path, mark: str, progress: Progress, more: Sequence[Any] = (), *, writers: Writer | None = None
) -> tuple[Job, Showing]:
    """The training itself, with what draws its predictions.

    Args:
        setup: What it is made of.
        folder: Where checkpoints and numbers go.
        mark: What a checkpoint must hold to belong to it.
        progress: Where to report.
        more: Handlers of the caller.
        writers: Whom to tell beside the run folder.

    Raises:
        ConfigError: A part of the plan cannot be made.
    """
    plan, device = setup.plan, setup.device
    model = new_network(setup)
    torch.manual_seed(plan.seed + rank())
    optimizer = build_optimizer(plan.optimizer, model)
    showing = Showing(setup.policy, setup.feed, setup.examples.part("val")[: plan.evaluation.pictures], device)
    parts = LossParts()
    handlers = build_handlers(plan.handlers, [parts, *([showing] if plan.evaluation.pictures else []), *more])
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
        evaluate=lambda network: measure(setup, network, "val"),
        evaluations_per_epoch=min(plan.evaluation.per_epoch, batches),
        target=parse_target(plan.evaluation.target),
        folder=folder,
        fingerprint=mark,
        count=_count(setup) if handlers.accumulation.batches > 1 else None,
        writer=build_writers([{"name": "jsonl", "folder": folder}], more={} if writers is None else {"others": writers})
        if is_first()
        else None,
        log_every=max(1, min(50, steps)),
        progress=progress,
    )
    return job, showing


def new_network(setup: Setup) -> nn.Module:
    """The network before its first step, the same for the same seed and on all ranks.

    Raises:
        ConfigError: Batch normalisation is to be shared between processes of a CPU, which it cannot.
    """
    from burnish.models.networks.building import build_network  # noqa: PLC0415 - loads the libraries of networks
    from burnish.models.networks.layout import placed_to_learn  # noqa: PLC0415 - likewise

    plan = setup.plan
    assert plan.network is not None
    assert isinstance(plan.size, tuple)
    with seeded(setup.device, plan.seed):
        built = build_network(plan.network, outputs=setup.policy.outputs, image_size=plan.size)
    if plan.hardware.sync_batch_norm and world_size() > 1:
        if setup.device.type == "cpu":
            raise ConfigError("hardware.sync_batch_norm works between GPUs only. Leave it out, or take a network with group normalisation.")
        built = torch.nn.SyncBatchNorm.convert_sync_batchnorm(built)
    model = placed_to_learn(built, setup.device)
    share_weights(model)
    return model


def measure(setup: Setup, model: nn.Module, part: str) -> dict[str, float]:
    """The numbers of one part, its pictures as the network sees them; each rank looks at its share, all get the numbers of all.

    The network is in evaluation mode afterwards.
    """
    measuring = setup.policy.measuring(setup.plan.evaluation.metrics, setup.loss)
    rows_here = shard_rows(setup.examples.part(part), rank=rank(), world_size=world_size())
    model.eval()
    with torch.inference_mode():
        for rows, batch in setup.feed.plain_batches(rows_here):
            measuring.update(model, batch.to(setup.device), rows)
    return {**measuring.compute(), **_asked_besides(setup, model, part)}


def epoch_rows(plan: TrainConfig, examples: Examples) -> Callable[[int], NDArray[np.int64]]:
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


def training_mark(plan: TrainConfig, examples: Examples) -> str:
    """What must be equal for a folder to hold this very training; workers, writers, published weights and device change nothing."""
    settings = plan.model_dump(
        mode="json", exclude={"evaluation": {"writers", "publish"}, "hardware": {"device"}, "data": {"workers", "cache", "keep"}}
    )
    rows = [str(sorted(map(str, examples.rows_of(place)))) for place in range(len(examples))]
    return fingerprint(str(settings), examples.parts.tobytes(), *map(str, examples.paths), *rows, *examples.classes)


def _cache_folder(plan: TrainConfig, folder: Path) -> Path:
    """Where decoded pictures are kept; a folder that the user names is made at once, before pictures are decoded for nothing.

    Raises:
        ConfigError: It cannot be made or written.
    """
    if plan.data.cache is None:
        return folder / CACHE
    place = Path(plan.data.cache)
    try:
        refuse_impossible_folder(place)
        place.mkdir(parents=True, exist_ok=True)
    except (DataError, OSError) as error:
        told = str(error) if isinstance(error, DataError) else f"{place} cannot be made: {error.strerror}."
        raise ConfigError(f"data.cache names no folder for decoded pictures. {told}") from error
    return place


def _asked_besides(setup: Setup, model: nn.Module, part: str) -> dict[str, float]:
    """The time of a forward pass, where settings ask for it: of the first picture of the part."""
    if not asks_for_latency(setup.plan):
        return {}
    (_, batch), *_ = setup.feed.plain_batches(setup.examples.part(part)[:1])
    return {LATENCY: latency_ms(model, batch.to(setup.device).pictures)}


def _count(setup: Setup) -> Callable[[Batch], Mapping[str, Tensor]] | None:
    """Counts the parts of a loss on scores before a step of several batches, so that each part weighs by its own."""
    loss = setup.loss
    if not isinstance(loss, ScoreLoss) or not loss.has_parts:
        return None
    return lambda batch: loss.counts(batch.to(setup.device), setup.policy.outputs)


def _forward(setup: Setup, parts: LossParts, done: Callable[[], float]) -> Callable[[nn.Module, Batch], Measured]:
    def forward(model: nn.Module, batch: Batch) -> Measured:
        return parts.kept(setup.loss(model, batch.to(setup.device), progress=done()))

    return forward
