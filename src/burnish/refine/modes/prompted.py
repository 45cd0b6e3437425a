"""What a prompted model such as SAM draws for each box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.refine.modes.evidence import BOX, DRAWN, Evidence, Merged, Verdict, at_size, merge_boxes, whole_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools
    from burnish.refine.modes.evidence import Mode
    from burnish.refine.modes.settings import PromptedConfig


def prompted(config: PromptedConfig) -> Mode:
    """Make the mode: inside a box `share * drawn + (1 - share) * probability`; a box in which nothing was drawn keeps the belief `empty`.

    `Evidence.drawn` comes from `burnish.refine.prompting.draw`.
    """
    return lambda evidence: _merge(evidence, config)


def _merge(evidence: Evidence, config: PromptedConfig) -> Merged:
    weak, drawn = evidence.weak, evidence.drawn
    if drawn is None or drawn.shape != (len(weak.boxes), *weak.size):
        found = "none is given" if drawn is None else f"they have shape {drawn.shape}"
        raise DataError(f"Mode prompted needs one drawn mask a box, {(len(weak.boxes), *weak.size)}, and {found}; give a segmenter.")
    maps = at_size(evidence.probabilities, weak)
    return merge_boxes(
        weak,
        len(maps),
        lambda n, window, region: _verdict(drawn[n][window] & region, maps[weak.classes[n]][window], region, config),
        instances=config.instances,
    )


def _verdict(drawn: Bools, probabilities: NDArray[np.float32], region: Bools, config: PromptedConfig) -> Verdict:
    if not drawn.any():
        return whole_box(region, config.empty, f"Nothing was drawn in it; it gets the belief {config.empty:g}.")
    predicted = (probabilities > config.threshold) & region
    beliefs = config.share * drawn + (1 - config.share) * probabilities.astype(np.float64)
    origins = np.where(drawn, DRAWN, BOX).astype(np.uint8)
    common = np.count_nonzero(predicted & drawn) / np.count_nonzero(predicted | drawn)
    return Verdict(beliefs, origins, drawn, "accepted", f"What was drawn overlaps the prediction by {common:.2f} (IoU).")
