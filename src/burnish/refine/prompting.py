"""Showing boxes to a model that draws what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.data.labels import Labels
from burnish.errors import ModelError
from burnish.geometry import rle
from burnish.geometry.overlap import box_overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools
    from burnish.models.protocols import Segmenter
    from burnish.refine.modes.evidence import Weak


def draw(segmenter: Segmenter, pictures: Sequence[NDArray[np.uint8]], weak: Sequence[Weak]) -> list[Bools]:
    """Have a model draw what is in each weak box.

    Args:
        segmenter: Any model that keeps the Protocol, for instance SAM.
        pictures: (H, W, 3) each.
        weak: The boxes of each.

    Returns:
        For each picture (N, H, W), in the order of its boxes. What the model gives in the order of the prompts is taken so; where it gives
        more or fewer masks, each box gets the one whose own box overlaps it most, and none where none overlaps.

    Raises:
        ModelError: The model gives answers for another number of pictures.
    """
    found = segmenter.segment(pictures, [_prompt(number, one) for number, one in enumerate(weak)])
    if len(found) != len(pictures):
        raise ModelError(f"The segmenter gave {len(found)} answers to {len(pictures)} pictures; expected one each.")
    return [_by_box(labels, one) for labels, one in zip(found, weak, strict=True)]


def _prompt(image: int, weak: Weak) -> Labels:
    count = len(weak.boxes)
    nothing = (None,) * count
    return Labels(
        image=image,
        size=(weak.size[1], weak.size[0]),
        ids=np.arange(count),
        classes=weak.classes.astype(np.int32),
        kinds=("box",) * count,
        boxes=weak.boxes,
        rotations=np.zeros(count),
        scores=np.full(count, np.nan),
        points=nothing,
        parts=nothing,
        masks=nothing,
        tracks=np.full(count, -1),
        visibilities=nothing,
    )


def _by_box(labels: Labels, weak: Weak) -> Bools:
    height, width = weak.size
    nothing = np.zeros(weak.size, dtype=np.bool_)
    masks = [nothing if mask is None else rle.decode(rle.decompress(mask), height, width) for mask in labels.masks]
    chosen = masks
    if len(masks) != len(weak.boxes):
        overlaps = box_overlaps(weak.boxes, np.nan_to_num(labels.boxes))
        chosen = [masks[int(row.argmax())] if row.max(initial=0) > 0 else nothing for row in overlaps]
    return np.stack(chosen) if chosen else np.zeros((0, height, width), dtype=np.bool_)
