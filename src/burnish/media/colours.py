"""One colour per class, for ever: chosen by the class's name alone, in every dataset and on every machine."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

STATUS_COLOURS: Final[dict[str, Colour]] = {"used": (0, 158, 80), "unused": (30, 100, 230), "forbidden": (220, 30, 40)}

_LIGHTNESS: Final = (0.64, 0.78, 0.54)
_CHROMA: Final = 0.2
_ROUNDING: Final = 1e-4
_DARK_TEXT_FROM: Final = 0.18  # relative luminance at which black and white text are equally readable (WCAG contrast)


def class_colour(name: str, given: str | None = None) -> Colour:
    """The colour of a class.

    Args:
        name: The class's name; its Unicode form, letter case and outer spaces make no difference.
        given: The class's own colour as `#rrggbb`, which wins; anything else is not a colour and is passed over.
    """
    own = parse_colour(given)
    if own is not None:
        return own
    digest = hashlib.blake2b(unicodedata.normalize("NFC", name).strip().casefold().encode(), digest_size=8).digest()
    hue = int.from_bytes(digest[:4], "big") / 2**32 * 360
    return _vivid(_LIGHTNESS[digest[4] % len(_LIGHTNESS)], hue)


def parse_colour(text: str | None) -> Colour | None:
    """Read `#rrggbb` or `#rgb`; None for anything else."""
    digits = (text or "").strip().removeprefix("#")
    if len(digits) == 3:  # noqa: PLR2004 - the short form of CSS
        digits = "".join(digit * 2 for digit in digits)
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        return None
    return (value[0], value[1], value[2]) if len(value) == 3 else None  # noqa: PLR2004 - three channels


def hex_colour(colour: Colour) -> str:
    """A colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever reads better on a background (contrast ratio of WCAG 2.1)."""
    red, green, blue = (_linear(channel / 255) for channel in background)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (0, 0, 0) if luminance > _DARK_TEXT_FROM else (255, 255, 255)


def _vivid(lightness: float, hue: float) -> Colour:
    """The most colourful colour of a lightness and hue that a screen can show."""
    chroma = _CHROMA
    while not all(-_ROUNDING <= channel <= 1 + _ROUNDING for channel in _linear_rgb(lightness, chroma, hue)):
        chroma -= 0.005
    red, green, blue = (_eight_bits(channel) for channel in _linear_rgb(lightness, chroma, hue))
    return red, green, blue


def _linear_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLCH to linear sRGB (Björn Ottosson, A perceptual color space for image processing, 2020)."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return red, green, blue


def _eight_bits(linear: float) -> int:
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055  # noqa: PLR2004 - sRGB
    return round(255 * min(max(value, 0.0), 1.0))


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB
