"""Classification: one class for each picture, or several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import ConfigError, DataError, extra
from burnish.train.loaders.shared import Targets
from burnish.train.metering import build
from burnish.train.policies.losses import Batch, ScoreLoss, completed, probabilities, score_loss
from burnish.train.policies.measuring import ScoreMeasuring
from burnish.train.policies.policy import Defaults
from burnish.train.policies.predicted import labels_of_arrays
from burnish.train.trained import framed

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from burnish.config import Config
    from burnish.data.labels import Labels
    from burnish.train.loaders.placement import Place
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.settings import Mode
    from burnish.train.samples import Sample
    from burnish.train.trained import Trained


def policy(examples: Examples, _network: Config | None = None) -> Classification:
    """The policy of a dataset's tags.

    Raises:
        ConfigError: There are not two classes to choose from, or the mode is for masks.
        DataError: A picture has several classes where it may have one.
    """
    if examples.mode == "binary":
        raise ConfigError("Pictures are classified as multiclass (one class each) or multilabel; a yes or no is two classes.")
    if examples.mode == "multiclass" and len(examples.classes) < 2:  # noqa: PLR2004 - a choice needs two
        raise ConfigError(f"There is one class, {', '.join(examples.classes)}; a classification needs at least two.")
    if examples.mode == "multiclass":
        several = [image for image, rows in examples.rows.items() if len({row["class"] for row in rows}) > 1]
        if several:
            told = f"{len(several):,} pictures have several classes, for instance picture {several[0]}"
            raise DataError(f"{told}; set data.mode to multilabel.", table="images", rows=several)
    return Classification(examples)


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """Classes of whole pictures.

    Attributes:
        examples: The pictures.
    """

    examples: Examples

    @property
    def pictures(self) -> Examples:
        """The same."""
        return self.examples

    @property
    def names(self) -> tuple[str, ...]:
        """What the outputs are called."""
        return self.examples.classes

    @property
    def details(self) -> dict[str, Any]:
        """Nothing besides."""
        return {}

    @property
    def outputs(self) -> int:
        """One for each class."""
        return len(self.examples.classes)

    @property
    def defaults(self) -> Defaults:
        """A small network from scratch, cross-entropy, and the mean recall of the classes."""
        if self.examples.mode == "multilabel":
            metrics = [{"name": name, "mode": "multilabel"} for name in ("f", "precision", "recall")]
            network = {"name": "classifier", "network": "small_net"}
            return Defaults(network, {"name": "binary_cross_entropy"}, metrics, "max f_dataset", (224, 224))
        metrics = [{"name": "confusion"}, {"name": "ece"}]
        target = "max balanced_accuracy, min loss"
        return Defaults({"name": "classifier", "network": "small_net"}, {"name": "cross_entropy"}, metrics, target, (224, 224))

    @property
    def targets(self) -> Targets:
        """Nothing beside the picture."""
        return Targets()

    def annotated(self, sample: Sample, row: int, _place: Place) -> Sample:
        """The sample with the shares of its classes."""
        label = np.zeros(self.outputs, np.float32)
        for one in self.examples.rows_of(row):
            label[self.examples.numbers[one["class"]]] = 1
        return replace(sample, label=label)

    def collate(self, samples: Sequence[Sample]) -> Batch:
        """Pictures, and shares (B, K)."""
        pictures = torch.from_numpy(np.stack([sample.picture for sample in samples])).permute(0, 3, 1, 2)
        return Batch(pictures, torch.from_numpy(np.stack([sample.label for sample in samples])))  # pyright: ignore[reportArgumentType, reportCallIssue]

    def completed(self, description: Config | None) -> Config:
        """The loss with the mode of the classes.

        Raises:
            ConfigError: It is not one on scores.
        """
        if description is None:
            raise ConfigError("A classification needs a loss.")
        return completed(description, self.examples.mode)

    def loss(self, description: Config | None) -> ScoreLoss:
        """A loss on logits (B, K)."""
        return score_loss(self.completed(description), self.examples.mode)

    def measuring(self, metrics: Sequence[Config], loss: ScoreLoss) -> ScoreMeasuring:
        """Measures classes."""
        given = _likeliest if self.examples.mode == "multiclass" else _as_they_are
        return ScoreMeasuring(loss, tuple(build(metric) for metric in metrics), given)

    def predictions(self, model: nn.Module, batch: Batch) -> list[Labels]:
        """The likeliest class of each picture, or all that are more likely than not."""
        found = probabilities(model(batch.pictures), self.examples.mode).cpu().numpy()
        size = int(batch.pictures.shape[-1]), int(batch.pictures.shape[-2])
        return [_tags(one, size, self.examples.mode) for one in found]

    def given(self, sample: Sample) -> Labels:
        """The classes of a sample."""
        assert sample.label is not None
        chosen = np.flatnonzero(sample.label)
        return labels_of_arrays("tag", chosen, np.full((len(chosen), 4), np.nan), (sample.size[1], sample.size[0]))


def predict(trained: Trained, pictures: Sequence[NDArray[np.uint8]], *, flips: bool = False) -> list[Labels]:
    """The classes of pictures with their probabilities."""
    found = class_probabilities(trained, pictures, flips=flips)
    return [_tags(one, (picture.shape[1], picture.shape[0]), trained.mode) for one, picture in zip(found, pictures, strict=True)]


def class_probabilities(trained: Trained, pictures: Sequence[NDArray[np.uint8]], *, flips: bool = False) -> NDArray[np.float32]:
    """Probabilities (N, K) of pictures (h, w, 3) uint8 of any sizes; with `flips` the mean over each and its mirror image."""
    batch, _ = framed(trained, pictures)
    with torch.inference_mode():
        views = [probabilities(trained.model(batch.flip(turn)), trained.mode) for turn in (([], [3]) if flips else ([],))]
        return torch.stack(views).mean(0).cpu().numpy()


def _tags(found: NDArray[np.float32], size: tuple[int, int], mode: Mode) -> Labels:
    chosen = np.array([found.argmax()]) if mode == "multiclass" else np.flatnonzero(found > 0.5)  # noqa: PLR2004 - more likely than not
    return labels_of_arrays("tag", chosen, np.full((len(chosen), 4), np.nan), size, scores=found[chosen])


def _likeliest(shares: torch.Tensor) -> torch.Tensor:
    return shares.argmax(1)


def _as_they_are(shares: torch.Tensor) -> torch.Tensor:
    return shares
