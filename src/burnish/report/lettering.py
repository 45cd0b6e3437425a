"""How wide a text is drawn, near enough to place and shorten it without a browser."""

from __future__ import annotations

import unicodedata

_WIDE = 1.0
_NARROW = 0.62


def text_width(text: str, size: float) -> float:
    """Width in pixels that a system font needs at most: East Asian letters as wide as they are high, others 0.62 of that.

    Args:
        text: One line.
        size: Size of the font in pixels.
    """
    return size * sum(_WIDE if unicodedata.east_asian_width(letter) in "WF" else _NARROW for letter in text)


def shortened(text: str, size: float, width: float) -> str:
    """The text, or as much of its beginning as fits into so many pixels, with an ellipsis; SVG text has none of its own."""
    if text_width(text, size) <= width:
        return text
    kept = len(text)
    while kept and text_width(text[:kept] + "…", size) > width:
        kept -= 1
    return text[:kept].rstrip() + "…"
