"""Descriptions of the losses on boxes and on the ranking of detections."""

from __future__ import annotations

from typing import Literal, TypeAlias

from burnish.config import Config
from burnish.train.losses.settings.shared import Positive

BoxMeasure: TypeAlias = Literal["iou", "giou", "diou", "ciou"]


class BoxOverlapConfig(Config):
    """1 - overlap of each predicted box with its true one."""

    name: Literal["box_overlap"] = "box_overlap"
    """Which loss."""

    measure: BoxMeasure = "iou"
    """iou; giou less the empty share of the hull; diou less the distance of the centres; ciou less the difference of the shapes too."""

    form: Literal["xyxy", "cxcywh"] = "xyxy"
    """Corners x1 y1 x2 y2, or centre, width and height."""


class RotatedOverlapConfig(Config):
    """1 - overlap of each predicted rotated box (cx, cy, width, height, degrees clockwise) with its true one, exact."""

    name: Literal["rotated_overlap"] = "rotated_overlap"
    """Which loss."""

    measure: BoxMeasure = "iou"
    """As of upright boxes; the hull of giou is the convex hull."""


class AveragePrecisionConfig(Config):
    """1 - a smooth average precision of scores (N,) or (N, K) against hits: the stand-in for mAP, which has no gradient."""

    name: Literal["average_precision"] = "average_precision"
    """Which loss."""

    temperature: Positive = 0.01
    """How steep a rank counts: a score that is this much higher counts as 0.73 of a rank; small is exact but flat."""

    from_logits: bool = True
    """The scores are logits and go through a sigmoid; otherwise probabilities."""
