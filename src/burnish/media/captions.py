"""Captions beside objects: inside the picture, and off one another where there is room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.media.colours import text_colour
from burnish.media.text import LINE_HEIGHT, draw_text, shortened, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.media.colours import Colour

_OPACITY: Final = 0.88


@dataclass(frozen=True, slots=True)
class Caption:
    """A text that belongs to a place in the picture.

    Attributes:
        text: One line.
        colour: Of its plate; the text is black or white upon it.
        box: x1, y1, x2, y2 of what it names; captions without one stand in the upper left corner, one below the other.
    """

    text: str
    colour: Colour
    box: tuple[float, float, float, float] | None = None


def draw_captions(pixels: NDArray[np.uint8], captions: Sequence[Caption], size: int) -> None:
    """Write captions into RGB pixels, in place, those without a box first; the text size is in pixels."""
    ordered = sorted(captions, key=lambda caption: caption.box is not None)
    for caption, plate in zip(ordered, place_captions(ordered, size, pixels.shape[:2]), strict=True):
        _draw_plate(pixels, caption, plate, size)


def place_captions(captions: Sequence[Caption], size: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Choose where captions stand.

    For each, in order, the first free one of these: above its box at the left, inside at the top, below, right of it, left of it, above at
    the right, below at the right; where all are taken, the one that covers least of what stands already.

    Args:
        captions: What to place.
        size: Text size in pixels.
        shape: Height and width of the picture.

    Returns:
        (n, 4) plates x1, y1, x2, y2, inside the picture as far as it is large enough.
    """
    plates = np.zeros((len(captions), 4), np.int64)
    corner_y = 0
    for index, caption in enumerate(captions):
        width, height = _plate_size(caption.text, size, shape[1])
        if caption.box is None:
            plates[index] = (0, corner_y, width, corner_y + height)
            corner_y += height
            continue
        choices = _inside(_choices(caption.box, width, height), shape)
        covered = _covered(choices, plates[:index])
        plates[index] = choices[int(np.argmin(covered))]
    return plates


def captions_area(captions: Sequence[Caption], size: int, shape: tuple[int, ...]) -> int:
    """Pixels that all plates together would cover if none overlapped."""
    sizes = (_plate_size(caption.text, size, shape[1]) for caption in captions)
    return sum(width * height for width, height in sizes)


def _plate_size(text: str, size: int, most: int) -> tuple[int, int]:
    return min(text_width(text, size) + 2 * _margin(size), most), round(LINE_HEIGHT * size)


def _margin(size: int) -> int:
    return max(2, round(0.3 * size))


def _choices(box: tuple[float, float, float, float], width: int, height: int) -> NDArray[np.int64]:
    x1, y1, x2, y2 = (round(value) for value in box)
    corners = ((x1, y1 - height), (x1, y1), (x1, y2), (x2, y1), (x1 - width, y1), (x2 - width, y1 - height), (x2 - width, y2))
    return np.array([(x, y, x + width, y + height) for x, y in corners], dtype=np.int64)


def _inside(plates: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Plates moved into the picture."""
    height, width = shape[:2]
    over = np.maximum(plates[:, 2:] - (width, height), 0)
    moved = plates - np.hstack([over, over])
    under = np.maximum(-moved[:, :2], 0)
    return moved + np.hstack([under, under])


def _covered(choices: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pixels of standing plates that each choice would cover."""
    low = np.maximum(choices[:, None, :2], taken[None, :, :2])
    high = np.minimum(choices[:, None, 2:], taken[None, :, 2:])
    return np.maximum(high - low, 0).prod(axis=2).sum(axis=1)


def _draw_plate(pixels: NDArray[np.uint8], caption: Caption, plate: NDArray[np.int64], size: int) -> None:
    x1, y1, x2, y2 = (int(value) for value in plate)
    area = pixels[max(y1, 0) : y2, max(x1, 0) : x2]
    area[:] = np.rint(area * (1 - _OPACITY) + np.array(caption.colour) * _OPACITY).astype(np.uint8)
    text = shortened(caption.text, x2 - x1 - 2 * _margin(size), size)
    draw_text(pixels, text, (x1 + _margin(size), y1 + round(0.08 * size)), size, text_colour(caption.colour))
