"""The prediction grown or cut until it fills its box from side to side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.refine.modes.along_edges import along_edges, picture_of
from burnish.refine.modes.evidence import BOX, PREDICTED, Evidence, Merged, Verdict, at_size, inside_boxes, merge_boxes, whole_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools, Floats
    from burnish.refine.modes.evidence import Mode, Window
    from burnish.refine.modes.settings import TightConfig

_NEVER = 1e-6


def tight(config: TightConfig) -> Mode:
    """Make the mode: whoever drew a box saw the object touch all four of its sides, so its mask must touch them too.

    This is the tightness of Lempitsky et al., Image Segmentation with a Bounding Box Prior (ICCV 2009), in its plainest form: the
    threshold falls, box by box and down to `least`, until what lies above it reaches every side. The probabilities first take on the
    edges of the picture.
    """
    return lambda evidence: _merge(evidence, config)


def _merge(evidence: Evidence, config: TightConfig) -> Merged:
    weak, maps = evidence.weak, at_size(evidence.probabilities, evidence.weak)
    picture = picture_of(evidence, config.name) if config.radius else None
    maps = maps if config.outside else inside_boxes(maps, weak)

    def judge(place: int, window: Window, region: Bools) -> Verdict:
        found = maps[weak.classes[place]]
        if picture is None:
            return _verdict(found[window], region, config)
        return _verdict(along_edges(found, picture, window, radius=config.radius, epsilon=config.epsilon), region, config)

    return merge_boxes(weak, len(maps), judge, instances=config.instances)


def _verdict(probabilities: NDArray[np.floating], region: Bools, config: TightConfig) -> Verdict:
    inside = np.where(region, probabilities, 0.0).astype(np.float64)
    reached = reaching(inside)
    level = min(max(reached, config.least), config.threshold)
    taken = (inside >= level) & region
    if not taken.any():
        reason = f"No probability in it reaches {config.least:g}, the highest is {inside.max():.2f}; it gets the belief {config.empty:g}."
        return whole_box(region, config.empty, reason)
    beliefs = taken.astype(np.float64) if config.hard else _moved(inside, level)
    origins = np.where(taken, PREDICTED, BOX).astype(np.uint8)
    return Verdict(beliefs, origins, taken, "accepted", _reason(reached, level, config))


def reaching(inside: Floats) -> float:
    """The highest threshold at which what is predicted touches all four sides of (h, w) probabilities."""
    return float(min(side.max() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1])))


def _moved(inside: Floats, level: float) -> Floats:
    """Probabilities whose log-odds are moved so that those of `level` become 0.5."""
    clipped = np.clip(inside, _NEVER, 1 - _NEVER)
    odds = clipped / (1 - clipped) * ((1 - level) / level)
    return odds / (1 + odds)


def _reason(reached: float, level: float, config: TightConfig) -> str:
    if reached >= config.threshold:
        return f"Above {level:g} the prediction reaches all its sides."
    if reached >= config.least:
        return f"The prediction reaches all its sides from {level:.2f} on, so that is the threshold."
    return f"Down to {level:g} the prediction does not reach all its sides; what lies above that is kept."
