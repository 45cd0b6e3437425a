"""A share of the weak mask plus the rest of the thresholded prediction."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burnish.geometry.resampling import linear
from burnish.refine.modes.evidence import (
    BOX,
    NOWHERE,
    PREDICTED,
    Evidence,
    Merged,
    Verdict,
    checked_maps,
    merge_boxes,
    weak_masks,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools
    from burnish.refine.modes.evidence import Mode, Weak, Window
    from burnish.refine.modes.settings import HybridConfig

_FULL = 255.0


def hybrid(config: HybridConfig) -> Mode:
    """Make the mode: `alpha * weak + (1 - alpha) * prediction` of 8-bit masks, saturated and rounded to the nearest (halves to even).

    The prediction is thresholded at the size that it has, brought to the picture's size linearly, so that its edges become grey, and set to
    0 outside of the weak mask. A pixel is then 0 outside of all boxes, `alpha` in a box but not predicted, 1 in a box and predicted.
    """
    return lambda evidence: _merge(evidence, config)


def _merge(evidence: Evidence, config: HybridConfig) -> Merged:
    weak, maps = evidence.weak, checked_maps(evidence.probabilities, evidence.weak)
    predicted = np.rint(linear((maps > config.threshold) * _FULL, weak.size))
    inside = weak_masks(weak, len(maps))
    predicted[~inside] = 0
    soft = _saturated(config.alpha * _FULL * inside + (1 - config.alpha) * predicted)
    origins = np.where(predicted > 0, PREDICTED, np.where(inside, BOX, NOWHERE)).astype(np.uint8)
    taken = predicted > _FULL / 2
    judge = partial(_verdict, taken, weak)
    told = merge_boxes(weak, len(maps), judge, instances=config.instances)
    return Merged(soft, origins, told.boxes, told.instances)


def _verdict(taken: Bools, weak: Weak, place: int, window: Window, region: Bools) -> Verdict:
    """What the record says of a box; the beliefs have been computed for the whole picture."""
    inside = taken[weak.classes[place]][window]
    nothing = np.zeros(region.shape), np.zeros(region.shape, np.uint8)
    if not (inside & region).any():
        return Verdict(*nothing, inside, "empty", "Nothing is predicted in it; the weak share alone is kept.")
    return Verdict(*nothing, inside, "accepted", "The prediction inside of it is added to the weak share.")


def _saturated(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, _FULL).astype(np.uint8)
