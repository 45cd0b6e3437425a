"""Segmentation: a class, or several, for each pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.engine.fingerprint import fingerprint
from burnish.errors import ConfigError, DataError, extra
from burnish.formats.painting import layers_of, object_pixels, paint_objects
from burnish.media.cache import file_stamps
from burnish.media.images import read_image
from burnish.train.loaders.placement import probabilities_home
from burnish.train.loaders.shared import Targets
from burnish.train.metering import build
from burnish.train.policies.boxed import boxed, validates_with_masks, with_boxes, without_masks
from burnish.train.policies.losses import Batch, ScoreLoss, completed, probabilities, score_loss
from burnish.train.policies.measuring import ScoreMeasuring
from burnish.train.policies.policy import Defaults
from burnish.train.policies.predicted import mask_labels
from burnish.train.samples import IGNORED, Sample
from burnish.train.trained import framed

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from burnish.config import Config
    from burnish.data.labels import Labels
    from burnish.train.loaders.placement import Place
    from burnish.train.policies.boxes import Truth
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.settings import Mode
    from burnish.train.trained import Trained

_MOST_CLASSES = 254


def policy(examples: Examples, _network: Config | None = None) -> Segmentation:
    """The policy of a dataset's masks.

    Raises:
        ConfigError: There are more classes than a mask has room for, or masks are to be learnt from boxes and exclude one another.
    """
    if len(examples.classes) > _MOST_CLASSES:
        raise ConfigError(f"There are {len(examples.classes)} classes; a mask has room for {_MOST_CLASSES}. Choose some with data.classes.")
    return Segmentation(*without_masks(examples)) if examples.boxed else Segmentation(examples)


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Masks of a dataset.

    binary: one output, any class against none. multiclass: background and each class. multilabel: each class yes or no.

    Attributes:
        examples: The pictures.
        truths: The boxes of each, where masks are learnt from boxes alone; else None.
    """

    examples: Examples
    truths: tuple[Truth, ...] | None = None

    @property
    def pictures(self) -> Examples:
        """The same."""
        return self.examples

    @property
    def names(self) -> tuple[str, ...]:
        """What the outputs are called."""
        if self.examples.mode == "binary":
            return ("object",) if len(self.examples.classes) > 1 else self.examples.classes
        return self.examples.classes if self.examples.mode == "multilabel" else ("background", *self.examples.classes)

    @property
    def shown(self) -> tuple[int, ...]:
        """Place in `names` of each mask that `decided` gives."""
        return tuple(range(1, len(self.names))) if self.examples.mode == "multiclass" else tuple(range(len(self.names)))

    @property
    def details(self) -> dict[str, Any]:
        """Nothing besides."""
        return {}

    @property
    def outputs(self) -> int:
        """One for each name."""
        return len(self.names)

    @property
    def defaults(self) -> Defaults:
        """A small U-Net from scratch, Dice with cross-entropy, and the IoU of all pictures together.

        Of boxes alone their own loss; it chooses the best weights too where there are no masks to validate with, for the IoU with filled
        boxes is best where nothing but boxes was learnt. Augmentations are those of detection, which turn little, as boxes stay upright.
        """
        pixels = "cross_entropy" if self.examples.mode == "multiclass" else "binary_cross_entropy"
        parts = {"region": {"loss": "dice"}, "pixels": {"loss": pixels}}
        loss = {"name": "combined", "parts": parts} if self.truths is None else {"name": "box_supervised"}
        several = {"per_class": True, "class_names": self.names} if self.outputs > 1 else {}
        measured = ("iou_dataset", "iou_image", "dice", "precision", "recall")
        metrics: list[dict[str, Any]] = [
            {"name": name, "mode": self.examples.mode, "ignore_index": IGNORED, **several} for name in measured
        ]
        metrics += [{"name": "soft_overlap"}] if self.examples.is_soft else []
        target = "max iou_dataset" if self.truths is None or validates_with_masks(self.examples) else "min loss"
        return Defaults({"name": "unet"}, loss, metrics, target, (256, 256), preset=None if self.truths is None else "detection")

    @property
    def targets(self) -> Targets:
        """Masks, and where classes overlap beliefs beside what does not count."""
        examples = self.examples
        rows = [str(examples.rows_of(row)) for row in range(len(examples))]
        stamps = file_stamps([path for paths in examples.beliefs for path in paths])
        key = fingerprint(examples.mode, str(sorted(examples.numbers.items())), *rows, *stamps)
        if examples.mode == "multilabel" or examples.is_soft:
            return Targets(key, self.ignored, self.layers, len(examples.classes))
        return Targets(key, self.mask)

    def annotated(self, sample: Sample, row: int, place: Place) -> Sample:
        """The sample, with its boxes where masks are learnt from these; masks are kept beside the picture."""
        return sample if self.truths is None else with_boxes(sample, self.truths[row], place)

    def mask(self, row: int) -> NDArray[np.uint8]:
        """The class of each pixel (h, w), in the size of the picture itself."""
        width, height = self._size(row)
        numbers = self.examples.numbers
        known = [one for one in self.examples.rows_of(row) if one["class"] is None or one["class"] in numbers]
        painted = paint_objects(known, (width, height), layers_of(self.examples.dataset))
        binary = self.examples.mode == "binary"
        values = [IGNORED if one["class"] is None else 1 if binary else 1 + numbers[one["class"]] for one in painted.rows]
        return np.array([0, *values], dtype=np.uint8)[painted.owners]

    def layers(self, row: int) -> NDArray[np.uint8]:
        """How much each pixel belongs to each class, (h, w, K), 0 to 255."""
        if self.examples.beliefs[row]:
            return np.stack([_belief(path) for path in self.examples.beliefs[row]], axis=2)
        width, height = self._size(row)
        beliefs = np.zeros((height, width, len(self.examples.classes)), np.uint8)
        for one in self.examples.rows_of(row):
            if one["class"] in self.examples.numbers:
                beliefs[object_pixels(one, width, height), self.examples.numbers[one["class"]]] = 255
        return beliefs

    def ignored(self, row: int) -> NDArray[np.uint8]:
        """IGNORED where a pixel (h, w) counts for nothing, else 0."""
        width, height = self._size(row)
        void = [object_pixels(one, width, height) for one in self.examples.rows_of(row) if one["class"] is None]
        return np.where(np.any(void, axis=0), np.uint8(IGNORED), np.uint8(0)) if void else np.zeros((height, width), np.uint8)

    def collate(self, samples: Sequence[Sample]) -> Batch:
        """Pictures and masks as tensors; soft ones are shares from 0 to 1, and IGNORED where a pixel does not count."""
        batch = self._masks(samples)
        return batch if self.truths is None else replace(batch, boxed=boxed(batch.pictures, samples))

    def completed(self, description: Config | None) -> Config:
        """The loss with the mode of the masks and the number that does not count.

        Raises:
            ConfigError: It is not one on scores.
        """
        if description is None:
            raise ConfigError("A segmentation needs a loss.")
        return completed(description, self.examples.mode, ignore_index=IGNORED)

    def loss(self, description: Config | None) -> ScoreLoss:
        """A loss on logits (B, K, H, W)."""
        description = self.completed(description)
        return score_loss(description, self.examples.mode, ignore_index=IGNORED)

    def measuring(self, metrics: Sequence[Config], loss: ScoreLoss) -> ScoreMeasuring:
        """Measures masks."""
        return ScoreMeasuring(loss, tuple(build(metric) for metric in metrics), lambda targets: targets)

    def predictions(self, model: nn.Module, batch: Batch) -> list[Labels]:
        """The masks that are more likely than not, one annotation a class."""
        found = probabilities(model(batch.pictures), self.examples.mode).cpu().numpy()
        return [mask_labels(decided(one, self.examples.mode), self.shown) for one in found]

    def given(self, sample: Sample) -> Labels:
        """The masks of a sample; soft ones where they are more than half."""
        if sample.beliefs is not None:
            return mask_labels(np.moveaxis(sample.beliefs > 127, 2, 0), self.shown)  # noqa: PLR2004 - half of 255
        assert sample.mask is not None
        return mask_labels(np.stack([sample.mask == max(number, 1) for number in self.shown]), self.shown)

    def _masks(self, samples: Sequence[Sample]) -> Batch:
        pictures = torch.from_numpy(np.stack([sample.picture for sample in samples])).permute(0, 3, 1, 2)
        if samples[0].beliefs is None:
            masks = np.stack([sample.mask for sample in samples])  # pyright: ignore[reportArgumentType, reportCallIssue]
            targets = torch.from_numpy(masks)
            return Batch(pictures, targets.long() if self.examples.mode == "multiclass" else targets)
        beliefs = torch.from_numpy(np.stack([sample.beliefs for sample in samples])).permute(0, 3, 1, 2).float() / 255  # pyright: ignore[reportArgumentType, reportCallIssue]
        void = np.stack([np.zeros(s.size, bool) if s.mask is None else s.mask == IGNORED for s in samples])
        return Batch(pictures, beliefs.masked_fill_(torch.from_numpy(void)[:, None], float(IGNORED)))

    def _size(self, row: int) -> tuple[int, int]:
        width, height = self.examples.sizes[row]
        return int(width), int(height)


