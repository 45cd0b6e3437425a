"""An evaluation before the first step, of one batch: what settings ask for in vain is found in seconds, not after an epoch."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

from burnish.errors import ModelError, extra
from burnish.train.asked import refuse_unknown_metrics
from burnish.train.distributed import rank, world_size
from burnish.train.finders.traceless import traceless
from burnish.train.handlers.saving import LAST
from burnish.train.latency import LATENCY, asks_for_latency
from burnish.train.loaders.sharding import shard_rows

with extra("train"):
    import torch

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from burnish.train.setup import Setup


def rehearse(setup: Setup, model: nn.Module, folder: Path) -> None:
    """Make sure that evaluations will give what target and stopping rules ask for; a training that goes on has shown it.

    Raises:
        ConfigError: They will not.
        ModelError: The memory of the device does not suffice.
    """
    if not (folder / LAST).exists():
        refuse_unknown_metrics(setup.plan, evaluated_once(setup, model))


def evaluated_once(setup: Setup, model: nn.Module) -> dict[str, float]:
    """The metrics of the first batch of the validation part; network and chance are left as they were.

    The time of a forward pass is named where an evaluation gives it, and not measured.

    Raises:
        ModelError: The memory of the device does not suffice.
    """
    measuring = setup.policy.measuring(setup.plan.evaluation.metrics, setup.loss)
    own = shard_rows(setup.examples.part("val"), rank=rank(), world_size=world_size())[: setup.feed.batch_size]
    try:
        with traceless(model), torch.no_grad():  # what a network keeps of its first pass must be of use to the training
            model.eval()
            for rows, batch in islice(setup.feed.plain_batches(own), 1):
                measuring.update(model, batch.to(setup.device), rows)
            metrics = measuring.compute()
    except torch.OutOfMemoryError as error:
        message = f"The memory of {setup.device} does not suffice to evaluate {setup.feed.batch_size} pictures at once"
        raise ModelError(f"{message}. Lower batch_size or size, or take a smaller network.") from error
    return {**metrics, LATENCY: math.nan} if asks_for_latency(setup.plan) else metrics
