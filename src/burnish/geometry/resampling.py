"""Maps of numbers at another size: linear between the centres of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_DIMENSIONS = (2, 3)


def linear(maps: ArrayLike, size: tuple[int, int]) -> NDArray[np.float32]:
    """Scale maps of numbers, each on its own, by linear interpolation; beyond the outermost centres the border goes on.

    Centres of pixels lie at half numbers in both sizes, as in OpenCV's INTER_LINEAR. Nothing is averaged away when shrinking.

    Args:
        maps: `(height, width)` or `(k, height, width)`.
        size: Wanted height and width.

    Raises:
        DataError: There are no pixels, or the array has another number of dimensions.
    """
    array = np.asarray(maps, dtype=np.float32)
    if array.ndim not in _DIMENSIONS or 0 in array.shape[-2:]:
        raise DataError(f"maps: found shape {array.shape}, expected (height, width) or (k, height, width) with pixels.")
    if array.shape[-2:] == tuple(size):
        return array
    rows, columns = (_neighbours(have, want) for have, want in zip(array.shape[-2:], size, strict=True))
    first, second, share = rows
    tall = array[..., first, :] * (1 - share)[:, None] + array[..., second, :] * share[:, None]
    first, second, share = columns
    return (tall[..., first] * (1 - share) + tall[..., second] * share).astype(np.float32, copy=False)


def _neighbours(have: int, want: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Of each wanted pixel the two pixels on either side of its centre, and the share of the second."""
    places = np.clip((np.arange(want) + 0.5) * (have / want) - 0.5, 0, have - 1)
    first = np.floor(places).astype(np.int64)
    return first, np.minimum(first + 1, have - 1), (places - first).astype(np.float32)
