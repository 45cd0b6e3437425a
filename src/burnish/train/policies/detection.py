"""Detection: the box of each object, and its mask where the network has masks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from burnish.errors import ConfigError, DataError, extra
from burnish.geometry import boxes as upright
from burnish.geometry import masks as mask_geometry
from burnish.geometry import rle
from burnish.geometry.suppression import fuse_boxes
from burnish.models.networks.found import Objects
from burnish.train.loaders.placement import boxes_home, mask_home, place_boxes
from burnish.train.loaders.shared import Targets
from burnish.train.losses.loss import Part, Result
from burnish.train.metering import build
from burnish.train.policies.boxes import crowd_code, instance_masks, told, true_boxes
from burnish.train.policies.found_arrays import LEAST, MOST, Arrays, arrays_of
from burnish.train.policies.object_measuring import ObjectMeasuring
from burnish.train.policies.policy import Defaults
from burnish.train.policies.predicted import SURE, labels_of_arrays
from burnish.train.trained import framed

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from burnish.config import Config
    from burnish.data.labels import Labels
    from burnish.models.networks.found import Found
    from burnish.train.loaders.placement import Place
    from burnish.train.policies.boxes import Truth
    from burnish.train.policies.examples import Examples
    from burnish.train.samples import Sample
    from burnish.train.trained import Trained


class BoxNetwork(Protocol):
    """What detectors of `burnish.models.networks` can do."""

    gives_masks: bool

    def losses(self, pictures: Tensor, targets: Sequence[Objects]) -> dict[str, Tensor]:
        """The parts of the loss, each divided by the number of objects."""
        ...

    def detect(self, pictures: Tensor, *, threshold: float, most: int) -> list[Found]:
        """Objects, surest first."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ObjectBatch:
    """Pictures with their objects.

    Attributes:
        pictures: (B, 3, H, W) uint8, RGB.
        targets: The objects of each.
        crowds: Regions of each with many objects at once; they are not learnt, and what is found there is neither right nor wrong.
    """

    pictures: Tensor
    targets: tuple[Objects, ...]
    crowds: tuple[Objects, ...]

    def to(self, device: torch.device) -> ObjectBatch:
        """The same on a device."""
        moved = [Objects(*(None if part is None else part.to(device, non_blocking=True) for part in one)) for one in self.targets]  # pyright: ignore[reportArgumentType]
        return ObjectBatch(self.pictures.to(device, non_blocking=True), tuple(moved), self.crowds)


@dataclass(frozen=True, slots=True, eq=False)
class OwnLoss:
    """The loss that a detector brings along."""

    def __call__(self, model: nn.Module, batch: ObjectBatch, *, progress: float = 1.0) -> Result:
        """Measure a batch: each part with the number of objects that it was divided by, at least one."""
        del progress
        parts = cast("BoxNetwork", model).losses(batch.pictures, batch.targets)
        number = max(sum(len(target.classes) for target in batch.targets), 1)
        count = torch.tensor(float(number), device=batch.pictures.device)
        return Result({name: Part(value, None, value * count, count) for name, value in parts.items()})


