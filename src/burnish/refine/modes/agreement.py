"""What two models agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.refine.modes.evidence import BOX, DISPUTED, PREDICTED, Evidence, Merged, Verdict, at_size, merge_boxes, whole_box

if TYPE_CHECKING:
    from burnish.geometry.arrays import Bools
    from burnish.refine.modes.evidence import Mode
    from burnish.refine.modes.settings import AgreementConfig


def agreement(config: AgreementConfig) -> Mode:
    """Make the mode: inside a box, 1 where both models predict the object, `disputed` where one does, 0 where none does."""
    return lambda evidence: _merge(evidence, config)


def _merge(evidence: Evidence, config: AgreementConfig) -> Merged:
    weak = evidence.weak
    if evidence.second is None:
        raise DataError("Mode agreement needs the maps of two models, and there is one; give the other (--second RUN, Evidence.second).")
    one, two = (at_size(maps, weak) > config.threshold for maps in (evidence.probabilities, evidence.second))
    if len(one) != len(two):
        raise DataError(f"One model gives {len(one)} maps and the other {len(two)}; expected one a class of both.")
    return merge_boxes(
        weak,
        len(one),
        lambda n, window, region: _verdict(one[weak.classes[n]][window] & region, two[weak.classes[n]][window] & region, region, config),
        instances=config.instances,
    )


def _verdict(one: Bools, two: Bools, region: Bools, config: AgreementConfig) -> Verdict:
    both, either = one & two, one | two
    if not either.any():
        return whole_box(region, config.empty, f"Neither model predicts anything in it; it gets the belief {config.empty:g}.")
    overlap = np.count_nonzero(both) / np.count_nonzero(either)
    if overlap < config.least:
        reason = f"The models overlap by {overlap:.2f} (IoU) in it, less than {config.least:g}; it gets the belief {config.empty:g}."
        return whole_box(region, config.empty, reason, both)
    beliefs = np.where(both, 1.0, np.where(either, config.disputed, 0.0))
    origins = np.where(both, PREDICTED, np.where(either, DISPUTED, BOX)).astype(np.uint8)
    return Verdict(beliefs, origins, both, "accepted", f"The models overlap by {overlap:.2f} (IoU) in it.")
