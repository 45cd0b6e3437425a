"""The training of classifiers: Adam on cross-entropy, chosen on an inner part, continued where it was stopped."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.engine.fingerprint import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError, ModelError, extra
from burnish.metrics.classification import accuracy, balanced_accuracy, confusion_matrix, weighted_f1
from burnish.models.device import mixed_precision, seed_torch
from burnish.train.checkpoint import load_checkpoint, save_checkpoint
from burnish.train.fitted import EpochReport, FittedClassifier, cross_entropy, fit_temperature, predict_logits, to_device
from burnish.train.handlers.order import build_handlers
from burnish.train.handlers.saving import BEST, LAST
from burnish.train.handlers.settings import SavingConfig
from burnish.train.loaders.cached import training_batches, worker_count
from burnish.train.loaders.sampler import cut_into_batches, epoch_rows
from burnish.train.optim.factors import Clock
from burnish.train.optim.scheduler import build_scheduler
from burnish.train.optim.schedules import PlateauConfig
from burnish.train.resuming import chance_left_alone
from burnish.train.run import Job
from burnish.train.target import parse_target
from burnish.train.training import train

with extra("audit"):
    import torch
    from torch.nn.functional import cross_entropy as torch_cross_entropy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from burnish.models.classifiers import PictureClassifier
    from burnish.train.augs.settings import TransformConfig
    from burnish.train.optim.scheduler import Scheduler
    from burnish.train.run import Run
    from burnish.train.settings import TrainingConfig

    _Batch = tuple[NDArray[np.int64], NDArray[np.uint8]]

_STEPS_BETWEEN_CHECKS = 20
_MINUTES_BETWEEN_SAVES = 5.0
_FORM = "2"  # of checkpoints: those of the first held another state


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What a network is trained on.

    Attributes:
        pixels: (N, H, W, 3) uint8, RGB, usually memory-mapped.
        labels: (N,) class indices; those of rows that are not named below may be anything.
        train_rows: Rows that are trained on.
        inner_rows: Rows that choose the epoch and calibrate; may be empty, then the last epoch is taken as it is.
        training: Settings.
        transform: Transforms.
        seed: Same seed, same result (on a CPU; on a GPU up to its own rounding).
        device: Where to train.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    train_rows: NDArray[np.int64]
    inner_rows: NDArray[np.int64]
    training: TrainingConfig
    transform: TransformConfig
    seed: int
    device: torch.device


def fit_classifier(
    model: PictureClassifier,
    task: Task,
    *,
    work_folder: Path | str | None = None,
    progress: Progress = silent,
    label: str = "Training",
    calibrate: bool = True,
) -> FittedClassifier:
    """Train a network and give it back with the weights of its best epoch.

    The best epoch is the one with the highest balanced accuracy on the inner rows (the lower loss decides between equals); no other row
    has a say. After each epoch a checkpoint is written, and every few minutes inside one, so that the same call continues a training
    that was killed or stopped.

    Args:
        model: The network, with the weights that it begins with.
        task: What to train on.
        work_folder: Where checkpoints are kept; None keeps none.
        progress: Where to report.
        label: What the work is called there.
        calibrate: Fit a temperature on the inner rows.

    Raises:
        DataError: A row to train on has no class of the network.
        ModelError: The loss became infinite or no number, or the memory of the device does not suffice.
    """
    _check(model, task)
    model.to(task.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    job, record = _job(model, task, None if work_folder is None else Path(work_folder), progress=progress, label=label)
    try:
        with chance_left_alone():
            train(job)
    except ModelError as error:
        if not isinstance(error.__cause__, torch.OutOfMemoryError):
            raise
        message = f"The memory of {task.device} does not suffice for {task.training.batch_size} pictures at once."
        raise ModelError(f"{message} Lower batch_size or resize.size, or take a smaller network.") from error
    model.load_state_dict(record.weights)
    model.eval()
    temperature = fit_temperature(_inner_logits(model, task), task.labels[task.inner_rows]) if calibrate else 1.0
    return FittedClassifier(model, task.transform, task.device, tuple(record.history), record.best_epoch, temperature)


class _Record:
    """A handler that writes the reports of the epochs and keeps the best weights.

    It chooses them itself, because what the training is judged by, the loss, is what the learning rate waits for.
    """

    name = "record"

    def __init__(self, task: Task, sizes: Sequence[int], weights: dict[str, torch.Tensor]) -> None:
        self._seed, self._sizes, self.weights = task.seed, sizes, weights
        self._total, self._began = torch.zeros((), device=task.device), time.monotonic()
        self.history: list[EpochReport] = []

    @property
    def train_loss(self) -> float:
        """Mean over the pictures of an epoch that is done."""
        return float(self._total) / sum(self._sizes)

    @property
    def best_epoch(self) -> int:
        """The first of the highest balanced accuracy and, between equals, the lowest loss; the last where neither was measured."""
        last = len(self.history) - 1
        best = max(self.history, key=lambda report: (report.balanced_accuracy, -report.loss))
        return last if np.isnan(best.loss) else best.epoch

    def epoch_began(self, run: Run) -> None:
        """Begin to count; the chance of an epoch depends on nothing before it."""
        self._total, self._began = torch.zeros_like(self._total), time.monotonic()
        seed_torch(self._seed, run.epoch)

    def stepped(self, run: Run) -> None:
        """Add up the loss, and look at it now and then: each look waits for a GPU.

        Raises:
            ModelError: It is no number.
        """
        assert run.loss is not None
        self._total += self._sizes[run.batch - 1] * run.loss
        looks = run.batch % _STEPS_BETWEEN_CHECKS == 0 or run.batch == len(self._sizes)
        if looks and not np.isfinite(total := float(self._total)):
            rate = run.job.optimizer.param_groups[0]["lr"]
            message = f"The loss is {total} in epoch {run.epoch + 1}, by step {run.batch}, at a learning rate of {rate:g}."
            raise ModelError(f"{message} Lower lr (for instance to {rate / 10:g}), lengthen warmup, or begin from other weights.")

    def evaluated(self, run: Run) -> None:
        """Write the report, and keep the weights if they are the best.

        Their file comes before the last checkpoint: killed in between, the training continues before this epoch and comes here again.
        """
        rate, seconds = run.job.optimizer.param_groups[0]["lr"], time.monotonic() - self._began
        self.history.append(EpochReport(epoch=run.epoch, rate=rate, seconds=seconds, **run.metrics))
        if self.best_epoch != run.epoch:
            return
        self.weights = {key: value.detach().cpu().clone() for key, value in run.job.model.state_dict().items()}
        if run.job.folder is not None:
            content = {"fingerprint": run.job.fingerprint, "epoch": run.epoch, "model": self.weights}
            save_checkpoint(run.job.folder / BEST, content)

    def state(self) -> dict[str, Any]:
        """Everything but the weights, which have a file of their own."""
        history = [asdict(report) for report in self.history]
        return {"history": history, "total": self._total, "seconds": time.monotonic() - self._began}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue with it."""
        self.history = [EpochReport(**report) for report in state["history"]]
        self._total, self._began = state["total"].to(self._total.device), time.monotonic() - state["seconds"]


