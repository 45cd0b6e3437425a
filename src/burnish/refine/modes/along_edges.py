"""Probabilities that follow the edges of the picture, box by box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.geometry.guided import guided_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Floats
    from burnish.refine.modes.evidence import Evidence, Window


def picture_of(evidence: Evidence, mode: str) -> NDArray[np.uint8]:
    """The picture, for a mode that looks at it.

    Raises:
        DataError: There is none, or it is of another size than the weak labels.
    """
    picture = evidence.picture
    if picture is None:
        raise DataError(f"Mode {mode} looks at the picture, and none is given; set Evidence.picture.")
    if picture.shape != (*evidence.weak.size, 3):
        raise DataError(f"The picture has shape {picture.shape}, expected {(*evidence.weak.size, 3)}.")
    return picture


def along_edges(probabilities: NDArray[np.floating], picture: NDArray[np.uint8], window: Window, *, radius: int, epsilon: float) -> Floats:
    """(h, w) the probabilities of a window of the picture, smoothed but for the picture's edges, 0 to 1.

    Args:
        probabilities: (H, W), of the whole picture.
        picture: (H, W, 3) uint8.
        window: What of it is wanted.
        radius: Half the side of the filter's windows, in pixels.
        epsilon: Variance of colours below which a window is smoothed.
    """
    # A pixel of the filter looks at those within twice the radius: with so much around it a box is filtered as the whole picture would be.
    around, inner = with_margin(window, picture.shape[:2], (2 * radius, 2 * radius))
    filtered = guided_filter(probabilities[around], picture[around], radius=radius, epsilon=epsilon)[inner]
    return filtered.clip(0, 1).astype(np.float64)


def with_margin(window: Window, size: tuple[int, ...], margins: tuple[int, int]) -> tuple[Window, Window]:
    """A window with so many rows and columns around it, and the window inside of those."""
    outer, inner = [], []
    for part, end, more in zip(window, size, margins, strict=True):
        start = max(0, part.start - more)
        outer.append(slice(start, min(end, part.stop + more)))
        inner.append(slice(part.start - start, part.stop - start))
    return (outer[0], outer[1]), (inner[0], inner[1])
