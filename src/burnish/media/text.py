"""Text on pictures, in the letters of the font that comes along (DejaVu Sans: Latin, Cyrillic, Greek and more, not Chinese)."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from burnish.media.blending import blend

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.media.colours import Colour

REGULAR: Final = "DejaVuSans.ttf"
BOLD: Final = "DejaVuSans-Bold.ttf"
LINE_HEIGHT: Final = 1.3
"""Height of a line in units of the text size, from the top of capitals to below the descenders."""

_FONTS: Final = Path(__file__).parent / "fonts"
_EM: Final = 0.88  # of the text size: DejaVu's letters are large, and this makes its capitals as high as other fonts' are
_BASELINE: Final = 0.95
_DARKENED: Final = np.rint(255 * (np.arange(256) / 255) ** 0.65).astype(np.uint8)
"""Cover of a pixel that a letter's thin stroke touches: upon a picture small letters need more weight than upon paper."""
_ELLIPSIS: Final = "…"


def text_width(text: str, size: int, weight: str = REGULAR) -> int:
    """Width of one line of text in pixels, at a text size in pixels."""
    return _length(_printable(text), size, weight)


def draw_text(pixels: NDArray[np.uint8], text: str, corner: tuple[int, int], size: int, colour: Colour, weight: str = REGULAR) -> None:  # noqa: PLR0917
    """Write one line into RGB pixels, in place; `corner` is the upper left of the line, x and y."""
    cover, (left, top) = _cover(_printable(text), size, weight)
    blend(pixels, cover, (corner[0] + left, corner[1] + round(_BASELINE * size) + top), colour)


def shortened(text: str, width: int, size: int, weight: str = REGULAR) -> str:
    """The text, or as much of both its ends as fits a width, with … between: ends tell names and numbers apart."""
    if text_width(text, size, weight) <= width:
        return text
    least, most = 0, len(text)  # characters kept
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if text_width(_middle_cut(text, middle), size, weight) <= width else (least, middle)
    return _middle_cut(text, least)


def _middle_cut(text: str, kept: int) -> str:
    return text[: (kept + 1) // 2] + _ELLIPSIS + (text[-(kept // 2) :] if kept > 1 else "")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


# The names of classes come again and again.
@lru_cache(maxsize=4096)
def _length(line: str, size: int, weight: str) -> int:
    return round(_font(size, weight).getlength(line))


@lru_cache(maxsize=512)
def _cover(line: str, size: int, weight: str) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """How much of each pixel the letters cover, and where its upper left lies from the beginning of the baseline."""
    font = _font(size, weight)
    left, top, right, bottom = (round(side) for side in font.getbbox(line, anchor="ls"))
    cover = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(cover).text((-left, -top), line, fill=255, font=font, anchor="ls")
    return _DARKENED[np.asarray(cover)], (left, top)


@cache
def _font(size: int, weight: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS / weight, _EM * size)
