"""One colour over a part of a picture, more or less opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.media.colours import Colour

_LARGE = 8_000
"""Pixels, from which on Pillow is faster than NumPy, the way to it and back included."""


def blend(pixels: NDArray[np.uint8], cover: NDArray[np.uint8], corner: tuple[int, int], colour: Colour) -> None:
    """Lay a colour over RGB pixels, in place; what falls outside of the picture is cut off.

    Args:
        pixels: (height, width, 3), uint8.
        cover: (h, w) uint8, how much of each pixel the colour takes: 0 nothing, 255 all.
        corner: x and y of the cover's upper left pixel in the picture.
        colour: Red, green, blue.
    """
    x, y = corner
    height, width = pixels.shape[:2]
    seen = cover[max(-y, 0) : max(height - y, 0), max(-x, 0) : max(width - x, 0)]
    area = pixels[max(y, 0) :, max(x, 0) :][: seen.shape[0], : seen.shape[1]]
    if seen.size < _LARGE:
        share = seen[..., None].astype(np.uint16)
        area[:] = (area * (255 - share) + share * np.array(colour, np.uint16) + 127) // 255
    else:
        below = Image.fromarray(np.ascontiguousarray(area))
        below.paste(colour, (0, 0), Image.fromarray(np.ascontiguousarray(seen)))
        area[:] = np.asarray(below)
