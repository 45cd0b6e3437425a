"""Text on pictures, in any script that OpenCV's built-in font has (Latin, Cyrillic, Greek, Chinese), with no font file of the system."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import cv2

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from burnish.media.colours import Colour

REGULAR: Final = 450
BOLD: Final = 650
LINE_HEIGHT: Final = 1.3
"""Height of a line in units of the text size, from the top of capitals to below the descenders."""

_ANYWHERE: Final = (1 << 20, 1 << 20)
_ELLIPSIS: Final = "…"


def text_width(text: str, size: int, weight: int = REGULAR) -> int:
    """Width of one line of text in pixels, at a text size in pixels."""
    return int(cv2.getTextSize(_ANYWHERE, _printable(text), (0, 0), _face(), size, weight)[2])


def draw_text(pixels: NDArray[np.uint8], text: str, corner: tuple[int, int], size: int, colour: Colour, weight: int = REGULAR) -> None:  # noqa: PLR0917
    """Write one line into RGB pixels, in place; `corner` is the upper left of the line, x and y."""
    baseline = (corner[0], corner[1] + round(0.98 * size))
    cv2.putText(pixels, _printable(text), baseline, colour, _face(), size, weight)


def shortened(text: str, width: int, size: int, weight: int = REGULAR) -> str:
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


@cache
def _face() -> Any:
    return cv2.FontFace("sans")
