"""A training: what is to be done, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from burnish.train.handlers.order import Handlers
    from burnish.train.optim.scheduler import Scheduler
    from burnish.train.target import Score, Target
    from burnish.train.writers.writer import Writer


class Measured(Protocol):
    """What a forward pass gives, if not a plain mean: a mean and what it was divided by, as losses of `burnish.train.losses` give it."""

    @property
    def mean(self) -> Tensor:
        """The loss of the batch."""
        ...

    @property
    def counts(self) -> Mapping[str, Tensor]:
        """How much each part's mean stands for; they add up over batches."""
        ...

    def share(self, counts: Mapping[str, Tensor]) -> Tensor:
        """The batch's share of a mean over more than itself."""
        ...


Forward: TypeAlias = "Callable[[nn.Module, Any], Tensor | tuple[Tensor, float] | Measured]"
"""Gives the loss of a batch: a mean, a mean with its count, or a result with parts."""
Batches: TypeAlias = Callable[[int, int], Iterable[Any]]
"""Gives the batches of an epoch from one on; the same numbers must give the same batches."""
Evaluate: TypeAlias = "Callable[[nn.Module], Mapping[str, float]]"


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is to be trained, and on what.

    Attributes:
        model: The network, on its device.
        optimizer: Its optimiser.
        forward: Gives the loss of a batch.
        batches: Gives the batches of an epoch, counted from 0, from one of them on.
        batches_per_epoch: How many an epoch has.
        epochs: How many epochs there are.
        handlers: What happens around the steps.
        scheduler: The learning rates; None leaves them as they are.
        evaluate: Gives the metrics; None evaluates nothing.
        evaluations_per_epoch: How many there are, evenly spread, the last at its end.
        target: What the metrics are judged by.
        folder: Where checkpoints are; None keeps none.
        fingerprint: What must be equal for a checkpoint to belong to this training, beside the shapes of the weights.
        count: Counts of a step's parts from its batches, where the parts of a loss are divided by numbers that vary against one another.
        writer: Where numbers go.
        log_every: Steps between the training's own numbers.
        progress: Where to report.
        label: What the work is called there.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    forward: Forward
    batches: Batches
    batches_per_epoch: int
    epochs: int
    handlers: Handlers
    scheduler: Scheduler | None = None
    evaluate: Evaluate | None = None
    evaluations_per_epoch: int = 1
    target: Target | None = None
    folder: Path | None = None
    fingerprint: str = ""
    count: Callable[[Any], Mapping[str, Tensor]] | None = None
    writer: Writer | None = None
    log_every: int = 50
    progress: Progress = silent
    label: str = "Training"

    def __post_init__(self) -> None:
        if self.batches_per_epoch < 1 or self.epochs < 1:
            raise ConfigError(
                f"A training of {self.epochs} epochs with {self.batches_per_epoch} batches each; expected at least one of both."
            )
        if not 1 <= self.evaluations_per_epoch <= self.batches_per_epoch:
            told = f"evaluations_per_epoch is {self.evaluations_per_epoch}"
            raise ConfigError(f"{told}; expected 1 to {self.batches_per_epoch}, the number of batches of an epoch.")
        if self.evaluate is not None and self.target is None:
            raise ConfigError("There are evaluations but no target; say what counts, for instance target='min loss'.")


@dataclass(slots=True, eq=False)
class Run:
    """How far a training is; handlers see it and may end it.

    Attributes:
        job: What is done.
        device: Where the network is.
        epoch: The present one, from 0.
        batch: Batches of it that are done.
        step: Steps done or skipped.
        skipped: Steps skipped, of these.
        evaluated: Batch of this epoch after which the last evaluation was; -1 before the first.
        evaluations: Evaluations so far.
        loss: Mean of the step just done, on the device, without gradient.
        metrics: Of the last evaluation.
        score: How good they are.
        best: The best score so far, and the step of it.
        improved: The last evaluation was the best so far.
        seconds: Time spent before this process took over.
        stop: Why the training ends; empty while it goes on.
        interrupted: A signal ends it.
        saves: A checkpoint is wanted after this step.
        norm: Length of the gradient of this step, once somebody asked.
        told: What handlers want the writer to be told next.
    """

    job: Job
    device: torch.device
    epoch: int = 0
    batch: int = 0
    step: int = 0
    skipped: int = 0
    evaluated: int = -1
    evaluations: int = 0
    loss: Tensor | None = None
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    score: Score | None = None
    best: tuple[Score, int] | None = None
    improved: bool = False
    seconds: float = 0.0
    stop: str = ""
    interrupted: bool = False
    saves: bool = False
    norm: Tensor | None = None
    told: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def position(self) -> float:
        """Epochs done, with the fraction of the present one."""
        return self.epoch + self.batch / self.job.batches_per_epoch

    def end(self, reason: str) -> None:
        """Let the training end after this step; the first reason stays."""
        self.stop = self.stop or reason


def mean_loss(found: Tensor | tuple[Tensor, float] | Measured) -> Tensor:
    """The loss of a batch, whichever form a forward pass gives it in."""
    if isinstance(found, torch.Tensor):
        return found
    return found[0] if isinstance(found, tuple) else found.mean


def network_device(model: nn.Module) -> torch.device:
    """Where a network is, by its first parameter; the CPU where it has none."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


def trained_parameters(run: Run) -> list[Tensor]:
    """The parameters of the optimiser that have a gradient."""
    return [parameter for group in run.job.optimizer.param_groups for parameter in group["params"] if parameter.grad is not None]


def gradient_norm(run: Run) -> Tensor:
    """Length of the gradient over all parameters, computed once a step."""
    if run.norm is None:
        gradients = [parameter.grad for parameter in trained_parameters(run) if parameter.grad is not None]
        run.norm = torch.nn.utils.get_total_norm(gradients)
    return run.norm
