"""One training picture with all that is known about it, as arrays that augmentations move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IGNORED: Final = 255
"""Pixels of a mask with this value count for nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture and its targets; what a task does not have is None.

    Attributes:
        picture: (H, W, 3) uint8, RGB.
        mask: (H, W) uint8 class of each pixel; `IGNORED` where it counts for nothing. Beside `beliefs` only those pixels matter.
        beliefs: (H, W, K) uint8, how much each pixel belongs to each class: 0 not at all, 255 wholly. Soft masks, and classes that overlap.
        boxes: (N, 4) float32 x1, y1, x2, y2 in pixels, half-open; before the rotation, if there is one.
        rotations: (N,) float32 degrees, clockwise as seen, about the middle of the box; None where no box is turned.
        classes: (N,) int64 class of each box, instance and skeleton.
        instances: (N, H, W) uint8, 0 or 1.
        points: (N, K, 3) float32 x, y in pixels (the middle of the first pixel is 0.5) and visibility: 0 not there, 1 hidden, 2 seen.
        label: (C,) float32 shares of the classes of the whole picture; they add up to 1 where a picture has one class, each is 0 or 1 where
            it may have several.
    """

    picture: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None = None
    beliefs: NDArray[np.uint8] | None = None
    boxes: NDArray[np.float32] | None = None
    rotations: NDArray[np.float32] | None = None
    classes: NDArray[np.int64] | None = None
    instances: NDArray[np.uint8] | None = None
    points: NDArray[np.float32] | None = None
    label: NDArray[np.float32] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.picture.shape[0], self.picture.shape[1]
