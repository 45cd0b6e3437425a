"""Random filters: one choice a stream, the same for all of its frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from burnish.media.video import Frame
    from burnish.video.pipeline.chain import Filter


def random_crop(height: int, width: int, *, seed: int | None = None) -> Filter:
    """Cut the same window, at a random place, out of all frames of a stream.

    With a seed the n-th stream gets the same place in every run; without one places are fresh.

    Raises:
        DataError: While running: a frame is smaller than the window.
    """
    rng = np.random.default_rng(seed)

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        share = rng.random(2)

        def cropped() -> Iterator[Frame]:
            for frame in frames:
                room = frame.pixels.shape[0] - height, frame.pixels.shape[1] - width
                if min(room) < 0:
                    found = f"{frame.pixels.shape[1]} x {frame.pixels.shape[0]}"
                    raise DataError(f"Frame {frame.number} has {found} pixels, the window has {width} x {height}; ask for a smaller one.")
                top, left = (int(part * (free + 1)) for part, free in zip(share, room, strict=True))
                yield replace(frame, pixels=frame.pixels[top : top + height, left : left + width])

        return cropped()

    return filtered


def random_flip(*, horizontal: float = 0.5, vertical: float = 0.0, seed: int | None = None) -> Filter:
    """Mirror all frames of a stream, or none, by chance; seeds as in `random_crop`."""
    rng = np.random.default_rng(seed)

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        across, down = rng.random(2) < (horizontal, vertical)
        step = slice(None, None, -1 if down else 1), slice(None, None, -1 if across else 1)
        return (replace(frame, pixels=np.ascontiguousarray(frame.pixels[step])) for frame in frames)

    return filtered
