"""Filters that show results beside, or over, what they were made from."""

from __future__ import annotations

from dataclasses import replace
from itertools import tee
from typing import TYPE_CHECKING, Literal

import numpy as np

from burnish.errors import DataError
from burnish.media.images import resize as resized
from burnish.video.pipeline.chain import Filter, pairs
from burnish.video.pipeline.texts import caption

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from burnish.media.video import Frame

Direction = Literal["across", "down"]


def beside(inner: Filter, *, direction: Direction = "across") -> Filter:
    """Each frame with what a filter makes of it beside it (across) or below it (down)."""

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        before, after = tee(frames)
        for source, result in pairs(before, inner(after)):
            yield replace(result, pixels=joined([source.pixels, result.pixels], direction))

    return filtered


def compare(first: Filter, second: Filter, *, direction: Direction = "across", titles: tuple[str, str] | None = None) -> Filter:
    """What two filters make of the same frames, side by side, each with a title if titles are given."""

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        left, right = tee(frames)
        made = _titled(first(left), titles and titles[0]), _titled(second(right), titles and titles[1])
        for one, other in pairs(*made):
            yield replace(one, pixels=joined([one.pixels, other.pixels], direction))

    return filtered


def with_target(inner: Filter, target: Iterable[Frame], *, direction: Direction = "across") -> Filter:
    """Each frame, what a filter makes of it, and the frame of the same number of a target video, for instance the truth."""

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        before, after = tee(frames)
        wanted = iter(target)
        for source, result in pairs(before, inner(after)):
            truth = next((one for one in wanted if one.number >= result.number), None)
            if truth is None or truth.number != result.number:
                raise DataError(f"The target has no frame {result.number}; it must have every frame of the source.")
            yield replace(result, pixels=joined([source.pixels, result.pixels, truth.pixels], direction))

    return filtered


def mix(inner: Filter, alpha: float = 0.5) -> Filter:
    """What a filter makes of each frame, laid over it with an opacity of `alpha`."""

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        before, after = tee(frames)
        for source, result in pairs(before, inner(after)):
            under = _colour(source.pixels).astype(np.float32)
            over = _fitted(_colour(result.pixels), under.shape[:2]).astype(np.float32)
            yield replace(result, pixels=np.rint(under * (1 - alpha) + over * alpha).astype(np.uint8))

    return filtered


def joined(pictures: list[NDArray[np.generic]], direction: Direction) -> NDArray[np.uint8]:
    """Pictures side by side or one below the other, all scaled in proportion to the height or width of the first."""
    colour = [_colour(picture) for picture in pictures]
    axis = 1 if direction == "across" else 0
    length = colour[0].shape[1 - axis]
    return np.concatenate([_to_length(picture, length, 1 - axis) for picture in colour], axis=axis)


def _to_length(picture: NDArray[np.uint8], length: int, axis: int) -> NDArray[np.uint8]:
    factor = length / picture.shape[axis]
    other = round(picture.shape[1 - axis] * factor)
    return resized(picture, (length, other) if axis == 0 else (other, length))


def _fitted(picture: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    return resized(picture, (size[0], size[1]))


def _colour(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    eight = pixels.astype(np.uint8, copy=False) if pixels.dtype != np.bool_ else pixels.astype(np.uint8) * np.uint8(255)
    return np.repeat(eight[..., None], 3, axis=2) if eight.ndim == 2 else eight[..., :3]  # noqa: PLR2004 - grey


def _titled(frames: Iterator[Frame], title: str | None) -> Iterator[Frame]:
    return frames if title is None else caption(title)(frames)
