"""A trained classifier: what it is, what its training was like, and its probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from burnish.engine.progress import Progress, silent
from burnish.errors import DataError, ModelError, extra
from burnish.models.device import mixed_precision
from burnish.train.augs.classification import prepare
from burnish.train.loaders.cached import prepared_batches

with extra("audit"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.models.classifiers import PictureClassifier
    from burnish.train.augs.settings import TransformConfig

_HOTTEST, _COLDEST = 20.0, 0.25
_ROWS_TO_CALIBRATE = 30


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One pass over the training part.

    Attributes:
        epoch: From 0.
        train_loss: Mean cross-entropy of the training steps.
        loss: Mean cross-entropy on the inner validation part; NaN where there is none, and so are the next three.
        accuracy: Share of right predictions there.
        balanced_accuracy: Mean recall of the classes there.
        weighted_f1: Mean F1 there, weighted by class size.
        rate: Learning rate of the last step.
        seconds: Time it took.
    """

    epoch: int
    train_loss: float
    loss: float
    accuracy: float
    balanced_accuracy: float
    weighted_f1: float
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class FittedClassifier:
    """A classifier with the weights of its best epoch.

    Attributes:
        model: The network, in evaluation mode.
        transform: The transforms of its training; at test time resize and the middle of random crops apply.
        device: Where it runs.
        history: All epochs.
        best_epoch: The epoch whose weights it has.
        temperature: Logits are divided by it before the softmax (Guo et al., "On calibration of modern neural networks", 2017).
    """

    model: PictureClassifier
    transform: TransformConfig
    device: torch.device
    history: tuple[EpochReport, ...]
    best_epoch: int
    temperature: float = 1.0

    def classify(self, pictures: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float64]:
        """Give (N, K) probabilities of pictures, which resize brings to one size.

        Raises:
            DataError: The pictures have several sizes and there is no resize.
        """
        prepared = [prepare(np.asarray(picture, dtype=np.uint8), self.transform) for picture in pictures]
        sizes = {picture.shape for picture in prepared}
        if len(sizes) > 1:
            found = f"The pictures have {len(sizes)} sizes, for instance {sorted(sizes)[:2]}"
            raise DataError(f"{found}; train with transform.resize to bring them to one.")
        if not prepared:
            return np.empty((0, self.model.num_classes))
        return predict_probabilities(self, np.stack(prepared), np.arange(len(prepared)))


def predict_probabilities(
    fitted: FittedClassifier,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    *,
    batch_size: int = 64,
    workers: int = 0,
    progress: Progress = silent,
    label: str = "Predicting",
) -> NDArray[np.float64]:
    """Probabilities of some pictures.

    Args:
        fitted: The classifier.
        pixels: (N, H, W, 3) uint8, RGB, usually memory-mapped.
        rows: (n,) which of them.
        batch_size: Pictures at once.
        workers: Threads that prepare ahead.
        progress: Where to report.
        label: What the work is called there.

    Returns:
        (n, K) float64; each row adds up to 1.

    Raises:
        ModelError: The network gave something that is no number.
    """
    logits = predict_logits(
        fitted.model, pixels, rows, fitted.transform, fitted.device, batch_size=batch_size, workers=workers, progress=progress, label=label
    )
    return np.asarray(softmax(logits / fitted.temperature, axis=1))


def predict_logits(
    model: PictureClassifier,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    transform: TransformConfig,
    device: torch.device,
    *,
    batch_size: int = 64,
    workers: int = 0,
    progress: Progress = silent,
    label: str = "",
) -> NDArray[np.float64]:
    """(n, K) float64 outputs of a network before the softmax, in evaluation mode.

    Raises:
        ModelError: The network gave something that is no number.
    """
    model.eval()
    batches = np.split(rows, range(batch_size, len(rows), batch_size)) if len(rows) else []
    logits = np.empty((len(rows), model.num_classes))
    done = 0
    reporter = progress if label else silent
    with torch.inference_mode(), mixed_precision(device), reporter.task(label, len(rows)) as advance:
        for pictures in prepared_batches(pixels, batches, transform, workers=workers):
            logits[done : done + len(pictures)] = model(to_device(pictures, device)).float().cpu().numpy()
            done += len(pictures)
            advance(len(pictures))
    if not np.isfinite(logits).all():
        raise ModelError("The network gives outputs that are no numbers; its training went astray. Lower lr, or begin from other weights.")
    return logits


def fit_temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The temperature at which labels that the training has not seen are most likely; 1 where there are too few to tell.

    Args:
        logits: (n, K).
        labels: (n,) class indices.
    """
    if len(labels) < _ROWS_TO_CALIBRATE:
        return 1.0

    def surprise(log_temperature: float) -> float:
        return cross_entropy(logits / np.exp(log_temperature), labels)

    found = minimize_scalar(surprise, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood of labels, in nats; NaN without rows."""
    if len(labels) == 0:
        return float("nan")
    return float(-np.asarray(log_softmax(logits, axis=1))[np.arange(len(labels)), labels].mean())


def to_device(pictures: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """(N, H, W, 3) pictures as a (N, 3, H, W) tensor; the memory stays as it is, which is the layout that convolutions like best."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device, non_blocking=True)
