"""Losses on boxes, upright and rotated. Boxes are matched already: row i of the prediction belongs to row i of the target."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from burnish.errors import DataError, extra
from burnish.train.losses.loss import Part, full, part
from burnish.train.losses.rotated import corners, hull_areas, intersection_areas

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.settings.boxes import BoxMeasure, BoxOverlapConfig, RotatedOverlapConfig

_TINY = 1e-7


def box_overlap(config: BoxOverlapConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - IoU, and its generalised (Rezatofighi et al., 2019), distance and complete forms (Zheng et al., 2020).

    Args:
        config: The description.
        predicted: (N, 4). A box that is inside out has no area, and still a gradient from giou, diou and ciou.
        target: (N, 4).
        weight: (N,) or None.

    Raises:
        DataError: Shapes do not fit.
    """
    target = _checked(predicted, target, weight, 4)
    one, two = (_as_corners(boxes) if config.form == "cxcywh" else boxes for boxes in (predicted, target))
    sizes, others = (one[:, 2:] - one[:, :2]).clamp_min(0), (two[:, 2:] - two[:, :2]).clamp_min(0)
    common = (torch.minimum(one[:, 2:], two[:, 2:]) - torch.maximum(one[:, :2], two[:, :2])).clamp_min(0).prod(1)
    union = sizes.prod(1) + others.prod(1) - common
    iou = common / union.clamp_min(_TINY)
    if config.measure == "iou":
        return part(1 - iou, None if weight is None else full(weight))
    hull = (torch.maximum(one[:, 2:], two[:, 2:]) - torch.minimum(one[:, :2], two[:, :2])).clamp_min(0)
    if config.measure == "giou":
        values = _empty_share(iou, union, hull.prod(1))
    else:
        centres = (one[:, :2] + one[:, 2:] - two[:, :2] - two[:, 2:]) / 2
        values = _apart(config.measure, iou, (hull**2).sum(1), (centres**2).sum(1), (sizes, others))
    return part(values, None if weight is None else full(weight))


def rotated_overlap(config: RotatedOverlapConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - exact IoU of rotated boxes, and its forms.

    The hull of giou is the convex hull of all eight corners; the distance of diou is divided by their largest distance from one another.
    Neither depends on how the picture is turned.

    Args:
        config: The description.
        predicted: (N, 5) of cx, cy, width, height, degrees clockwise.
        target: (N, 5).
        weight: (N,) or None.

    Raises:
        DataError: Shapes do not fit.
    """
    target = _checked(predicted, target, weight, 5)
    one, two = corners(predicted), corners(target)
    sizes, others = predicted[:, 2:4].clamp_min(0), target[:, 2:4].clamp_min(0)
    common = intersection_areas(one, two)
    union = sizes.prod(1) + others.prod(1) - common
    iou, points = common / union.clamp_min(_TINY), torch.cat([one, two], 1)
    if config.measure == "iou":
        values = 1 - iou
    elif config.measure == "giou":
        values = _empty_share(iou, union, hull_areas(points))
    else:
        widest = ((points.unsqueeze(1) - points.unsqueeze(2)) ** 2).sum(-1).flatten(1).amax(1)
        values = _apart(config.measure, iou, widest, ((predicted[:, :2] - target[:, :2]) ** 2).sum(1), (sizes, others))
    return part(values, None if weight is None else full(weight))


def _empty_share(iou: Tensor, union: Tensor, hull: Tensor) -> Tensor:
    """GIoU's cost (N,): 1 - IoU and the share of the hull that neither covers."""
    return 1 - iou + (hull - union) / hull.clamp_min(_TINY)


def _apart(measure: BoxMeasure, iou: Tensor, diagonal: Tensor, distance: Tensor, sizes: tuple[Tensor, Tensor]) -> Tensor:
    """DIoU's and CIoU's cost (N,), of the hull's squared diagonal and the centres' squared distance."""
    values = 1 - iou + distance / diagonal.clamp_min(_TINY)
    if measure == "diou":
        return values
    gap = _shape_gap(*sizes)
    with torch.no_grad():
        # The weight of the shape carries no gradient, as in the paper.
        weight = gap / (1 - iou + gap).clamp_min(_TINY)
    return values + weight * gap


def _shape_gap(sizes: Tensor, others: Tensor) -> Tensor:
    """(N,) squared difference of the angles of both diagonals, 1 for a quarter turn."""
    angles, other_angles = (torch.atan2(size[:, 0], size[:, 1].clamp_min(_TINY)) for size in (sizes, others))
    return 4 / math.pi**2 * (other_angles - angles) ** 2


def _as_corners(boxes: Tensor) -> Tensor:
    half = boxes[:, 2:] / 2
    return torch.cat([boxes[:, :2] - half, boxes[:, :2] + half], 1)


def _checked(predicted: Tensor, target: Tensor, weight: Tensor | None, columns: int) -> Tensor:
    if predicted.shape != target.shape or predicted.ndim != 2 or predicted.shape[1] != columns:  # noqa: PLR2004 - rows and columns
        found = f"{tuple(predicted.shape)} and {tuple(target.shape)}"
        raise DataError(f"Predicted and true boxes have the shapes {found}; expected (N, {columns}) for both, matched row by row.")
    if weight is not None and weight.shape != predicted.shape[:1]:
        raise DataError(f"The weight has shape {tuple(weight.shape)}; expected ({len(predicted)},), one for each box.")
    return full(target).to(predicted.dtype)