def _job(model: PictureClassifier, task: Task, folder: Path | None, *, progress: Progress, label: str) -> tuple[Job, _Record]:
    mark = _fingerprint(model, task)
    sizes = [len(rows) for rows in _batches(task, 0, model.num_classes)]
    record = _Record(task, sizes, {} if folder is None else _best_weights(folder, mark))
    optimizer = torch.optim.Adam(model.parameters(), lr=task.training.lr)
    job = Job(
        model,
        optimizer,
        partial(_loss, task),
        partial(_loaded, task, model.num_classes),
        batches_per_epoch=len(sizes),
        epochs=task.training.epochs,
        handlers=build_handlers([SavingConfig(every_minutes=_MINUTES_BETWEEN_SAVES, best=False)], [record]),
        scheduler=_scheduler(task.training, optimizer, len(sizes)),
        evaluate=lambda _network: {"train_loss": record.train_loss, **_measured(model, task)},
        target=parse_target("min loss" if len(task.inner_rows) else "min train_loss"),
        folder=folder,
        fingerprint=mark,
        progress=progress,
        label=label,
    )
    return job, record


def _scheduler(training: TrainingConfig, optimizer: torch.optim.Optimizer, steps: int) -> Scheduler:
    same = training.model_dump(include={"warmup", "factor", "patience"})
    plateau = PlateauConfig(**same, warmup_shape="exponential", final=training.min_lr / training.lr)
    epochs = max(training.epochs, training.warmup)  # the seed allows a warm-up that is not over at the end
    return build_scheduler(plateau, optimizer, Clock(math.ceil(epochs * steps), steps))


