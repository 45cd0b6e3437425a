"""A sample seen through a projective map: the picture and every target move together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from burnish.errors import ConfigError
from burnish.geometry import boxes as upright
from burnish.geometry import clipping, masks, polygons, rotated
from burnish.train.augs.sampling import instances_through, seen_through
from burnish.train.augs.views import ImageSize, View, is_mirrored, is_similar, is_upright, moved_points, same
from burnish.train.samples import IGNORED, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools, Floats

Border: TypeAlias = Literal["black", "ignored", "reflect"]

_WHOLE = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Rules:
    """What happens at the edges of a picture.

    Attributes:
        border: What comes in from outside: black, background in masks; black, ignored in masks; or the reflected picture and mask.
            Objects are not reflected.
        min_visible: An object of which less is left to see is none any more.
        mirror_points: Pairs of key points that change places when the picture is mirrored, by numbers from 0.
    """

    border: Border = "black"
    min_visible: float = 0.2
    mirror_points: tuple[tuple[int, int], ...] = ()


def moved(sample: Sample, view: View, size: ImageSize, rules: Rules) -> Sample:
    """See a sample through a map.

    Upright boxes stay upright: where the map turns or slants them, they are the boxes of the moved instance masks if there are any, else
    of the visible part of the moved corners. Turned boxes turn on, and may stick out of the picture. Points outside are not there.

    Args:
        sample: The picture and its targets.
        view: From old to new places.
        size: Height and width of the result.
        rules: What happens at the edges.

    Raises:
        ConfigError: `mirror_points` has a number that the skeletons do not have.
    """
    if size == sample.size and np.array_equal(view, same()):
        return sample
    outside = None if rules.border == "reflect" else 0
    beliefs = sample.beliefs
    return replace(
        _with_moved_objects(sample, view, size, rules),
        picture=seen_through(sample.picture, view, size, smooth=True, outside=outside),
        mask=_moved_mask(sample, view, size, rules.border),
        beliefs=None if beliefs is None else seen_through(beliefs, view, size, smooth=True, outside=outside),
    )


def kept_objects(sample: Sample, keep: Bools) -> Sample:
    """The sample with only those rows of boxes, classes, instances and points."""
    if keep.all():
        return sample
    chosen = {
        name: None if rows is None else rows[keep]
        for name, rows in (
            ("boxes", sample.boxes),
            ("rotations", sample.rotations),
            ("classes", sample.classes),
            ("instances", sample.instances),
            ("points", sample.points),
        )
    }
    return replace(sample, **chosen)  # pyright: ignore[reportArgumentType] - each goes back to where it came from


def object_count(sample: Sample) -> int:
    """How many objects a sample has."""
    rows = (sample.boxes, sample.instances, sample.points, sample.classes)
    return next((len(found) for found in rows if found is not None), 0)


def _moved_mask(sample: Sample, view: View, size: ImageSize, border: Border) -> NDArray[np.uint8] | None:
    mask = sample.mask
    if mask is None:
        if sample.beliefs is None or border != "ignored":
            return None
        mask = np.zeros(sample.size, np.uint8)  # beside beliefs: says which pixels count for nothing
    outside = {"black": 0, "ignored": IGNORED, "reflect": None}[border]
    return seen_through(mask, view, size, smooth=False, outside=outside)


def _with_moved_objects(sample: Sample, view: View, size: ImageSize, rules: Rules) -> Sample:
    if object_count(sample) == 0:
        return replace(sample, instances=None if sample.instances is None else np.zeros((0, *size), np.uint8))
    instances = None if sample.instances is None else instances_through(sample.instances, view, size)
    points = None if sample.points is None else _moved_keypoints(sample.points, view, size, rules)
    boxes, rotations, visible = _moved_boxes(sample, view, size)
    keep: Bools = np.asarray((visible > 0) & (visible >= rules.min_visible))
    if instances is not None and sample.instances is not None:
        keep &= instances.any(axis=(1, 2)) | ~sample.instances.any(axis=(1, 2))
        boxes = boxes if boxes is None or rotations is not None or is_upright(view) else _boxes_of(instances, boxes)
    if sample.boxes is None and sample.instances is None and points is not None and sample.points is not None:
        keep = np.asarray((points[..., 2] > 0).any(axis=1) | ~(sample.points[..., 2] > 0).any(axis=1))
    changed = replace(sample, boxes=boxes, rotations=rotations, instances=instances, points=points)
    return kept_objects(changed, keep)


def _moved_keypoints(points: NDArray[np.float32], view: View, size: ImageSize, rules: Rules) -> NDArray[np.float32]:
    places = moved_points(points[..., :2].astype(np.float64), view)
    inside = ((places >= 0) & (places < [size[1], size[0]])).all(axis=-1) & (points[..., 2] > 0)
    result = np.where(inside[..., None], np.concatenate([places, points[..., 2:]], axis=-1), 0.0).astype(np.float32)
    return _swapped(result, rules.mirror_points) if is_mirrored(view) else result


def _swapped(points: NDArray[np.float32], pairs: tuple[tuple[int, int], ...]) -> NDArray[np.float32]:
    order = np.arange(points.shape[1])
    for one, other in pairs:
        if max(one, other) >= len(order):
            raise ConfigError(f"mirror_points names point {max(one, other)}, but the skeletons have {len(order)}, numbered from 0.")
        order[one], order[other] = other, one
    return points[:, order]


def _moved_boxes(
    sample: Sample, view: View, size: ImageSize
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None, NDArray[np.float64]]:
    """Boxes, rotations and the visible share of each object; where there are no boxes, those of the instance masks tell the share."""
    if sample.boxes is None and sample.instances is None:
        return None, None, np.ones(object_count(sample))
    known = _known_boxes(sample)
    if sample.rotations is not None and sample.boxes is not None:
        turned = _moved_rotated(rotated.from_boxes(known, sample.rotations), view)
        boxes, degrees = rotated.to_boxes(turned)
        _, visible = _visible_parts(rotated.corners(turned), size)
        return boxes.astype(np.float32), degrees.astype(np.float32), visible
    found, visible = _moved_upright(known, view, size)
    return None if sample.boxes is None else found.astype(np.float32), None, visible


def _known_boxes(sample: Sample) -> Floats:
    if sample.boxes is not None:
        return sample.boxes.astype(np.float64)
    assert sample.instances is not None
    return _boxes_of(sample.instances, np.zeros((len(sample.instances), 4), np.float32)).astype(np.float64)


def _boxes_of(instances: NDArray[np.uint8], otherwise: NDArray[np.float32]) -> NDArray[np.float32]:
    found = [masks.box(instance) for instance in instances]
    rows = [box[0] if len(box) else fallback for box, fallback in zip(found, otherwise, strict=True)]
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def _moved_upright(boxes: Floats, view: View, size: ImageSize) -> tuple[Floats, Floats]:
    corners = moved_points(rotated.corners(rotated.from_boxes(boxes)), view)
    if not is_upright(view):
        return _visible_parts(corners, size)
    whole = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    clipped = upright.clip(whole, size[1], size[0])
    area = upright.area(whole)
    inside = (clipped == whole).all(axis=1).astype(np.float64)
    return clipped, np.where(area > 0, upright.area(clipped) / np.where(area > 0, area, 1.0), inside)


def _moved_rotated(boxes: Floats, view: View) -> Floats:
    corners = moved_points(rotated.corners(boxes), view)
    if is_similar(view):
        return rotated.from_corners(corners)
    shown = np.nan_to_num(corners)
    return np.concatenate([np.zeros((0, 5)), *(rotated.around(quad) for quad in shown)])


def _visible_parts(quads: Floats, size: ImageSize) -> tuple[Floats, Floats]:
    """The upright boxes (N, 4) around what lies inside of quadrangles (N, 4, 2), and its share of them (N,)."""
    frame = np.array([0.0, 0.0, size[1], size[0]])
    boxes = np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)
    visible: Floats = np.asarray((boxes[:, :2] >= 0).all(axis=1) & (boxes[:, 2:] <= frame[2:]).all(axis=1), dtype=np.float64)
    unseen = (boxes[:, :2] >= frame[2:]).any(axis=1) | (boxes[:, 2:] <= 0).any(axis=1)
    away: Bools = np.asarray(unseen | ~np.isfinite(boxes).all(axis=1))
    for row in np.flatnonzero((visible < _WHOLE) & ~away):
        rings = clipping.clip([quads[row]], frame)
        if rings:
            visible[row] = polygons.area(rings) / max(polygons.area([quads[row]]), 1e-12)
            boxes[row] = polygons.bounds(rings)[0]
    return np.where(away[:, None], 0.0, boxes), visible
