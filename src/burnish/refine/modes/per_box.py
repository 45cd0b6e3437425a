"""Box by box: the prediction where it fills enough of its box, else the whole box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.refine.modes.evidence import BOX, PREDICTED, Evidence, Merged, Verdict, at_size, merge_boxes, touched_sides, whole_box

if TYPE_CHECKING:
    from burnish.geometry.arrays import Bools
    from burnish.refine.modes.evidence import Mode
    from burnish.refine.modes.settings import PerBoxConfig


def per_box(config: PerBoxConfig) -> Mode:
    """Make the mode: `|prediction in box| / |box| < limit` keeps the whole box, else what is predicted in the box is kept.

    With `sides` a prediction must also touch so many sides of its box, since the box was drawn tightly around the object (the tightness
    prior of Lempitsky et al., Image segmentation with a bounding box prior, ICCV 2009).
    """
    return lambda evidence: _merge(evidence, config)


def _merge(evidence: Evidence, config: PerBoxConfig) -> Merged:
    weak = evidence.weak
    predicted = at_size(evidence.probabilities, weak) > config.threshold
    return merge_boxes(
        weak,
        len(predicted),
        lambda place, window, region: _verdict(predicted[weak.classes[place]][window] & region, region, config),
        instances=config.instances,
    )


def _verdict(taken: Bools, region: Bools, config: PerBoxConfig) -> Verdict:
    share = np.count_nonzero(taken) / np.count_nonzero(region)
    if not taken.any():
        return whole_box(region, config.whole, "Nothing is predicted in it, so it is kept whole.")
    if share < config.limit:
        reason = f"The prediction fills {share:.2f} of it, less than {config.limit:g}, so it is kept whole."
        return whole_box(region, config.whole, reason, taken)
    sides = touched_sides(taken, config.slack)
    if sides < config.sides:
        reason = f"The prediction touches {sides} of its sides, fewer than {config.sides}, so it is kept whole."
        return whole_box(region, config.whole, reason, taken)
    origins = np.where(taken, PREDICTED, BOX).astype(np.uint8)
    return Verdict(taken.astype(np.float64), origins, taken, "accepted", f"The prediction fills {share:.2f} of it.")