def _belief(path: Path) -> NDArray[np.uint8]:
    values = read_image(path, mode="unchanged")
    if values.ndim != 2 or values.dtype != np.uint8:  # noqa: PLR2004 - height and width
        raise DataError(f"{path} holds {values.shape} {values.dtype}; a soft mask is a grey picture of 8 bits, 0 to 255.")
    return values


def decided(found: NDArray[np.float32], mode: Mode) -> NDArray[np.bool_]:
    """Which pixels (K, h, w) belong to which output, of probabilities (K, h, w); the background of several classes is left out."""
    if mode != "multiclass":
        return found > 0.5  # noqa: PLR2004 - more likely than not
    return found.argmax(0) == np.arange(1, len(found))[:, None, None]


def predict(trained: Trained, pictures: Sequence[NDArray[np.uint8]], *, flips: bool = False) -> list[Labels]:
    """Masks of pictures, one annotation a class, in the size of each; the score is the mean probability inside."""
    made: list[Labels] = []
    for found in probability_maps(trained, pictures, flips=flips):
        masks = decided(found, trained.mode)
        shown = found[1:] if trained.mode == "multiclass" else found
        certain = [float(values[mask].mean()) if mask.any() else 0.0 for values, mask in zip(shown, masks, strict=True)]
        made.append(mask_labels(masks, range(len(masks)), scores=certain))
    return made


def probability_maps(trained: Trained, pictures: Sequence[NDArray[np.uint8]], *, flips: bool = False) -> list[NDArray[np.float32]]:
    """Probabilities (K, h, w) of the outputs, in the size of each picture (h, w, 3) uint8.

    Args:
        trained: The network.
        pictures: Of any sizes, all at once.
        flips: Average over the picture, its mirror images and its half turn.
    """
    batch, places = framed(trained, pictures)
    with torch.inference_mode():
        turns = ([], [3], [2], [2, 3]) if flips else ([],)
        views = [probabilities(trained.model(batch.flip(turn)), trained.mode).flip(turn) for turn in turns]
        found = torch.stack(views).mean(0).cpu().numpy()
    return [probabilities_home(one, place) for one, place in zip(found, places, strict=True)]
