"""Mosaic, mixup, cutmix and copy-paste: samples made of several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError, extra
from burnish.geometry import boxes as upright
from burnish.geometry import masks
from burnish.train.augs import views
from burnish.train.augs.choices import between, either_way, ratio_between, seed
from burnish.train.augs.covering import without_covered
from burnish.train.augs.moving import Rules, kept_objects, moved
from burnish.train.augs.pasting import alike, blank, joined, laid, mixed_labels, pasted, with_turns
from burnish.train.augs.photometric import as_bytes
from burnish.train.samples import IGNORED, Sample

with extra("train"):
    import cv2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.train.augs.choices import Choice
    from burnish.train.augs.mixing_settings import CopyPasteConfig, CutmixConfig, MixupConfig, MosaicConfig
    from burnish.train.augs.views import ImageSize, View


def draw_mosaic(config: MosaicConfig, rng: Generator) -> Choice:
    """The common point and the place of each part in its picture, as shares, and the seeds of the three others."""
    point = [between(0.5 - config.reach, 0.5 + config.reach, rng) for _ in range(2)]
    return {"x": point[0], "y": point[1], "places": rng.random((4, 2)).tolist(), "others": [seed(rng) for _ in range(3)]}


def mosaic(sample: Sample, others: Sequence[Sample], choice: Choice, rules: Rules) -> Sample:
    """Four samples about one point; the first one lies in the upper left, and its size is that of the result."""
    height, width = sample.size
    row, column = round(choice["y"] * height), round(choice["x"] * width)
    rows, columns = ((0, row), (row, height)), ((0, column), (column, width))
    result, shares = blank(sample), []
    places = [(down, across) for down in rows for across in columns]
    for part, (down, across), room in zip([sample, *others], places, choice["places"], strict=True):
        size = down[1] - down[0], across[1] - across[0]
        shares.append((part.label, size[0] * size[1] / (height * width)))
        if min(size) > 0:
            result = laid(result, moved(part, _covering(part.size, size, room), size, rules), (down[0], across[0]))
    return replace(result, label=mixed_labels(shares))


def draw_mixup(config: MixupConfig, rng: Generator) -> Choice:
    """The first sample's share, and the seed of the other one."""
    return {"share": float(rng.beta(config.alpha, config.alpha)), "others": [seed(rng)]}


def mixup(sample: Sample, others: Sequence[Sample], choice: Choice, rules: Rules) -> Sample:
    """A blend; the other sample is brought to the size of the first.

    Raises:
        DataError: The samples have class masks, which cannot be blended, and no beliefs.
    """
    if sample.mask is not None and sample.beliefs is None:
        raise DataError("mixup cannot blend class masks: there is no class between two classes. Take cutmix, or give soft masks (beliefs).")
    other = _brought(alike(sample, others[0]), sample.size, rules)
    sample = with_turns(sample, turned=other.rotations is not None, masked=other.mask is not None)
    share = choice["share"]
    both = {"picture": _blend(sample.picture, other.picture, share)}
    if sample.beliefs is not None and other.beliefs is not None:
        both["beliefs"] = _blend(sample.beliefs, other.beliefs, share)
    if sample.mask is not None and other.mask is not None:
        both["mask"] = np.where(other.mask == IGNORED, other.mask, sample.mask)
    labels = mixed_labels([(sample.label, share), (other.label, 1 - share)])
    return replace(joined(sample, other), **both, label=labels)  # pyright: ignore[reportArgumentType] - arrays of bytes all


def draw_cutmix(config: CutmixConfig, rng: Generator) -> Choice:
    """The share of the first sample, the middle of the rectangle as shares of the sides, and the seed of the other one."""
    kept = float(rng.beta(config.alpha, config.alpha))
    return {"share": kept, "x": float(rng.random()), "y": float(rng.random()), "others": [seed(rng)]}


def cutmix(sample: Sample, others: Sequence[Sample], choice: Choice, rules: Rules) -> Sample:
    """A rectangle of the other sample at its own place; labels are mixed by the area that is really covered."""
    height, width = sample.size
    side = (1 - choice["share"]) ** 0.5
    top, bottom = (round(float(np.clip(choice["y"] + half, 0, 1)) * height) for half in (-side / 2, side / 2))
    left, right = (round(float(np.clip(choice["x"] + half, 0, 1)) * width) for half in (-side / 2, side / 2))
    other, size = alike(sample, others[0]), (bottom - top, right - left)
    if min(size) == 0:
        return sample
    view = views.shifted(-left, -top) @ _stretching(other.size, sample.size)
    covered = size[0] * size[1] / (height * width)
    labels = mixed_labels([(sample.label, 1 - covered), (other.label, covered)])
    return replace(pasted(sample, moved(other, view, size, rules), (top, left), rules), label=labels)


