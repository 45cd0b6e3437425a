"""What a filter is, and how filters are put one behind the other."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from burnish.media.video import Frame

Filter: TypeAlias = "Callable[[Iterable[Frame]], Iterator[Frame]]"
"""Takes the frames of one stream and gives frames; it may keep, drop or add some."""


def pipeline(*filters: Filter) -> Filter:
    """Filters one behind the other, as one filter; without any, frames pass as they are."""

    def chained(frames: Iterable[Frame]) -> Iterator[Frame]:
        for one in filters:
            frames = one(frames)
        return iter(frames)

    return chained


def each(change: Callable[[NDArray[Any]], NDArray[Any] | None]) -> Filter:
    """A filter that changes the pixels of every frame by itself; frames for which the function gives None are dropped."""

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            pixels = change(frame.pixels)
            if pixels is not None:
                yield replace(frame, pixels=pixels)

    return filtered


def skip_none() -> Filter:
    """Drop what a source gave in place of a frame that it could not read."""

    def filtered(frames: Iterable[Frame | None]) -> Iterator[Frame]:
        return (frame for frame in frames if frame is not None and frame.pixels is not None)  # pyright: ignore[reportUnnecessaryComparison]

    return filtered


def last_frames(count: int = 3) -> Filter:
    """Each frame together with those before it: pixels become (count, height, width, ...), the newest last; the first frame is repeated.

    For models that look at several frames.
    """

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        kept: deque[NDArray[Any]] = deque(maxlen=count)
        for frame in frames:
            kept.extend([frame.pixels] * (1 if kept else count))
            if kept[0].shape != frame.pixels.shape:
                raise DataError(f"Frame {frame.number} is {frame.pixels.shape[1::-1]}, those before are {kept[0].shape[1::-1]} pixels.")
            yield replace(frame, pixels=np.stack(kept))

    return filtered


def pairs(first: Iterator[Frame], second: Iterator[Frame]) -> Iterator[tuple[Frame, Frame]]:
    """Frames of the same number out of two streams; those that one side has dropped are dropped."""
    one, other = next(first, None), next(second, None)
    while one is not None and other is not None:
        if one.number == other.number:
            yield one, other
            one, other = next(first, None), next(second, None)
        elif one.number < other.number:
            one = next(first, None)
        else:
            other = next(second, None)