def _loss(task: Task, model: nn.Module, batch: _Batch) -> torch.Tensor:
    rows, pictures = batch
    with mixed_precision(task.device):
        return torch_cross_entropy(model(to_device(pictures, task.device)), torch.from_numpy(task.labels[rows]).to(task.device))


def _loaded(task: Task, num_classes: int, epoch: int, first: int) -> Iterator[_Batch]:
    batches, workers = _batches(task, epoch, num_classes), worker_count(task.training.num_workers)
    pictures = training_batches(task.pixels, batches, task.transform, seed=task.seed, epoch=epoch, first=first, workers=workers)
    return zip(batches[first:], pictures, strict=True)


def _measured(model: PictureClassifier, task: Task) -> dict[str, float]:
    labels = task.labels[task.inner_rows]
    logits = _inner_logits(model, task)
    confusion = confusion_matrix(labels, logits.argmax(axis=1), model.num_classes)
    return {
        "loss": cross_entropy(logits, labels),
        "accuracy": accuracy(confusion),
        "balanced_accuracy": balanced_accuracy(confusion),
        "weighted_f1": weighted_f1(confusion),
    }


def _inner_logits(model: PictureClassifier, task: Task) -> NDArray[np.float64]:
    workers = worker_count(task.training.num_workers)
    return predict_logits(model, task.pixels, task.inner_rows, task.transform, task.device, workers=workers)


def _batches(task: Task, epoch: int, num_classes: int) -> tuple[NDArray[np.int64], ...]:
    labels, weighted = task.labels[task.train_rows], task.training.weighted_sampler
    rows = epoch_rows(task.train_rows, labels, num_classes, seed=task.seed, epoch=epoch, weighted=weighted)
    return cut_into_batches(rows, task.training.batch_size)


def _best_weights(folder: Path, mark: str) -> dict[str, torch.Tensor]:
    """The best weights so far of a training to be continued; where it cannot be, its last checkpoint goes, and it begins anew."""
    last, best = (load_checkpoint(folder / name, fingerprint=mark) for name in (LAST, BEST))
    if last is None or (best is None and last["run"]["evaluations"]):
        (folder / LAST).unlink(missing_ok=True)
    return {} if last is None or best is None else best["model"]


def _fingerprint(model: PictureClassifier, task: Task) -> str:
    """What must be equal for a checkpoint to belong to this training; the number of workers changes nothing."""
    rows = np.concatenate([task.train_rows, [-1], task.inner_rows]).astype(np.int64)
    settings = task.training.model_dump_json(exclude={"num_workers"}) + task.transform.model_dump_json()
    network = f"{model.name} {model.num_classes} {task.pixels.shape} {task.seed}"
    labels = np.ascontiguousarray(task.labels[rows[rows >= 0]]).tobytes()
    return fingerprint(_FORM, network, settings, rows.tobytes(), labels)


def _check(model: PictureClassifier, task: Task) -> None:
    if len(task.train_rows) == 0:
        raise DataError("There is no picture to train on; expected at least one.")
    rows = np.concatenate([task.train_rows, task.inner_rows])
    bad = rows[(task.labels[rows] < 0) | (task.labels[rows] >= model.num_classes)]
    if len(bad):
        message = f"Picture {bad[0]} has the class {task.labels[bad[0]]}; expected 0 to {model.num_classes - 1}"
        raise DataError(f"{message} ({len(bad):,} such pictures).", table="images", rows=bad.tolist())