def draw_copy_paste(config: CopyPasteConfig, rng: Generator) -> Choice:
    """How many instances, which (a seed), how far they are moved and scaled, and the seed of the other sample."""
    way = {"right": either_way(config.shift, rng), "down": either_way(config.shift, rng)}
    count = int(rng.integers(1, config.instances + 1))
    return {"count": count, "which": seed(rng), **way, "scale": ratio_between(1 / config.scale, config.scale, rng), "others": [seed(rng)]}


def copy_paste(sample: Sample, others: Sequence[Sample], choice: Choice, rules: Rules) -> Sample:
    """Instances of the other sample over this one; what they cover is lost below, boxes of cut instances shrink to what is left.

    The label of the whole picture stays as it is.

    Raises:
        DataError: The samples have no instance masks.
    """
    if sample.instances is None:
        raise DataError("copy_paste needs instance masks, which these samples do not have. Take cutmix or mosaic.")
    other = alike(sample, others[0])
    height, width = sample.size
    resized = views.about_middle(views.scaled(choice["scale"], choice["scale"]), sample.size) @ _stretching(other.size, sample.size)
    other = moved(other, views.shifted(choice["right"] * width, choice["down"] * height) @ resized, sample.size, rules)
    other = _some_instances(other, choice)
    assert other.instances is not None
    cover = np.asarray(other.instances.any(axis=0), dtype=np.uint8)
    if not cover.any():
        return sample
    sample = with_turns(sample, turned=other.rotations is not None, masked=other.mask is not None)
    below = without_covered(_with_cut_boxes(sample, cover), cover, rules)
    pixels = {name: _replaced(old, getattr(other, name), cover) for name, old in _pixels(below).items()}
    return joined(replace(below, **pixels), other)  # pyright: ignore[reportArgumentType] - arrays of bytes all


def _some_instances(sample: Sample, choice: Choice) -> Sample:
    assert sample.instances is not None
    chosen = np.zeros(len(sample.instances), dtype=np.bool_)
    chosen[np.random.default_rng(choice["which"]).permutation(len(chosen))[: choice["count"]]] = True
    return kept_objects(sample, chosen)


def _with_cut_boxes(sample: Sample, cover: NDArray[np.uint8]) -> Sample:
    """Boxes of instances that lose pixels below a cover shrink to what is left of these; turned ones stay."""
    if sample.boxes is None or sample.instances is None or sample.rotations is not None:
        return sample
    boxes = sample.boxes.copy()
    for row in np.flatnonzero((sample.instances & cover).any(axis=(1, 2))):
        left = masks.box(sample.instances[row] & (1 - cover))
        if len(left):
            boxes[row] = upright.intersection(boxes[row : row + 1], left)[0]
    return replace(sample, boxes=boxes)


def _pixels(sample: Sample) -> dict[str, NDArray[np.uint8]]:
    found = {"picture": sample.picture, "mask": sample.mask, "beliefs": sample.beliefs}
    return {name: array for name, array in found.items() if array is not None}


def _replaced(old: NDArray[np.uint8], new: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return as_bytes(cv2.copyTo(np.ascontiguousarray(new), cover, old.copy())).reshape(old.shape)


def _covering(size: ImageSize, new_size: ImageSize, room: Sequence[float]) -> View:
    """The largest part of the new proportions, in whole pixels, scaled to the new size; the shares of the room say where it lies."""
    factor = max(new_size[0] / size[0], new_size[1] / size[1])
    height, width = (max(1, round(side / factor)) for side in new_size)
    left, top = round((size[1] - width) * room[0]), round((size[0] - height) * room[1])
    return views.scaled(new_size[1] / width, new_size[0] / height) @ views.shifted(-left, -top)


def _stretching(size: ImageSize, new_size: ImageSize) -> View:
    return views.scaled(new_size[1] / size[1], new_size[0] / size[0])


def _brought(sample: Sample, size: ImageSize, rules: Rules) -> Sample:
    return moved(sample, _stretching(sample.size, size), size, rules)


def _blend(one: NDArray[np.uint8], other: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    return as_bytes(cv2.addWeighted(one, share, other, 1 - share, 0.0)).reshape(one.shape)
