"""Filters that ask a model."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, tee
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import ConfigError, DataError
from burnish.media.colours import class_colour
from burnish.media.drawing import ClassLook, DrawStyle, draw_labels
from burnish.models.protocols import Detector, Segmenter, Tracker
from burnish.video.pipeline.chain import Filter, pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.labels import Labels
    from burnish.media.colours import Colour
    from burnish.media.video import Frame


def model(
    asked: Callable[[NDArray[Any]], NDArray[Any]] | Detector | Segmenter | Tracker,
    *,
    batch: int = 8,
    classes: Mapping[int, str] | Mapping[int, ClassLook] | None = None,
    style: DrawStyle | None = None,
) -> Filter:
    """What a model makes of each frame.

    Args:
        asked: A function from a batch (n, height, width, ...) to n results, which become the pixels; or a detector, segmenter or tracker,
            whose labels are drawn on the frames. Frames of one batch have one size.
        batch: Frames that are given to the model at once.
        classes: Names or looks of the classes, for labels.
        style: How labels are drawn.

    Raises:
        ConfigError: `asked` is neither.
    """
    looks, drawn = classes or {}, style or DrawStyle(least_side=1)
    if isinstance(asked, Tracker):
        return lambda frames: _tracked(asked, frames, looks, drawn)
    if isinstance(asked, Detector):
        return _in_batches(batch, lambda pictures: _drawn(pictures, asked.detect(pictures), looks, drawn))
    if isinstance(asked, Segmenter):
        return _in_batches(batch, lambda pictures: _drawn(pictures, asked.segment(pictures), looks, drawn))
    if not callable(asked):
        raise ConfigError(f"{type(asked).__name__} is no model; expected a function, a detector, a segmenter or a tracker.")
    return _in_batches(batch, lambda pictures: list(asked(np.stack(pictures))))


def overlay_classes(
    inner: Filter,
    names: Mapping[int, str] | None = None,
    *,
    alpha: float = 0.5,
    colours: Mapping[int, Colour] | None = None,
    background: int | None = 0,
) -> Filter:
    """Frames with the classes of their pixels painted over them.

    Args:
        inner: A filter that gives the class index of each pixel, integers of (height, width); of the frame's size, for instance by
            `resize_and_restore`.
        names: Name of each class; its colour is chosen by the name, the same as in all previews.
        alpha: Opacity of the paint.
        colours: Colours that win over those of the names.
        background: The class that is not painted; None paints all.
    """
    table = _palette(names or {}, colours or {})

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        before, after = tee(frames)
        for source, result in pairs(before, inner(after)):
            classes = _class_map(result, source.pixels.shape[:2])
            over = source.pixels.astype(np.float32) * (1 - alpha) + table[classes] * alpha
            painted = over if background is None else np.where((classes == background)[..., None], source.pixels, over)
            yield replace(source, pixels=np.rint(painted).astype(np.uint8))

    return filtered


def _palette(names: Mapping[int, str], colours: Mapping[int, Colour]) -> NDArray[np.float32]:
    return np.array([colours.get(n) or class_colour(names.get(n, f"class {n}")) for n in range(256)], np.float32)


def _class_map(frame: Frame, size: tuple[int, ...]) -> NDArray[np.uint8]:
    pixels = frame.pixels
    if pixels.shape != size or pixels.dtype.kind not in "bui" or int(pixels.max(initial=0)) > 255 or int(pixels.min(initial=0)) < 0:  # noqa: PLR2004 - size of the palette
        found = f"{pixels.dtype} of shape {pixels.shape}"
        raise DataError(f"Frame {frame.number} became {found}; expected class indices from 0 to 255 of shape {size}.")
    return pixels.astype(np.uint8)


def _in_batches(size: int, answer: Callable[[Sequence[NDArray[Any]]], Sequence[NDArray[Any]]]) -> Filter:
    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        iterator = iter(frames)
        while taken := list(islice(iterator, size)):
            results = answer([frame.pixels for frame in taken])
            if len(results) != len(taken):
                raise DataError(f"The model gave {len(results)} results for {len(taken)} frames; expected one for each.")
            for frame, pixels in zip(taken, results, strict=True):
                yield replace(frame, pixels=pixels)

    return filtered


def _drawn(pictures: Sequence[Any], labels: Sequence[Labels], looks: Any, style: DrawStyle) -> list[NDArray[np.uint8]]:
    return [draw_labels(picture, found, looks, style=style) for picture, found in zip(pictures, labels, strict=True)]


def _tracked(tracker: Tracker, frames: Iterable[Frame], looks: Any, style: DrawStyle) -> Iterator[Frame]:
    waiting: list[Frame] = []

    def noted() -> Iterator[NDArray[Any]]:
        for frame in frames:
            waiting.append(frame)
            yield frame.pixels

    for labels in tracker.track(noted()):
        frame = waiting.pop(0)
        yield replace(frame, pixels=draw_labels(frame.pixels, labels, looks, style=style))  # pyright: ignore[reportArgumentType]