def policy(examples: Examples, network: Config | None = None) -> Detection:
    """The policy of a dataset's boxes.

    Raises:
        DataError: A network is to be trained, and no picture that validates has an object.
    """
    truths, notes = true_boxes(examples)
    judged = examples.part("val")
    is_trained = network is not None  # whoever only measures does not look at this part
    if is_trained and len(judged) and not any((truths[row].codes >= 0).any() for row in judged):
        raise DataError("No picture that validates has an object to find. Name another split with data.validation, or divide anew.")
    return Detection(told(examples, notes), truths, bool(getattr(network, "masks", False)))


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """Boxes of a dataset.

    Attributes:
        examples: The pictures.
        truths: The objects of each, in pixels of the picture.
        masks: Whether masks are learnt too.
    """

    examples: Examples
    truths: tuple[Truth, ...]
    masks: bool = False

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
        return len(self.names)

    @property
    def defaults(self) -> Defaults:
        """Our small detector from scratch with its own loss, and COCO's mean average precision, of masks first where these are learnt."""
        measured = ("map", "mask_map") if self.masks else ("map",)
        metrics = [{"name": name, "per_class": True, "class_names": self.names} for name in measured]
        return Defaults({"name": "centres"}, None, metrics, f"max {measured[-1]}", (384, 384), "letterbox")

    @property
    def targets(self) -> Targets:
        """Nothing beside the picture."""
        return Targets()

    def annotated(self, sample: Sample, row: int, place: Place) -> Sample:
        """The sample with boxes and classes, and masks where these are learnt."""
        truth, (height, width) = self.truths[row], place.size
        boxes = upright.clip(place_boxes(truth.boxes, place), width, height).astype(np.float32)
        kept = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        instances = instance_masks(truth, kept, place) if self.masks else None
        return replace(sample, boxes=boxes[kept], classes=truth.codes[kept], instances=instances)

    def collate(self, samples: Sequence[Sample]) -> ObjectBatch:
        """Pictures, their objects and their crowds."""
        pictures = torch.from_numpy(np.stack([sample.picture for sample in samples])).permute(0, 3, 1, 2)
        return ObjectBatch(pictures, tuple(map(_objects, samples)), tuple(_objects(sample, crowds=True) for sample in samples))

    def completed(self, description: Config | None) -> None:
        """None: the network has its own loss.

        Raises:
            ConfigError: Another one is asked for.
        """
        if description is not None:
            name = getattr(description, "name", "")
            raise ConfigError(f"Detectors learn with a loss of their own; the loss '{name}' cannot replace it. Leave 'loss' out.")

    def loss(self, description: Config | None) -> OwnLoss:
        """The network's own loss."""
        self.completed(description)
        return OwnLoss()

    def measuring(self, metrics: Sequence[Config], loss: OwnLoss) -> ObjectMeasuring:
        """Measures boxes, and masks where these are learnt.

        Raises:
            ConfigError: A metric is one of neither, or of masks that the network does not give.
        """
        known = ("map", "mask_map") if self.masks else ("map",)
        strange = [name for metric in metrics if (name := getattr(metric, "name", "")) not in known]
        if strange:
            what = "boxes or masks of objects" if self.masks else "boxes"
            raise ConfigError(f"The metric '{strange[0]}' does not measure {what}; expected {' or '.join(known)}.")
        return ObjectMeasuring(loss, tuple(build(metric) for metric in metrics))

    def predictions(self, model: nn.Module, batch: ObjectBatch) -> list[Labels]:
        """The objects that the network is sure of."""
        size = int(batch.pictures.shape[-1]), int(batch.pictures.shape[-2])
        found = cast("BoxNetwork", model).detect(batch.pictures, threshold=SURE, most=MOST)
        return [_labels(arrays_of(one), size) for one in found]

    def given(self, sample: Sample) -> Labels:
        """The objects of a sample, without its crowds."""
        assert sample.boxes is not None
        assert sample.classes is not None
        own = sample.classes >= 0
        masks = None if sample.instances is None else sample.instances[own].astype(np.bool_)
        return _labels(Arrays(sample.boxes[own], np.full(int(own.sum()), np.nan), sample.classes[own], masks), sample.size[::-1])


def predict(trained: Trained, pictures: Sequence[NDArray[np.uint8]], *, flips: bool = False) -> list[Labels]:
    """The objects of pictures (h, w, 3) uint8 of any sizes, surest first, in pixels of each; none below the score `LEAST`.

    Args:
        trained: The network.
        pictures: What it is shown, all at once.
        flips: Fuse what is found in each picture and in its mirror image.

    Raises:
        ConfigError: The network gives masks, which cannot be fused.
    """
    return [_labels(found, size) for found, size in _detected(trained, pictures, flips=flips)]


