"""What a network says, as annotations of one picture: for drawing, for comparison, for a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.data.labels import Labels
from burnish.geometry import masks as mask_geometry
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

SURE: Final = 0.3
"""From this score on detected objects are drawn, and written where no other score is asked for."""


def labels_of_arrays(
    kind: str,
    classes: ArrayLike,
    boxes: ArrayLike,
    size: tuple[int, int],
    *,
    scores: ArrayLike | None = None,
    masks: Sequence[bytes | None] | None = None,
    points: Sequence[NDArray[np.float64] | None] | None = None,
    visibilities: Sequence[NDArray[np.uint8] | None] | None = None,
    image: int = 0,
) -> Labels:
    """Annotations of one kind.

    Args:
        kind: For instance box or mask.
        classes: (n,) class numbers.
        boxes: (n, 4) x1, y1, x2, y2 in pixels; NaN for tags.
        size: Width and height of the picture.
        scores: (n,) how sure each is.
        masks: Compressed run-length codes.
        points: (k, 2) points of each.
        visibilities: (k,) of each's points.
        image: The picture's id.
    """
    numbers = np.asarray(classes, dtype=np.int32).reshape(-1)
    count = len(numbers)
    return Labels(
        image=image,
        size=size,
        ids=np.arange(1, count + 1, dtype=np.int64),
        classes=numbers,
        kinds=(kind,) * count,
        boxes=np.asarray(boxes, dtype=np.float64).reshape(count, 4),
        rotations=np.zeros(count),
        scores=np.full(count, np.nan) if scores is None else np.asarray(scores, dtype=np.float64).reshape(count),
        points=(None,) * count if points is None else tuple(points),
        parts=(None,) * count,
        masks=(None,) * count if masks is None else tuple(masks),
        tracks=np.full(count, -1, dtype=np.int64),
        visibilities=(None,) * count if visibilities is None else tuple(visibilities),
    )


def mask_labels(masks: NDArray[np.bool_], numbers: Sequence[int], *, scores: Sequence[float] | None = None) -> Labels:
    """Masks (K, h, w) as annotations of the classes `numbers`; empty ones are left out."""
    there = [place for place in range(len(masks)) if masks[place].any()]
    size = masks.shape[2], masks.shape[1]
    boxes = [mask_geometry.box(masks[place]) for place in there]
    codes = [rle.compress(rle.encode(masks[place])) for place in there]
    certain = None if scores is None else [scores[place] for place in there]
    return labels_of_arrays("mask", [numbers[place] for place in there], boxes or np.empty((0, 4)), size, masks=codes, scores=certain)
