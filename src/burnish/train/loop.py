"""The training loop of classifiers: Adam on cross-entropy, chosen on an inner part, continued where it was stopped."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.engine.fingerprint import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError, ModelError, extra
from burnish.metrics.classification import accuracy, balanced_accuracy, confusion_matrix, weighted_f1
from burnish.models.device import mixed_precision, seeded
from burnish.train.checkpoint import load_checkpoint, save_checkpoint
from burnish.train.fitted import EpochReport, FittedClassifier, cross_entropy, fit_temperature, predict_logits, to_device
from burnish.train.loaders.cached import training_batches, worker_count
from burnish.train.loaders.sampler import cut_into_batches, epoch_rows
from burnish.train.optim.schedule import Schedule, after_evaluation, after_step, begin, learning_rate

with extra("audit"):
    import torch
    from torch.nn.functional import cross_entropy as torch_cross_entropy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from burnish.models.classifiers import PictureClassifier
    from burnish.train.augs.settings import TransformConfig
    from burnish.train.settings import TrainingConfig

_STEPS_BETWEEN_CHECKS = 20


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


@dataclass(slots=True)
class _Run:
    """How far a training is: everything that a checkpoint holds."""

    optimizer: torch.optim.Adam
    schedule: Schedule
    history: list[EpochReport] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    best_epoch: int = -1


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
    has a say. After each epoch a checkpoint is written, so that the same call continues a training that was killed or stopped.

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
    run = _Run(torch.optim.Adam(model.parameters(), lr=task.training.lr), begin(task.training))
    folder = None if work_folder is None else Path(work_folder)
    mark = _fingerprint(model, task)
    if folder is not None and _continue(model, run, folder, mark):
        progress.say(f"{label}: continues after epoch {len(run.history)} of {task.training.epochs}.")
    try:
        _train(model, run, task, folder=folder, mark=mark, progress=progress, label=label)
    except torch.OutOfMemoryError as error:
        message = f"The memory of {task.device} does not suffice for {task.training.batch_size} pictures at once."
        raise ModelError(f"{message} Lower batch_size or resize.size, or take a smaller network.") from error
    model.load_state_dict(run.best)
    model.eval()
    temperature = fit_temperature(_inner_logits(model, task), task.labels[task.inner_rows]) if calibrate else 1.0
    return FittedClassifier(model, task.transform, task.device, tuple(run.history), run.best_epoch, temperature)


def _train(model: PictureClassifier, run: _Run, task: Task, *, folder: Path | None, mark: str, progress: Progress, label: str) -> None:
    steps = len(_batches(task, 0, model.num_classes))
    first = len(run.history)
    with progress.task(label, steps * (task.training.epochs - first)) as advance:
        for epoch in range(first, task.training.epochs):
            began = time.monotonic()
            with seeded(task.device, task.seed, epoch):
                train_loss, rate = _train_epoch(model, run, task, epoch, advance)
            report = _evaluated(model, task, epoch, train_loss=train_loss, rate=rate, began=began)
            run.history.append(report)
            loss = report.loss if len(task.inner_rows) else report.train_loss
            run.schedule = after_evaluation(run.schedule, loss, task.training, steps)
            improved = _is_best(run, report)
            if improved:
                run.best = {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}
                run.best_epoch = epoch
            if folder is not None:
                _save(model, run, folder, mark, improved=improved)


def _train_epoch(model: PictureClassifier, run: _Run, task: Task, epoch: int, advance: Callable[[int], None]) -> tuple[float, float]:
    """Give the mean loss and the last learning rate."""
    model.train()
    batches = _batches(task, epoch, model.num_classes)
    workers = worker_count(task.training.num_workers)
    pictures = training_batches(task.pixels, batches, task.transform, seed=task.seed, epoch=epoch, workers=workers)
    total = torch.zeros((), device=task.device)
    rate = run.schedule.rate
    for number, (rows, batch) in enumerate(zip(batches, pictures, strict=True), start=1):
        rate = learning_rate(run.schedule, task.training, len(batches))
        for group in run.optimizer.param_groups:
            group["lr"] = rate
        total += len(rows) * _step(model, run.optimizer, batch, task.labels[rows], task.device)
        run.schedule = after_step(run.schedule)
        if number % _STEPS_BETWEEN_CHECKS == 0 or number == len(batches):
            _check_loss(float(total), epoch, number, rate)
        advance(1)
    return float(total) / sum(len(rows) for rows in batches), rate


def _step(
    model: PictureClassifier, optimizer: torch.optim.Adam, pictures: NDArray[np.uint8], labels: NDArray[np.int64], device: torch.device
) -> torch.Tensor:
    with mixed_precision(device):
        loss = torch_cross_entropy(model(to_device(pictures, device)), torch.from_numpy(labels).to(device))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.detach()


def _evaluated(model: PictureClassifier, task: Task, epoch: int, *, train_loss: float, rate: float, began: float) -> EpochReport:
    labels = task.labels[task.inner_rows]
    logits = _inner_logits(model, task)
    confusion = confusion_matrix(labels, logits.argmax(axis=1), model.num_classes)
    return EpochReport(
        epoch=epoch,
        train_loss=train_loss,
        loss=cross_entropy(logits, labels),
        accuracy=accuracy(confusion),
        balanced_accuracy=balanced_accuracy(confusion),
        weighted_f1=weighted_f1(confusion),
        rate=rate,
        seconds=time.monotonic() - began,
    )


def _inner_logits(model: PictureClassifier, task: Task) -> NDArray[np.float64]:
    workers = worker_count(task.training.num_workers)
    return predict_logits(model, task.pixels, task.inner_rows, task.transform, task.device, workers=workers)


def _is_best(run: _Run, report: EpochReport) -> bool:
    if run.best_epoch < 0 or np.isnan(report.loss):
        return True
    best = run.history[run.best_epoch]
    return (report.balanced_accuracy, -report.loss) > (best.balanced_accuracy, -best.loss)


def _batches(task: Task, epoch: int, num_classes: int) -> tuple[NDArray[np.int64], ...]:
    labels, weighted = task.labels[task.train_rows], task.training.weighted_sampler
    rows = epoch_rows(task.train_rows, labels, num_classes, seed=task.seed, epoch=epoch, weighted=weighted)
    return cut_into_batches(rows, task.training.batch_size)


def _save(model: PictureClassifier, run: _Run, folder: Path, mark: str, *, improved: bool) -> None:
    """The best weights first: should the process be killed in between, the last checkpoint is one epoch older and repeats that epoch."""
    if improved:
        save_checkpoint(folder / "best.pt", {"fingerprint": mark, "epoch": run.best_epoch, "model": run.best})
    state: dict[str, Any] = {
        "fingerprint": mark,
        "model": model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "schedule": asdict(run.schedule),
        "history": [asdict(report) for report in run.history],
        "best_epoch": run.best_epoch,
    }
    save_checkpoint(folder / "last.pt", state)


def _continue(model: PictureClassifier, run: _Run, folder: Path, mark: str) -> bool:
    last = load_checkpoint(folder / "last.pt", fingerprint=mark)
    best = load_checkpoint(folder / "best.pt", fingerprint=mark)
    if last is None or best is None:
        return False
    model.load_state_dict(last["model"])
    run.optimizer.load_state_dict(last["optimizer"])
    run.schedule = Schedule(**last["schedule"])
    run.history = [EpochReport(**report) for report in last["history"]]
    run.best, run.best_epoch = best["model"], last["best_epoch"]
    return True


def _fingerprint(model: PictureClassifier, task: Task) -> str:
    """What must be equal for a checkpoint to belong to this training; the number of workers changes nothing."""
    rows = np.concatenate([task.train_rows, [-1], task.inner_rows]).astype(np.int64)
    settings = task.training.model_dump_json(exclude={"num_workers"}) + task.transform.model_dump_json()
    network = f"{model.name} {model.num_classes} {task.pixels.shape} {task.seed}"
    labels = np.ascontiguousarray(task.labels[rows[rows >= 0]]).tobytes()
    return fingerprint(network, settings, rows.tobytes(), labels)


def _check(model: PictureClassifier, task: Task) -> None:
    if len(task.train_rows) == 0:
        raise DataError("There is no picture to train on; expected at least one.")
    rows = np.concatenate([task.train_rows, task.inner_rows])
    bad = rows[(task.labels[rows] < 0) | (task.labels[rows] >= model.num_classes)]
    if len(bad):
        message = f"Picture {bad[0]} has the class {task.labels[bad[0]]}; expected 0 to {model.num_classes - 1}"
        raise DataError(f"{message} ({len(bad):,} such pictures).", table="images", rows=bad.tolist())


def _check_loss(total: float, epoch: int, step: int, rate: float) -> None:
    if not np.isfinite(total):
        message = f"The loss is {total} in epoch {epoch + 1}, by step {step}, at a learning rate of {rate:g}."
        raise ModelError(f"{message} Lower lr (for instance to {rate / 10:g}), lengthen warmup, or begin from other weights.")
