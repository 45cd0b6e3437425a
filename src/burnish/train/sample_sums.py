"""The sums of a picture and its targets, all whole numbers: parts add up to exactly what one pass gives, in any order."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from pydantic import Field

from burnish.config import Config
from burnish.errors import DataError
from burnish.train.samples import IGNORED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.train.samples import Sample

WHOLE: Final = 255
"""Pixels are summed in these parts, so that beliefs and hard masks have one unit."""
SIDES: Final = 2.0 ** (np.arange(25) / 2)
"""Edges of the bins of object sides in pixels (root of the area), half octaves from 1 to 4096."""

_COCO_AREAS = (32**2, 96**2)
_CHANNELS = 3


class StatisticsConfig(Config):
    """What is counted."""

    num_classes: Annotated[int, Field(ge=1)]
    """Classes, background included where masks have one."""
    background: Annotated[int, Field(ge=0)] | None = None
    """The class of masks that means nothing is there; pictures with nothing else are empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What is added up: int64 throughout. K is the number of classes.

    Attributes:
        pictures: How many.
        empty: Pictures without any class but the background.
        pixels: Of all pictures.
        channels: (3,) sums of the values of red, green, blue.
        squares: (3,) sums of their squares.
        class_pictures: (K,) pictures in which a class occurs.
        class_boxes: (K,) objects.
        class_pixels: (K,) of masks and beliefs, in 255ths of a pixel.
        class_within: (K,) pixels that count, of the pictures whose mask has the class.
        mask_pixels: Pixels of masks that count.
        class_sizes: (K, 3) objects of an area below 32^2, below 96^2, and above (the sizes of COCO).
        sides: (26,) objects by the root of their area: below 1 pixel, in the bins of `SIDES`, above.
    """

    pictures: NDArray[np.int64]
    empty: NDArray[np.int64]
    pixels: NDArray[np.int64]
    channels: NDArray[np.int64]
    squares: NDArray[np.int64]
    class_pictures: NDArray[np.int64]
    class_boxes: NDArray[np.int64]
    class_pixels: NDArray[np.int64]
    class_within: NDArray[np.int64]
    mask_pixels: NDArray[np.int64]
    class_sizes: NDArray[np.int64]
    sides: NDArray[np.int64]

    def __add__(self, other: Sums) -> Sums:
        return Sums(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Sums)})


def no_sums(config: StatisticsConfig) -> Sums:
    """The sums of nothing."""
    classes = config.num_classes
    shapes = {"class_sizes": (classes, 3), "sides": (len(SIDES) + 1,), "channels": (_CHANNELS,), "squares": (_CHANNELS,)}
    return Sums(
        **{one.name: np.zeros(shapes.get(one.name, (classes,) if one.name.startswith("class_") else ()), np.int64) for one in fields(Sums)}
    )


def sample_sums(sample: Sample, config: StatisticsConfig) -> Sums:
    """The sums of one picture.

    Raises:
        DataError: The picture is not (H, W, 3) uint8, or a class is not among those that were said.
    """
    channels, squares = _colours(sample.picture)
    class_pixels, mask_pixels = _pixels(sample, config)
    boxes, sizes, sides = _objects(sample, config)
    labelled = _labelled(sample, config)
    present = class_pixels > 0
    something = present.copy()
    if config.background is not None and config.background < len(something):
        something[config.background] = False
    return Sums(
        pictures=np.array(1, np.int64),
        empty=np.array(not (something.any() or boxes.any() or labelled.any()), np.int64),
        pixels=np.array(sample.picture.shape[0] * sample.picture.shape[1], np.int64),
        channels=channels,
        squares=squares,
        class_pictures=(present | (boxes > 0) | labelled).astype(np.int64),
        class_boxes=boxes,
        class_pixels=class_pixels,
        class_within=present * np.int64(mask_pixels),
        mask_pixels=np.array(mask_pixels, np.int64),
        class_sizes=sizes,
        sides=sides,
    )


def _colours(picture: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if picture.dtype != np.uint8 or picture.ndim != _CHANNELS or picture.shape[2] != _CHANNELS:
        raise DataError(
            f"A picture is {picture.dtype} of shape {picture.shape}; expected uint8 of (height, width, 3), before it is normalised."
        )
    flat = picture.reshape(-1, _CHANNELS)
    squares = np.square(flat, dtype=np.uint16)  # 255^2 fits into 16 bits
    return flat.sum(0, dtype=np.int64), squares.sum(0, dtype=np.int64)


def _pixels(sample: Sample, config: StatisticsConfig) -> tuple[NDArray[np.int64], int]:
    """Parts of pixels of each class, and how many pixels count."""
    if sample.beliefs is not None:
        beliefs = sample.beliefs
        _check_classes(np.array([beliefs.shape[-1] - 1]), config, "beliefs")
        counted = np.ones(sample.size, bool) if sample.mask is None else sample.mask != IGNORED
        found = np.zeros(config.num_classes, np.int64)
        found[: beliefs.shape[-1]] = beliefs[counted].sum(0, dtype=np.int64)
        return found, int(counted.sum())
    if sample.mask is None:
        return np.zeros(config.num_classes, np.int64), 0
    found = np.bincount(sample.mask.ravel(), minlength=IGNORED + 1).astype(np.int64)
    found[IGNORED] = 0
    _check_classes(np.flatnonzero(found), config, "a mask")
    counts = np.zeros(config.num_classes, np.int64)
    counts[:IGNORED] = found[: min(config.num_classes, IGNORED)]
    return WHOLE * counts, int(counts.sum())


def _objects(sample: Sample, config: StatisticsConfig) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Objects of each class, of each class and size, and by their sides."""
    classes = np.zeros(0, np.int64) if sample.classes is None else sample.classes
    _check_classes(classes, config, "the objects")
    sizes, sides = np.zeros((config.num_classes, 3), np.int64), np.zeros(len(SIDES) + 1, np.int64)
    areas = _areas(sample)
    if len(areas):
        np.add.at(sizes, (classes, np.digitize(areas, _COCO_AREAS)), 1)
        sides += np.bincount(np.digitize(np.sqrt(areas), SIDES), minlength=len(sides))
    return np.bincount(classes, minlength=config.num_classes).astype(np.int64), sizes, sides


def _areas(sample: Sample) -> NDArray[np.float64]:
    """Pixels of each object, by its mask where there is one; skeletons have none."""
    if sample.instances is not None:
        return np.count_nonzero(sample.instances.reshape(len(sample.instances), -1), axis=1).astype(np.float64)
    if sample.boxes is None:
        return np.zeros(0)
    corners = sample.boxes.astype(np.float64)
    return np.maximum(corners[:, 2] - corners[:, 0], 0) * np.maximum(corners[:, 3] - corners[:, 1], 0)


def _labelled(sample: Sample, config: StatisticsConfig) -> NDArray[np.bool_]:
    found = np.zeros(config.num_classes, bool)
    if sample.label is not None:
        _check_classes(np.array([len(sample.label) - 1]), config, "a label")
        found[: len(sample.label)] = sample.label > 0
    return found


def _check_classes(classes: NDArray[np.int64], config: StatisticsConfig, where: str) -> None:
    bad = classes[(classes < 0) | (classes >= config.num_classes)]
    if len(bad):
        raise DataError(f"{where[:1].upper()}{where[1:]} has the class {bad[0]}; expected 0 to {config.num_classes - 1}.")
