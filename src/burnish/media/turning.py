"""Pictures and masks turned by any angle, the border mirrored into the corners."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def turn(pixels: NDArray[np.uint8], degrees: float, *, smooth: bool = True) -> NDArray[np.uint8]:
    """Turn pixels about the middle of the picture; the size stays, and what comes in from outside is the picture mirrored at its border.

    Args:
        pixels: (height, width) or (height, width, 3), uint8.
        degrees: Counter-clockwise as seen.
        smooth: Mix neighbouring pixels; without it each pixel takes the nearest value, so that masks hold no new ones.
    """
    height, width = pixels.shape[:2]
    radians = math.radians(degrees)
    # How far the corners reach beyond the frame, and two pixels for mixing.
    cosine, sine = abs(math.cos(radians)), abs(math.sin(radians))
    down = math.ceil(max(0.0, height * cosine + width * sine - height) / 2) + 2
    across = math.ceil(max(0.0, width * cosine + height * sine - width) / 2) + 2
    margins: list[tuple[int, int]] = [(down, down), (across, across), *([(0, 0)] * (pixels.ndim - 2))]
    framed = np.pad(pixels, margins, mode="reflect" if min(height, width) > 1 else "edge")
    how: Any = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    turned = np.asarray(Image.fromarray(framed).rotate(degrees, resample=how))
    return np.ascontiguousarray(turned[down : down + height, across : across + width])
