"""Specks of dust, and coarse dropout with what it means for the objects below."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import extra
from burnish.geometry import boxes as upright
from burnish.geometry import rotated
from burnish.train.augs.choices import seed
from burnish.train.augs.moving import Rules, kept_objects, object_count
from burnish.train.augs.photometric import Picture, as_bytes
from burnish.train.samples import IGNORED, Sample

with extra("train"):
    import cv2

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.train.augs.choices import Choice
    from burnish.train.augs.pixel_settings import CoarseDropoutConfig, DustConfig

_FRACTION_BITS = 4
_HIDDEN = 1


def draw_dust(config: DustConfig, rng: Generator) -> Choice:
    """Places as shares of the sides, radii and lengths as shares of the shorter one, turns in degrees, and opacities."""
    count = int(rng.integers(1, config.specks + 1))
    radii = config.radius * (0.2 + 0.8 * rng.random(count) ** 2)
    shapes = np.stack([radii, radii * rng.uniform(0.5, 1.0, count), rng.uniform(0, 180, count)], axis=1)
    opacities = config.opacity * rng.uniform(0.4, 1.0, count)
    specks = np.concatenate([rng.random((count, 2)), shapes, opacities[:, None]], axis=1)
    return {"colour": list(config.colour), "specks": specks.tolist()}


def dust(picture: Picture, choice: Choice) -> Picture:
    """Ellipses in one colour with smooth rims."""
    height, width = picture.shape[:2]
    layer = np.zeros((height, width), np.uint8)
    unit = min(height, width) << _FRACTION_BITS
    for x, y, long, short, degrees, opacity in choice["specks"]:
        centre = round(x * width * (1 << _FRACTION_BITS)), round(y * height * (1 << _FRACTION_BITS))
        axes = max(round(long * unit), 8), max(round(short * unit), 8)
        cv2.ellipse(layer, centre, axes, degrees, 0, 360, round(255 * opacity), -1, cv2.LINE_AA, _FRACTION_BITS)
    rows, columns = np.nonzero(layer)
    changed = picture.copy()
    weights = layer[rows, columns, None] / np.float32(255)
    changed[rows, columns] = np.round(picture[rows, columns] * (1 - weights) + np.array(choice["colour"], np.float32) * weights)
    return changed


def draw_dropout(config: CoarseDropoutConfig, rng: Generator) -> Choice:
    """Rectangles as shares of the sides (left, top, right, bottom), what fills them, and what masks hold below."""
    count = int(rng.integers(1, config.holes + 1))
    sides = rng.uniform(config.side / 4, config.side, (count, 2))
    corners = rng.random((count, 2)) * (1 - sides)
    fill = config.fill if isinstance(config.fill, str) else list(config.fill)
    return {"holes": np.concatenate([corners, corners + sides], axis=1).tolist(), "fill": fill, "mask": config.mask, "seed": seed(rng)}


def dropout(sample: Sample, choice: Choice, rules: Rules) -> Sample:
    """Cover the rectangles; objects go by the visibility rule."""
    height, width = sample.size
    holes = np.zeros((height, width), np.uint8)
    picture = sample.picture.copy()
    rng = np.random.default_rng(choice["seed"])
    for left, top, right, bottom in choice["holes"]:
        place = slice(round(top * height), round(bottom * height)), slice(round(left * width), round(right * width))
        picture[place] = _filling(sample.picture, picture[place].shape, choice["fill"], rng)
        holes[place] = 1
    return replace(_masked(without_covered(sample, holes, rules), holes, choice["mask"]), picture=picture)


def without_covered(sample: Sample, cover: NDArray[np.uint8], rules: Rules) -> Sample:
    """The objects of a sample of which pixels are covered.

    Instance masks lose what is covered, points below become hidden, and an object of which less than `min_visible` is left goes: by the
    pixels of its mask, or by the area of its box where it has none. Boxes stay as they are: the object is as large as it was.

    Args:
        sample: The picture and its targets.
        cover: (H, W) uint8, 1 where it is covered.
        rules: `min_visible`.
    """
    if object_count(sample) == 0 or not cover.any():
        return sample
    changed: dict[str, Any] = {}
    keep = np.ones(object_count(sample), dtype=np.bool_)
    if sample.instances is not None:
        changed["instances"] = sample.instances & (1 - cover)
        before, after = (np.count_nonzero(masks, axis=(1, 2)) for masks in (sample.instances, changed["instances"]))
        keep = (after >= rules.min_visible * before) & ((after > 0) | (before == 0))
    elif sample.boxes is not None:
        keep = _seen_shares(sample, cover) >= max(rules.min_visible, 1e-9)
    if sample.points is not None:
        changed["points"] = _hidden_below(sample.points, cover)
    return kept_objects(replace(sample, **changed), keep)


def _seen_shares(sample: Sample, cover: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The share of each box (N,) that is not covered, in whole pixels; of turned boxes the upright one around them."""
    assert sample.boxes is not None
    boxes = sample.boxes if sample.rotations is None else rotated.bounds(rotated.from_boxes(sample.boxes, sample.rotations))
    sums = cv2.integral(cover)
    x1, y1, x2, y2 = upright.to_pixels(upright.clip(boxes, cover.shape[1], cover.shape[0])).T
    covered = sums[y2, x2] - sums[y1, x2] - sums[y2, x1] + sums[y1, x1]
    area = (x2 - x1) * (y2 - y1)
    return 1 - covered / np.maximum(area, 1)


def _hidden_below(points: NDArray[np.float32], cover: NDArray[np.uint8]) -> NDArray[np.float32]:
    columns = np.clip(points[..., 0], 0, cover.shape[1] - 1).astype(np.int64)
    rows = np.clip(points[..., 1], 0, cover.shape[0] - 1).astype(np.int64)
    result = points.copy()
    result[..., 2] = np.where(cover[rows, columns] > 0, np.minimum(points[..., 2], _HIDDEN), points[..., 2])
    return result


def _masked(sample: Sample, holes: NDArray[np.uint8], how: str) -> Sample:
    if how == "keep":
        return sample
    value = IGNORED if how == "ignored" else 0
    mask = sample.mask
    if mask is None and sample.beliefs is not None and how == "ignored":
        mask = np.zeros(sample.size, np.uint8)
    covered = holes > 0
    changed = None if mask is None else np.where(covered, np.uint8(value), mask)
    beliefs = sample.beliefs
    if beliefs is not None and how == "background":
        beliefs = beliefs * (~covered)[..., None].astype(np.uint8)
    return replace(sample, mask=changed, beliefs=beliefs)


def _filling(picture: Picture, shape: tuple[int, ...], fill: str | list[int], rng: Generator) -> Picture:
    if fill == "noise":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    colour = np.round(cv2.mean(picture)[:3]) if fill == "mean" else np.asarray(fill)
    return np.broadcast_to(as_bytes(colour), shape)
