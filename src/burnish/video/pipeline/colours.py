"""Filters that convert colours: RGB, BGR, YUV and grey, and numbers from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from burnish.errors import ConfigError
from burnish.video.pipeline.chain import Filter, each

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ColourSpace = Literal["rgb", "bgr", "yuv", "grey"]

COLOUR_SPACES: Final = ("rgb", "bgr", "yuv", "grey")

_TO_YUV: Final = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_TO_RGB: Final = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)
_ZERO: Final = np.array([0, 128, 128], np.float32)


def colours(source: ColourSpace, target: ColourSpace) -> Filter:
    """Convert 8-bit frames from one colour space to another.

    YUV is that of JPEG: BT.601, all values from 0 to 255, chroma around 128 (ITU-T T.871). Grey is its Y; grey frames have two dimensions.

    Raises:
        ConfigError: There is no such colour space.
    """
    for name in (source, target):
        if name not in COLOUR_SPACES:
            raise ConfigError(f"There is no colour space '{name}'; known: {', '.join(COLOUR_SPACES)}.")
    if source == target:
        return each(lambda pixels: pixels)
    return each(lambda pixels: _FROM_RGB[target](_INTO_RGB[source](pixels)))


def as_double() -> Filter:
    """8-bit numbers as numbers from 0 to 1, float64."""
    return each(lambda pixels: pixels.astype(np.float64) / 255)


def as_uint8() -> Filter:
    """Numbers from 0 to 1 as 8-bit numbers, rounded; what lies outside is cut off."""
    return each(lambda pixels: np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def _rounded(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def _to_yuv(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    return _rounded(rgb.astype(np.float32) @ _TO_YUV.T + _ZERO)


def _from_yuv(yuv: NDArray[Any]) -> NDArray[np.uint8]:
    return _rounded((yuv.astype(np.float32) - _ZERO) @ _TO_RGB.T)


def _swapped(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(pixels[..., ::-1])


_INTO_RGB: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "rgb": lambda pixels: pixels,
    "bgr": _swapped,
    "yuv": _from_yuv,
    "grey": lambda pixels: np.repeat(pixels[..., None], 3, axis=2),
}
_FROM_RGB: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "rgb": lambda pixels: pixels,
    "bgr": _swapped,
    "yuv": _to_yuv,
    "grey": lambda rgb: _rounded(rgb.astype(np.float32) @ _TO_YUV[0]),
}
