"""Shapes on pictures: anti-aliased outlines and translucent fills, with corners between pixels where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.media.colours import Colour

_BITS: Final = 4  # of a pixel's fraction that OpenCV's drawing takes
_FAR: Final = 100_000.0  # beyond this OpenCV's fixed point numbers overflow
_WHITE: Final = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Pen:
    """How a shape is drawn: colour, line width in pixels, opacity of the fill."""

    colour: Colour
    width: int
    fill: float


def draw_rings(pixels: NDArray[np.uint8], rings: Sequence[NDArray[np.float64]], pen: Pen, *, fill: bool = True) -> None:
    """Draw closed rings (k, 2) in place, filled where an odd number of them lie over one another, so that inner rings are holes."""
    fixed = [_fixed(ring) for ring in rings if len(ring)]
    if not fixed:
        return
    if fill and pen.fill > 0:
        cover = np.zeros(pixels.shape[:2], np.uint8)
        cv2.fillPoly(cover, fixed, 255, cv2.LINE_AA, _BITS)
        _blend(pixels, cover, pen)
    cv2.polylines(pixels, fixed, True, pen.colour, pen.width, cv2.LINE_AA, _BITS)


def draw_path(pixels: NDArray[np.uint8], points: NDArray[np.float64], pen: Pen) -> None:
    """Draw an open line through points (k, 2), in place."""
    if len(points):
        cv2.polylines(pixels, [_fixed(points)], False, pen.colour, pen.width, cv2.LINE_AA, _BITS)


def draw_mask(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], pen: Pen) -> None:
    """Draw a mask (height, width) in place: its fill, and its edge as a line."""
    cover = mask.astype(np.uint8) * np.uint8(255)
    if pen.fill > 0:
        _blend(pixels, cover, pen)
    contours, _ = cv2.findContours(cover, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(pixels, contours, -1, pen.colour, pen.width, cv2.LINE_AA)


def draw_dots(pixels: NDArray[np.uint8], points: NDArray[np.float64], pen: Pen, hollow: NDArray[np.bool_] | None = None) -> None:
    """Draw points (k, 2) as discs with a white rim, in place; hollow ones as rings."""
    radius = 1.5 * pen.width + 1.0
    for index, point in enumerate(points):
        centre = tuple(int(value) for value in _fixed(point[None])[0, 0])
        cv2.circle(pixels, centre, _fraction(radius + max(1.0, pen.width / 2)), _WHITE, -1, cv2.LINE_AA, _BITS)
        is_hollow = hollow is not None and bool(hollow[index])
        cv2.circle(pixels, centre, _fraction(radius), pen.colour, max(1, pen.width // 2) if is_hollow else -1, cv2.LINE_AA, _BITS)


def _blend(pixels: NDArray[np.uint8], cover: NDArray[np.uint8], pen: Pen) -> None:
    x, y, width, height = cv2.boundingRect(cover)
    if not width or not height:
        return
    area = pixels[y : y + height, x : x + width]
    share = cover[y : y + height, x : x + width, None].astype(np.float32) * np.float32(pen.fill / 255)
    area[:] = np.rint(area + (np.array(pen.colour, np.float32) - area) * share).astype(np.uint8)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Positions (the centre of the first pixel is 0.5, 0.5) as OpenCV's fixed point numbers (there it is 0, 0)."""
    finite = np.clip(np.nan_to_num(points, nan=0.0, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)
    return np.rint((finite - 0.5) * 2**_BITS).astype(np.int32).reshape(-1, 1, 2)


def _fraction(value: float) -> int:
    return round(value * 2**_BITS)
