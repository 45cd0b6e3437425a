"""Any picture as 8-bit colour or grey: depth, palette, transparency, print and Lab colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEPTHS: Final = (8, 10, 12, 14, 16)
_DEEP_MODES: Final = ("F", "I", "I;16", "I;16L", "I;16B", "I;16N")


def to_rgb(picture: Image.Image, background: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """A loaded picture of any mode as RGB; what is transparent shows the background.

    Colour profiles are not applied: numbers stay as they are stored, as in every other reader, except for CIE Lab, which has no numbers
    in common with RGB. CMYK is converted without a profile.
    """
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode in _DEEP_MODES:
        return Image.fromarray(to_eight_bits(np.asarray(picture))).convert("RGB")
    if picture.mode == "LAB":
        return _lab_to_rgb(picture)
    if picture.has_transparency_data:
        return _on_background(picture.convert("RGBA"), background)
    return picture.convert("RGB")


def to_grey(picture: Image.Image, background: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """A loaded picture of any mode as 8-bit grey (ITU-R 601 luma)."""
    if picture.mode == "L" and "transparency" not in picture.info:
        return picture
    if picture.mode in _DEEP_MODES:
        return Image.fromarray(to_eight_bits(np.asarray(picture)))
    return to_rgb(picture, background).convert("L")


def to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale deep pixels to 0..255 by a rule that looks at one picture only.

    - Whole numbers: the sensor's depth is taken as the smallest of 8, 10, 12, 14 and 16 bits that holds the largest value, and that depth's
      white becomes 255. Cameras and microscopes store 10 or 12 bits in 16; scaled by 65535 their pictures would be black.
    - Fractions: 0..1 becomes 0..255; values within 0..255 are rounded; any other range is stretched from its least to its largest value.
    - Negative whole numbers and those above 65535 are stretched likewise. NaN and infinities become 0.

    Args:
        values: Array of any shape, numbers of any kind.
    """
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    offset, white = _range(low, high, whole=np.issubdtype(values.dtype, np.integer))
    scaled = (np.where(finite, values, offset).astype(np.float64) - offset) * (255.0 / white)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _range(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """The value that becomes black, and the distance from it to white."""
    if low < 0 or high >= 2 ** _DEPTHS[-1] or (not whole and high > 255):  # noqa: PLR2004 - white of 8 bits
        return low, (high - low) or 1.0
    if whole:
        return 0.0, next(2.0**depth - 1 for depth in _DEPTHS if high < 2**depth)
    return 0.0, 1.0 if high <= 1 else 255.0


def _on_background(picture: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    below = Image.new("RGBA", picture.size, (*background, 255))
    return Image.alpha_composite(below, picture).convert("RGB")


def _lab_to_rgb(picture: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None
    return converted
