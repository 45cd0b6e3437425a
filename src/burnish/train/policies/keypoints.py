"""Key points: where the named points of an object are, by a heatmap for each name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.errors import ConfigError, extra
from burnish.geometry import boxes as upright
from burnish.geometry.keypoint_sigmas import COCO_PERSON
from burnish.models.networks.heatmaps import STRIDE, draw_heatmaps, read_heatmaps
from burnish.train.augs.mirroring import mirror_pairs
from burnish.train.loaders.placement import cut_window, find_place, place_boxes, place_picture, place_points, points_home
from burnish.train.loaders.shared import Targets
from burnish.train.losses.making import build as build_loss
from burnish.train.losses.settings.combined import CombinedConfig
from burnish.train.metering import Meter, build
from burnish.train.meters import LossMeter
from burnish.train.policies.heatmaps import HeatmapLoss, PointBatch
from burnish.train.policies.policy import Defaults
from burnish.train.policies.predicted import labels_of_arrays
from burnish.train.policies.skeletons import (
    Layout,
    Skeleton,
    box_around,
    given_skeletons,
    known_only,
    layout_of,
    single_objects,
    window_around,
)

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from burnish.config import Config
    from burnish.data.labels import Labels
    from burnish.train.loaders.placement import Place
    from burnish.train.policies.examples import Examples
    from burnish.train.samples import Sample
    from burnish.train.trained import Trained

PRESENT: Final = 0.2
"""From this height of its peak on a point is told as seen; below it, as not there."""

_LOSSES = ("heatmap_mse", "adaptive_wing")
_METRICS = ("oks_ap", "pck")
_OTHER_SIGMA = 0.05  # as the OKS loss takes it
_AT_ONCE = 32  # parts of pictures


def policy(examples: Examples, network: Config | None = None) -> Keypoints:
    """The policy of a dataset's skeletons.

    Raises:
        ConfigError: There are skeletons of several classes, or several in a picture that is to be learnt whole.
        DataError: Skeletons have different numbers of points, or none that are known.
    """
    layout = layout_of(examples)
    pictures = known_only(examples)
    singles, objects = single_objects(pictures)
    return Keypoints(singles, pictures, layout, objects, float(getattr(network, "spread", 2.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """Skeletons of a dataset, one to an example.

    Attributes:
        examples: Pictures, or the parts of pictures around objects.
        pictures: The whole pictures; those without any known point are in no part.
        layout: Points and edges.
        objects: The skeleton of each, in pixels of the whole picture.
        spread: Standard deviation of a true peak, in places of the heatmap.
    """

    examples: Examples
    pictures: Examples
    layout: Layout
    objects: tuple[Skeleton, ...]
    spread: float = 2.0

    @property
    def names(self) -> tuple[str, ...]:
        """What the outputs are called."""
        return self.layout.points

    @property
    def details(self) -> dict[str, Any]:
        """Points, edges, and whether and how parts of pictures are cut."""
        edges = [list(edge) for edge in self.layout.edges]
        return {"points": list(self.names), "edges": edges, "crops": bool(self.examples.crops), "margin": self.examples.margin}

    @property
    def outputs(self) -> int:
        """One for each point."""
        return len(self.names)

    @property
    def defaults(self) -> Defaults:
        """Heatmaps from scratch, their squared difference, and COCO's precision with the share of points that are near enough."""
        metrics = [{"name": "oks_ap", "sigmas": usual_sigmas(self.outputs)}, {"name": "pck", "per_class": True, "class_names": self.names}]
        pairs = mirror_pairs(self.names)
        return Defaults({"name": "heatmaps"}, {"name": "heatmap_mse"}, metrics, "max oks_ap, max pck", (256, 256), "letterbox", pairs)

    @property
    def targets(self) -> Targets:
        """Nothing beside the picture."""
        return Targets()

    def annotated(self, sample: Sample, row: int, place: Place) -> Sample:
        """The sample with its object."""
        own, (height, width) = self.objects[row], place.size
        corner = np.zeros(2) if self.examples.windows is None else self.examples.windows[row, :2].astype(np.float64)
        points = place_points(own.points - [*corner, 0.0], place)
        inside = (points[:, 2] > 0) & ((points[:, :2] >= 0) & (points[:, :2] < [width, height])).all(axis=1)
        box = upright.clip(place_boxes(own.box[None] - np.tile(corner, 2), place), width, height)
        return replace(
            sample,
            points=np.where(inside[:, None], points, 0.0).astype(np.float32)[None],
            boxes=box.astype(np.float32),
            classes=np.zeros(1, np.int64),
        )

    def collate(self, samples: Sequence[Sample]) -> PointBatch:
        """Pictures and their heatmaps."""
        pictures = torch.from_numpy(np.stack([sample.picture for sample in samples])).permute(0, 3, 1, 2)
        size = -(-samples[0].size[0] // STRIDE), -(-samples[0].size[1] // STRIDE)
        points = [torch.from_numpy(np.zeros((0, self.outputs, 3), np.float32) if one.points is None else one.points) for one in samples]
        heatmaps, known = draw_heatmaps(points, self.outputs, size, self.spread)
        first = torch.stack([one[0] if len(one) else torch.zeros(self.outputs, 3) for one in points])
        boxes = [torch.from_numpy(one.boxes[0]) if one.boxes is not None and len(one.boxes) else torch.zeros(4) for one in samples]
        return PointBatch(pictures, heatmaps, known, first, torch.stack(boxes))

    def completed(self, description: Config | None) -> Config:
        """The loss as it is.

        Raises:
            ConfigError: It is not one on heatmaps.
        """
        parts = [member.loss for member in description.parts.values()] if isinstance(description, CombinedConfig) else [description]
        strange = [name for part in parts if (name := getattr(part, "name", "")) not in _LOSSES]
        if description is None or strange:
            told = f"The loss '{strange[0]}' is not one on heatmaps" if description is not None else "Key points need a loss"
            raise ConfigError(f"{told}; expected {' or '.join(_LOSSES)}.")
        return description

    def loss(self, description: Config | None) -> HeatmapLoss:
        """A loss on heatmaps."""
        return HeatmapLoss(build_loss(self.completed(description)))

    def measuring(self, metrics: Sequence[Config], loss: HeatmapLoss) -> KeypointMeasuring:
        """Measures points.

        Raises:
            ConfigError: A metric is not one of points.
        """
        strange = [name for metric in metrics if (name := getattr(metric, "name", "")) not in _METRICS]
        if strange:
            raise ConfigError(f"The metric '{strange[0]}' does not measure key points; expected {' or '.join(_METRICS)}.")
        return KeypointMeasuring(loss, tuple(build(metric) for metric in metrics))

    def predictions(self, model: nn.Module, batch: PointBatch) -> list[Labels]:
        """The skeleton of each picture."""
        size = int(batch.pictures.shape[-1]), int(batch.pictures.shape[-2])
        found = read_heatmaps(model(batch.pictures).float()).cpu().numpy()
        return [skeleton_labels(one[None].astype(np.float64), size) for one in found]

    def given(self, sample: Sample) -> Labels:
        """The skeletons of a sample."""
        points = np.zeros((0, self.outputs, 3)) if sample.points is None else sample.points.astype(np.float64)
        boxes = np.zeros((0, 4)) if sample.boxes is None else sample.boxes.astype(np.float64)
        return given_skeletons([*map(Skeleton, points, boxes)], (sample.size[1], sample.size[0]))


def usual_sigmas(count: int) -> tuple[float, ...] | None:
    """How exactly each of so many points can be placed, where nobody says it; None stands for COCO's of its 17."""
    return None if count == len(COCO_PERSON) else (_OTHER_SIGMA,) * count


def skeleton_labels(found: NDArray[np.float64], size: tuple[int, int]) -> Labels:
    """Skeletons (n, K, 3) of x, y and height of the peak as annotations; the score is the mean height."""
    seen = [np.where(one[:, 2] >= PRESENT, 2, 0).astype(np.uint8) for one in found]
    around = [box_around(one[flags > 0, :2] if flags.any() else one[:, :2]) for one, flags in zip(found, seen, strict=True)]
    return labels_of_arrays(
        "skeleton",
        np.zeros(len(found)),
        upright.clip(np.array(around).reshape(-1, 4), size[0], size[1]),
        size,
        scores=found[..., 2].mean(axis=1) if len(found) else [],
        points=[one[:, :2] for one in found],
        visibilities=seen,
    )


def predict(
    trained: Trained,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    flips: bool = False,
    boxes: Sequence[NDArray[np.float64]] | None = None,
) -> list[Labels]:
    """The skeletons of pictures (h, w, 3) uint8 of any sizes, in pixels of each.

    Args:
        trained: The network.
        pictures: What it is shown, all at once.
        flips: Average the heatmaps of each object and of its mirror image.
        boxes: (n, 4) of each picture, the objects; without them each picture is one object.

    Raises:
        ConfigError: The width that the network was trained with is no multiple of 4, and `flips` needs one.
    """
    found = locate(trained, pictures, flips=flips, boxes=boxes)
    return [skeleton_labels(one, (picture.shape[1], picture.shape[0])) for one, picture in zip(found, pictures, strict=True)]


def locate(
    trained: Trained,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    flips: bool = False,
    boxes: Sequence[NDArray[np.float64]] | None = None,
) -> list[NDArray[np.float64]]:
    """The points (n, K, 3) of each picture's objects: x, y in its pixels, and the height of the peak; otherwise as `predict`."""
    sizes = [np.array([picture.shape[1], picture.shape[0]]) for picture in pictures]
    around = [np.array([[0.0, 0.0, *size]]) for size in sizes] if boxes is None else boxes
    margin = 0.0 if boxes is None else float(trained.details.get("margin", 0.0))
    windows = [(place, window_around(box, margin, sizes[place])) for place, some in enumerate(around) for box in some]
    found = _located(trained, pictures, windows, flips=flips)
    rows = [[one for one, (owner, _) in zip(found, windows, strict=True) if owner == place] for place in range(len(pictures))]
    return [np.array(some).reshape(-1, len(trained.names), 3) for some in rows]


@dataclass(slots=True, eq=False)
class KeypointMeasuring:
    """Measures points as the network sees the objects; each object is a picture of its own, the area that of its box.

    Attributes:
        loss: What batches cost.
        meters: What else is measured.
        costs: The loss and its parts.
    """

    loss: HeatmapLoss
    meters: tuple[Meter, ...]
    costs: LossMeter = field(default_factory=LossMeter)

    def update(self, model: nn.Module, batch: PointBatch, rows: NDArray[np.int64]) -> None:
        """Add a batch."""
        heatmaps = model(batch.pictures)
        self.costs.update(self.loss.of_heatmaps(heatmaps, batch))
        found, true, boxes = read_heatmaps(heatmaps.float()).cpu().numpy(), batch.points.numpy(), batch.boxes.numpy()
        there = (true[..., 2] > 0).any(axis=1)
        found, true, boxes, rows = found[there], true[there], boxes[there].astype(np.float64), rows[there]
        for meter in self.meters:
            if getattr(meter.metric.description, "name", "") == "pck":
                meter.update(found, true, sides=(boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0.0))
            else:
                meter.update(_found_rows(found, rows), _true_rows(true, boxes, rows), images=rows)

    def compute(self) -> dict[str, float]:
        """The loss and the metrics of all batches."""
        costs = self.costs.compute()
        single = {"loss": next(iter(costs.values()), float("nan"))} if "loss" not in costs else {}
        parts = {name if name == "loss" else f"loss/{name}": value for name, value in costs.items() if not single}
        return {**single, **parts, **{name: value for meter in self.meters for name, value in meter.compute().items()}}


def _located(
    trained: Trained, pictures: Sequence[NDArray[np.uint8]], windows: Sequence[tuple[int, NDArray[np.int64]]], *, flips: bool
) -> list[NDArray[np.float64]]:
    """Points (K, 3) of each part of a picture, in pixels of the picture."""
    order = _mirrored_order(trained)
    if flips and trained.placement.size[1] % STRIDE:
        raise ConfigError(f"flips needs a width that is a multiple of {STRIDE}; this network sees {trained.placement.size[1]} pixels.")
    found: list[NDArray[np.float64]] = []
    for start in range(0, len(windows), _AT_ONCE):
        frames, places = zip(*_frames(trained, pictures, windows[start : start + _AT_ONCE]), strict=True)
        batch = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).to(trained.device)
        with torch.inference_mode():
            heatmaps: Tensor = trained.model(batch).float()
            if flips:
                heatmaps = (heatmaps + trained.model(batch.flip(3)).float().flip(3)[:, order]) / 2
            points = read_heatmaps(heatmaps).cpu().numpy().astype(np.float64)
        for one, place, (_, window) in zip(points, places, windows[start : start + _AT_ONCE], strict=True):
            found.append(points_home(one, place) + np.append(window[:2], 0))
    return found


def _frames(
    trained: Trained, pictures: Sequence[NDArray[np.uint8]], windows: Sequence[tuple[int, NDArray[np.int64]]]
) -> Iterator[tuple[NDArray[np.uint8], Place]]:
    for owner, window in windows:
        part = cut_window(pictures[owner], window)
        place = find_place((part.shape[0], part.shape[1]), trained.placement)
        yield place_picture(part, place, trained.placement.padding), place


def _mirrored_order(trained: Trained) -> list[int]:
    order = list(range(len(trained.names)))
    for one, other in mirror_pairs(trained.names):
        order[one], order[other] = other, one
    return order


def _found_rows(found: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    known = np.stack([rows, found[..., 2].mean(axis=1)], axis=1)
    return np.concatenate([known, found.reshape(len(found), -1)], axis=1).astype(np.float64)


def _true_rows(true: NDArray[np.float32], boxes: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    known = np.stack([rows, np.zeros(len(rows)), upright.area(boxes)], axis=1)
    return np.concatenate([known, boxes, true.reshape(len(true), -1)], axis=1).astype(np.float64)