def detect(trained: Trained, pictures: Sequence[NDArray[np.uint8]], *, flips: bool = False) -> list[Labels]:
    """As `predict`, but a mask, even an empty one, stands beside the box that the network itself gives: what is needed to judge both."""
    told: list[Labels] = []
    for found, size in _detected(trained, pictures, flips=flips):
        codes = None if found.masks is None else [rle.compress(rle.encode(mask)) for mask in found.masks]
        kind = "box" if codes is None else "mask"
        told.append(labels_of_arrays(kind, found.classes, found.boxes, size, scores=found.scores, masks=codes))
    return told


def _detected(trained: Trained, pictures: Sequence[NDArray[np.uint8]], *, flips: bool) -> list[tuple[Arrays, tuple[int, int]]]:
    """What is found in each picture, and its width and height; raises as `predict`."""
    network = cast("BoxNetwork", trained.model)
    if flips and network.gives_masks:
        raise ConfigError("flips fuses boxes, and this network gives masks too. Predict without it.")
    batch, places = framed(trained, pictures)
    with torch.inference_mode():
        found = [arrays_of(one) for one in network.detect(batch, threshold=LEAST, most=MOST)]
        if flips:
            mirrored = [arrays_of(one) for one in network.detect(batch.flip([3]), threshold=LEAST, most=MOST)]
            found = [_fused(one, _mirrored(other, batch.shape[-1])) for one, other in zip(found, mirrored, strict=True)]
    return [(_home(one, place), (place.original[1], place.original[0])) for one, place in zip(found, places, strict=True)]


def _objects(sample: Sample, *, crowds: bool = False) -> Objects:
    assert sample.boxes is not None
    assert sample.classes is not None
    chosen = ((sample.classes < 0) == crowds) & (sample.boxes[:, 2:] > sample.boxes[:, :2]).all(axis=1)
    classes = crowd_code(sample.classes[chosen]) if crowds else sample.classes[chosen]
    masks = None if sample.instances is None else torch.from_numpy(sample.instances[chosen])
    return Objects(torch.from_numpy(sample.boxes[chosen]), torch.from_numpy(classes), masks)


def _mirrored(found: Arrays, width: int) -> Arrays:
    return replace(found, boxes=np.stack([width - found.boxes[:, 2], found.boxes[:, 1], width - found.boxes[:, 0], found.boxes[:, 3]], 1))


def _fused(one: Arrays, other: Arrays) -> Arrays:
    boxes, scores = np.concatenate([one.boxes, other.boxes]), np.concatenate([one.scores, other.scores])
    fused = fuse_boxes(boxes, scores, np.repeat([0, 1], [len(one.boxes), len(other.boxes)]), classes=np.append(one.classes, other.classes))
    best = np.argsort(-fused.scores, kind="stable")[:MOST]
    return Arrays(fused.boxes[best], fused.scores[best], fused.classes[best])


def _home(found: Arrays, place: Place) -> Arrays:
    """In pixels of the picture itself, without what lies beside it."""
    height, width = place.original
    boxes = upright.clip(boxes_home(found.boxes, place), width, height)
    kept = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    masks = None if found.masks is None else np.zeros((len(kept), height, width), np.bool_)
    if found.masks is not None and masks is not None:
        for number, row in enumerate(kept):
            masks[number] = mask_home(found.masks[row].astype(np.uint8), place) == 1
    return Arrays(boxes[kept], found.scores[kept], found.classes[kept], masks)


def _labels(found: Arrays, size: tuple[int, ...]) -> Labels:
    """Annotations: boxes, or masks with their own boxes, of which empty ones are none."""
    width, height = size
    if found.masks is None:
        return labels_of_arrays("box", found.classes, found.boxes, (width, height), scores=found.scores)
    there = np.flatnonzero(found.masks.any(axis=(1, 2)))
    boxes = np.concatenate([np.empty((0, 4)), *(mask_geometry.box(found.masks[row]) for row in there)])
    codes = [rle.compress(rle.encode(found.masks[row])) for row in there]
    return labels_of_arrays("mask", found.classes[there], boxes, (width, height), scores=found.scores[there], masks=codes)
