"""The probabilities themselves, inside the boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.refine.modes.evidence import BOX, PREDICTED, Evidence, Merged, Verdict, at_size, merge_boxes, whole_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools
    from burnish.refine.modes.evidence import Mode
    from burnish.refine.modes.settings import SoftConfig


def soft(config: SoftConfig) -> Mode:
    """Make the mode: inside a box a pixel's belief is its probability, `floor` at least; outside of all boxes it is 0.

    A box in which all probabilities are 0 gets the belief `empty` throughout.
    """
    return lambda evidence: _merge(evidence, config)


def _merge(evidence: Evidence, config: SoftConfig) -> Merged:
    weak, maps = evidence.weak, at_size(evidence.probabilities, evidence.weak)
    return merge_boxes(
        weak,
        len(maps),
        lambda place, window, region: _verdict(maps[weak.classes[place]][window], region, config),
        instances=config.instances,
    )


def _verdict(probabilities: NDArray[np.float32], region: Bools, config: SoftConfig) -> Verdict:
    if not probabilities[region].any():
        return whole_box(region, config.empty, f"All probabilities in it are 0; it gets the belief {config.empty:g}.")
    taken = probabilities > config.threshold
    beliefs = np.maximum(probabilities.astype(np.float64), config.floor)
    origins = np.where(taken, PREDICTED, BOX).astype(np.uint8)
    if not (taken & region).any():
        highest = float(probabilities[region].max())
        reason = f"No probability in it is above {config.threshold:g}, the highest is {highest:.2f}; the low ones are kept."
        return Verdict(beliefs, origins, taken, "empty", reason)
    return Verdict(beliefs, origins, taken, "accepted", "The probabilities inside of it are kept.")
