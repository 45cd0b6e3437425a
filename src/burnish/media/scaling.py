"""Larger and smaller pictures: by the areas that pixels cover when shrinking, so that nothing is skipped and no edge is jagged."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

_SPARE: Final = 4  # blocks that are left to each pixel of the result, at least, when the rest is averaged away first
_FEW: Final = 128  # blocks, up to which multiplying by zeros is faster than leaving them out
_RGB: Final = 3


def resize(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale pixels to (height, width): by area averaging when shrinking, bicubic when growing.

    Args:
        pixels: (height, width) or (height, width, channels), uint8; channels do not mix, transparency is one like the others.
        size: Height and width; less than 1 counts as 1.
    """
    height, width = max(size[0], 1), max(size[1], 1)
    if pixels.shape[:2] == (height, width):
        return pixels
    if pixels.ndim > 2 and pixels.shape[2] != _RGB:  # noqa: PLR2004 - height, width, channels
        return np.stack([resize(pixels[..., channel], (height, width)) for channel in range(pixels.shape[2])], axis=2)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if height <= picture.height and width <= picture.width:
        return _shrunk(picture, height, width)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


def thumbnail(pixels: NDArray[np.uint8], size: int = 256) -> NDArray[np.uint8]:
    """Scale pixels down, in proportion, so that the longer side is at most `size`; small pictures stay as they are."""
    height, width = pixels.shape[:2]
    factor = min(1.0, size / max(height, width))
    return resize(pixels, (round(height * factor), round(width * factor)))


def _shrunk(picture: Image.Image, height: int, width: int) -> NDArray[np.uint8]:
    """Average over areas: Pillow averages whole blocks of pixels very fast, and weights do the rest, down to fractions of a pixel."""
    factors = max(1, picture.width // width // _SPARE), max(1, picture.height // height // _SPARE)
    blocks = np.asarray(picture.reduce(factors) if factors != (1, 1) else picture)
    down = _weights(picture.height, factors[1], height)
    across = _weights(picture.width, factors[0], width)
    channels = blocks.shape[2:]
    rows = (down @ blocks.reshape(len(blocks), -1)).reshape(height, -1, *channels)
    columns = across @ np.moveaxis(rows, 1, 0).reshape(blocks.shape[1], -1)
    return np.rint(np.moveaxis(columns.reshape(width, height, *channels), 0, 1)).astype(np.uint8)


@lru_cache(maxsize=64)
def _weights(length: int, block: int, wanted: int) -> NDArray[np.float32] | sparse.csr_array:
    """Shares (wanted, blocks) of blocks in the pixels of the result, along one side of `length` pixels; the last block may be cut."""
    edges = np.minimum(np.arange(-(-length // block) + 1) * block, length)
    ends = np.arange(wanted + 1) * length / wanted  # in this order the last one is the length, to the last digit
    # Between two neighbouring cuts there is one block and one pixel of the result.
    cuts = np.union1d(edges, ends)
    middles = (cuts[1:] + cuts[:-1]) / 2
    pixel = np.searchsorted(ends[1:-1], middles)
    block_of = np.searchsorted(edges[1:-1], middles)
    shares = (np.diff(cuts) * (wanted / length)).astype(np.float32)
    if len(edges) > _FEW:
        from scipy import sparse  # noqa: PLC0415 - a fifth of a second to load, and few pictures need it

        return sparse.csr_array((shares, block_of, np.searchsorted(pixel, np.arange(wanted + 1))), shape=(wanted, len(edges) - 1))
    weights = np.zeros((wanted, len(edges) - 1), np.float32)
    weights[pixel, block_of] = shares
    return weights
