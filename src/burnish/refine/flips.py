"""Test-time augmentation: predicting a picture as it is and laid down in other ways, and taking the mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from burnish.geometry.symmetries import ALL, MIRROR, SAME, UPSIDE_DOWN, Symmetry, inverse

if TYPE_CHECKING:
    from numpy.typing import NDArray

Predictor: TypeAlias = Callable[[Sequence["NDArray[np.uint8]"]], list["NDArray[np.float32]"]]
"""Pictures (H, W, 3) in, probability maps (K, H, W) out."""

Flips: TypeAlias = Literal["none", "mirror", "both", "all"]

_WAYS: Final[dict[str, tuple[Symmetry, ...]]] = {
    "none": (SAME,),
    "mirror": (SAME, MIRROR),
    "both": (SAME, MIRROR, UPSIDE_DOWN, (False, 2)),
    "all": ALL,
}


def flipped(predict: Predictor, flips: Flips = "both") -> Predictor:
    """A predictor that asks another about each picture in several ways to lay it down, and gives the mean of the answers, laid back.

    Args:
        predict: The predictor.
        flips: none; mirror: left to right; both: also upside down, and both at once; all: also turned by quarters.
    """
    ways = _WAYS[flips]
    if len(ways) == 1:
        return predict

    def mean(pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        sums: list[Any] = [0.0] * len(pictures)
        for way in ways:
            maps = predict([_laid(picture, way, (0, 1)) for picture in pictures])
            sums = [total + _laid(found, inverse(way), (1, 2)) for total, found in zip(sums, maps, strict=True)]
        return [(total / len(ways)).astype(np.float32) for total in sums]

    return mean


def _laid(array: NDArray[Any], way: Symmetry, axes: tuple[int, int]) -> NDArray[Any]:
    """An array laid down anew; `axes` are those of rows and columns. As `burnish.geometry.symmetries.of_mask`."""
    mirrored, turns = way
    flat = np.flip(array, axes[1]) if mirrored else array
    return np.ascontiguousarray(np.rot90(flat, -turns, axes))
