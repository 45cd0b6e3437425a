"""The training of one fold of a classification dataset: inner split, network, loop, probabilities of the part that it never saw."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.data.splits import divide
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, DataError
from burnish.models.classifiers import build_classifier
from burnish.models.device import choose_device, seeded
from burnish.train.augs.classification import output_size
from burnish.train.augs.settings import TransformConfig
from burnish.train.fitted import EpochReport, predict_probabilities
from burnish.train.fitting import Task, fit_classifier
from burnish.train.loaders.cached import worker_count
from burnish.train.settings import TrainingConfig

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_INNER_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class FoldReport:
    """How the training of a fold went.

    Attributes:
        network: Library and name.
        device: Where it was trained.
        train_pictures: Pictures trained on.
        inner_pictures: Pictures that chose the epoch.
        history: All epochs.
        best_epoch: Number, from 0, of the epoch that was taken.
        temperature: Of the probabilities; above 1 the network was too sure of itself.
        seconds: Time of this call, which is short where the fold had been trained before.
        notes: What the user should know, one sentence each.
    """

    network: str
    device: str
    train_pictures: int
    inner_pictures: int
    history: tuple[EpochReport, ...]
    best_epoch: int
    temperature: float
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> EpochReport:
        """The epoch that was taken."""
        return self.history[self.best_epoch]


def train_fold(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    train_rows: NDArray[np.int64],
    test_rows: NDArray[np.int64],
    *,
    num_classes: int,
    model_name: str = "EfficientNetV2_s",
    weights: str | Path | None = None,
    training: TrainingConfig | None = None,
    transform: TransformConfig | None = None,
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
    device: str | None = None,
    calibrate: bool = True,
    work_folder: Path | str | None = None,
    progress: Progress = silent,
    label: str = "Training",
) -> tuple[NDArray[np.float64], FoldReport]:
    """Train a network on one part of the pictures and predict another part, which has no say in the training.

    A share of the training part, every class in proportion and no group cut, is set aside to choose the best epoch and to calibrate.

    Args:
        pixels: (N, H, W, 3) uint8, RGB, usually a memory map.
        labels: (N,) class indices 0 to K - 1; those of test rows are never looked at.
        train_rows: Rows to train on.
        test_rows: (n,) rows to predict.
        num_classes: K.
        model_name: The network, as `find_network` understands it.
        weights: What the network begins with, as in `build_classifier`.
        training: Settings of the training; the seed's when None.
        transform: Transforms; none when None.
        groups: (N,) pictures with the same number stay together.
        seed: Same seed, same result on a CPU.
        device: For instance "cuda" or "cpu"; the best there is when None.
        calibrate: Fit a temperature on the inner part.
        work_folder: Where checkpoints are kept, so that a killed training continues.
        progress: Where to report.
        label: What the work is called there.

    Returns:
        (n, K) float64 probabilities, and how the training went.

    Raises:
        ConfigError: The network is not known, or cannot take the size of the pictures.
        DataError: A training row has no class, or a row is in both parts.
        ModelError: The training failed; WeightsError: the weights cannot be had or do not fit.
    """
    began = time.monotonic()
    training, transform = training or TrainingConfig(), transform or TransformConfig()
    train_rows, test_rows = np.asarray(train_rows, dtype=np.int64), np.asarray(test_rows, dtype=np.int64)
    labels = np.asarray(labels, dtype=np.int64)
    _check_rows(pixels, labels, train_rows, test_rows, num_classes)
    kept, inner = inner_split(labels, train_rows, groups=groups, num_classes=num_classes, seed=seed)
    chosen = choose_device(device)
    with seeded(chosen, seed):
        size = output_size(transform, (pixels.shape[1], pixels.shape[2]))
        model = build_classifier(model_name, num_classes, weights=weights, image_size=size)
    task = Task(pixels, labels, kept, inner, training, transform, seed, chosen)
    fitted = fit_classifier(model, task, work_folder=work_folder, progress=progress, label=label, calibrate=calibrate)
    workers = worker_count(training.num_workers)
    probabilities = predict_probabilities(fitted, pixels, test_rows, workers=workers, progress=progress, label=f"{label}: predicting")
    report = FoldReport(
        network="/".join(model.name),
        device=str(chosen),
        train_pictures=len(kept),
        inner_pictures=len(inner),
        history=fitted.history,
        best_epoch=fitted.best_epoch,
        temperature=fitted.temperature,
        seconds=time.monotonic() - began,
        notes=_notes(training, inner),
    )
    return probabilities, report


def inner_split(
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    *,
    num_classes: int,
    groups: NDArray[np.int64] | None = None,
    share: float = _INNER_SHARE,
    seed: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide rows into those to train on and those that choose the epoch.

    Classes keep their proportions, groups are not cut, and a class that would have nothing left to train on gets its pictures back.

    Args:
        labels: (N,) class indices.
        rows: The rows to divide.
        num_classes: K.
        groups: (N,) pictures with the same number stay together; each is alone when None.
        share: Share of the inner part.
        seed: Decides between equals.

    Returns:
        Rows to train on and inner rows, each sorted; the second may be empty.
    """
    own = labels[rows]
    together = np.arange(len(rows)) if groups is None else np.asarray(groups)[rows]
    counts = np.zeros((len(rows), num_classes))
    counts[np.arange(len(rows)), own] = 1
    inner = divide(counts, together, (1 - share, share), seed=seed) == 1
    lost = np.setdiff1d(own[inner], own[~inner])
    inner &= ~np.isin(together, together[inner & np.isin(own, lost)])
    return np.sort(rows[~inner]), np.sort(rows[inner])


def _check_rows(
    pixels: NDArray[np.uint8], labels: NDArray[np.int64], train_rows: NDArray[np.int64], test_rows: NDArray[np.int64], num_classes: int
) -> None:
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8:  # noqa: PLR2004 - (N, H, W, 3)
        raise DataError(f"The pixels have shape {pixels.shape} and type {pixels.dtype}; expected (N, H, W, 3) uint8.")
    if len(labels) != len(pixels):
        raise DataError(f"There are {len(pixels):,} pictures and {len(labels):,} labels; expected one label for each.")
    if num_classes < 2:  # noqa: PLR2004 - a choice needs two
        raise ConfigError(f"num_classes is {num_classes}; a classifier needs at least 2 classes.")
    both = np.intersect1d(train_rows, test_rows)
    if len(both):
        found = f"{len(both):,} pictures are in both parts, for instance {both[0]}"
        raise DataError(f"{found}; a part that is predicted must not be trained on.", rows=both.tolist())
    bad = train_rows[(labels[train_rows] < 0) | (labels[train_rows] >= num_classes)]
    if len(bad):
        message = f"Picture {bad[0]} has the class {labels[bad[0]]}; expected 0 to {num_classes - 1} ({len(bad):,} such pictures)."
        raise DataError(message, table="images", rows=bad.tolist())


def _notes(training: TrainingConfig, inner: NDArray[np.int64]) -> tuple[str, ...]:
    notes: list[str] = []
    used = worker_count(training.num_workers)
    if used < training.num_workers:
        notes.append(f"num_workers is {training.num_workers}, but this machine has {used} cores for this process; {used} are used.")
    if len(inner) == 0:
        notes.append("There are too few pictures for an inner validation part, so the last epoch was taken.")
    return tuple(notes)
