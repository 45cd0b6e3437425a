"""The prediction moved to the edges of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.refine.modes.along_edges import along_edges, picture_of, with_margin
from burnish.refine.modes.evidence import BOX, PREDICTED, Evidence, Merged, Verdict, at_size, inside_boxes, merge_boxes, whole_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools
    from burnish.refine.modes.evidence import Mode, Window
    from burnish.refine.modes.settings import EdgesConfig

_LEAST_MARGIN = 4


def edges(config: EdgesConfig) -> Mode:
    """Make the mode.

    With `grabcut` each box is cut out of its surroundings: outside of the box is background, what is predicted with a probability of `sure`
    is object, and the colours decide between; a box with no prediction begins with all of it as likely object. With `guided` the
    probabilities take on the edges of the picture and stay soft, unless `hard` asks for masks in black and white.
    """
    return lambda evidence: _merge(evidence, config)


def _merge(evidence: Evidence, config: EdgesConfig) -> Merged:
    weak, picture = evidence.weak, picture_of(evidence, config.name)
    maps = at_size(evidence.probabilities, weak)
    maps = maps if config.outside else inside_boxes(maps, weak)
    judge = _cut if config.method == "grabcut" else _smoothed
    return merge_boxes(
        weak,
        len(maps),
        lambda n, window, region: judge(picture, maps[weak.classes[n]], window, region, config),
        instances=config.instances,
    )


def _smoothed(
    picture: NDArray[np.uint8], probabilities: NDArray[np.floating], window: Window, region: Bools, config: EdgesConfig
) -> Verdict:
    filtered = along_edges(probabilities, picture, window, radius=config.radius, epsilon=config.epsilon)
    taken = filtered > config.threshold
    if not (taken & region).any():
        return whole_box(region, config.empty, f"Nothing is predicted in it; it gets the belief {config.empty:g}.")
    origins = np.where(taken, PREDICTED, BOX).astype(np.uint8)
    beliefs = taken.astype(np.float64) if config.hard else filtered
    return Verdict(beliefs, origins, taken, "accepted", "The probabilities follow the picture's edges.")


def _cut(picture: NDArray[np.uint8], probabilities: NDArray[np.floating], window: Window, region: Bools, config: EdgesConfig) -> Verdict:
    from burnish.media.grabcut import grab_cut  # noqa: PLC0415 - pictures' libraries are loaded where a picture is looked at

    height, width = region.shape
    margins = (max(_LEAST_MARGIN, round(config.margin * height)), max(_LEAST_MARGIN, round(config.margin * width)))
    around, inner = with_margin(window, picture.shape[:2], margins)
    guess, predicted = _guess(probabilities[window], region, config)
    framed = np.zeros(picture[around].shape[:2], np.uint8)
    framed[inner] = guess
    taken = grab_cut(picture[around], framed, iterations=config.iterations)[inner] & region
    if not taken.any() or (taken == region).all():
        found = "no object" if not taken.any() else "no background"
        if not predicted.any():
            return whole_box(region, config.empty, f"GrabCut finds {found} in it; it gets the belief {config.empty:g}.")
        origins = np.where(predicted, PREDICTED, BOX).astype(np.uint8)
        reason = f"GrabCut finds {found} in it, so the prediction stays as it is."
        return Verdict(predicted.astype(np.float64), origins, predicted, "accepted", reason)
    origins = np.where(taken, PREDICTED, BOX).astype(np.uint8)
    seen = "the prediction" if predicted.any() else "the box alone, for nothing is predicted in it"
    return Verdict(taken.astype(np.float64), origins, taken, "accepted", f"GrabCut began with {seen}.")


def _guess(probabilities: NDArray[np.floating], region: Bools, config: EdgesConfig) -> tuple[NDArray[np.uint8], Bools]:
    """What GrabCut begins with in a box, and what is predicted there."""
    from burnish.media.grabcut import BACKGROUND, LIKELY_BACKGROUND, LIKELY_OBJECT, OBJECT  # noqa: PLC0415

    predicted = (probabilities > config.threshold) & region
    if not predicted.any():
        return np.where(region, LIKELY_OBJECT, BACKGROUND).astype(np.uint8), predicted
    guess = np.where(predicted, LIKELY_OBJECT, LIKELY_BACKGROUND)
    guess[predicted & (probabilities >= config.sure)] = OBJECT
    return np.where(region, guess, BACKGROUND).astype(np.uint8), predicted
