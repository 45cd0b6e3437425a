"""Filters that scale."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError
from burnish.media.images import resize as resized
from burnish.video.pipeline.chain import Filter, each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from burnish.media.video import Frame


def resize(side: int = 512, *, multiple: int = 1) -> Filter:
    """Scale frames, in proportion, so that the longer side becomes `side`; both sides become multiples of a number.

    Raises:
        ConfigError: The side is smaller than the multiple.
    """
    if side < multiple or multiple < 1:
        raise ConfigError(f"side is {side} and multiple is {multiple}; the side must be at least the multiple, and that at least 1.")
    return each(lambda pixels: _scaled(pixels, _size(pixels.shape, side, multiple)))


def resize_and_restore(inner: Filter, side: int = 512, *, multiple: int = 1) -> Filter:
    """Scale frames, apply a filter to them, and scale what it gives back to the size from before.

    Class indices (integers that are not uint8, and pictures of two dimensions) are scaled without mixing them.

    The filter must give one frame for each that it takes.
    """
    scale = resize(side, multiple=multiple)

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        sizes: deque[tuple[int, int]] = deque()

        def noted() -> Iterator[Frame]:
            for frame in frames:
                sizes.append(frame.pixels.shape[:2])  # pyright: ignore[reportArgumentType]
                yield frame

        for frame in inner(scale(noted())):
            yield replace(frame, pixels=_scaled(frame.pixels, sizes.popleft()))

    return filtered


def _size(shape: tuple[int, ...], side: int, multiple: int) -> tuple[int, int]:
    factor = side / max(shape[:2])
    height, width = (max(multiple, round(length * factor / multiple) * multiple) for length in shape[:2])
    return height, width


def _scaled(pixels: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.generic]:
    if pixels.shape[:2] == size:
        return pixels
    if pixels.dtype == np.uint8 and pixels.ndim == 3:  # noqa: PLR2004 - colour
        return resized(pixels, size)  # pyright: ignore[reportArgumentType]
    rows = ((np.arange(size[0]) + 0.5) * pixels.shape[0] / size[0]).astype(np.int64)
    columns = ((np.arange(size[1]) + 0.5) * pixels.shape[1] / size[1]).astype(np.int64)
    return pixels[rows][:, columns]
