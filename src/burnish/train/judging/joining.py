"""Predicted skeletons beside the labelled ones in one drawing: each point joined with the place where it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.data.labels import Labels
from burnish.train.judging.pairing import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ERROR: Final = "error"
"""What the class of the joining lines is called; it stands behind the one class of the skeletons."""


def joined(given: Labels, found: Labels) -> Labels:
    """The predicted skeletons of a picture, and a line from each labelled point to where it was put, if it was."""
    lines = [*_lines(given, found)]
    around = np.array([[*line.min(axis=0), *line.max(axis=0)] for line in lines]).reshape(-1, 4)
    count = len(lines)
    return Labels(
        image=found.image,
        size=found.size,
        ids=np.arange(1, len(found) + count + 1, dtype=np.int64),
        classes=np.append(found.classes, np.full(count, 1, np.int32)),
        kinds=(*found.kinds, *("polyline",) * count),
        boxes=np.concatenate([found.boxes, around]),
        rotations=np.zeros(len(found) + count),
        scores=np.append(found.scores, np.full(count, np.nan)),
        points=(*found.points, *lines),
        parts=(None,) * (len(found) + count),
        masks=(None,) * (len(found) + count),
        tracks=np.full(len(found) + count, -1, dtype=np.int64),
        visibilities=(*found.visibilities, *(None,) * count),
    )


def _lines(given: Labels, found: Labels) -> Iterator[NDArray[np.float64]]:
    """(2, 2) from the true place of a point to the predicted one."""
    if not len(given) or not len(found):
        return
    true, said = np.stack([one for one in given.points if one is not None]), np.stack([one for one in found.points if one is not None])
    known = np.stack([one for one in given.visibilities if one is not None]) > 0
    gaps = np.hypot(*(said[:, None] - true[None]).transpose(3, 0, 1, 2))
    mean = np.where(known, gaps, 0.0).sum(axis=2) / np.maximum(known.sum(axis=1), 1)
    for number, own in enumerate(pairs(1 / (1 + mean))):
        seen = found.visibilities[own] if own >= 0 else None
        if seen is not None:
            yield from (np.stack([true[number, point], said[own, point]]) for point in np.flatnonzero(known[number] & (seen > 0)))
