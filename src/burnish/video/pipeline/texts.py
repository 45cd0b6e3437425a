"""Filters that write on frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from burnish.media.captions import Caption, draw_captions
from burnish.media.text import LINE_HEIGHT, text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from burnish.media.colours import Colour
    from burnish.media.video import Frame
    from burnish.video.pipeline.chain import Filter

Corner = Literal["top left", "top right", "bottom left", "bottom right"]

_PLATE: Final = (20, 22, 26)


def caption(text: str | Callable[[Frame], str], *, corner: Corner = "top left", colour: Colour = _PLATE, size: int | None = None) -> Filter:
    """Write a line into a corner of every frame, on a plate of a colour; the text is black or white, whichever reads better.

    Args:
        text: What to write, or a function that says it for each frame.
        corner: Where.
        colour: Of the plate.
        size: Text size in pixels; it suits the frame when not given.
    """

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            line = text if isinstance(text, str) else text(frame)
            yield replace(frame, pixels=_written(frame.pixels, line, corner, colour, size))

    return filtered


def timer(*, corner: Corner = "bottom right", number: bool = False) -> Filter:
    """Write the time of every frame, and its number if that is asked for, into a corner."""
    return caption(lambda frame: sexagesimal(frame.seconds) + (f"  #{frame.number}" if number else ""), corner=corner)


def sexagesimal(seconds: float) -> str:
    """Seconds as hours, minutes, seconds and milliseconds: 0:01:02.500; less than an hour as 01:02.500."""
    thousandths = round(abs(seconds) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 and thousandths else ""
    return sign + (f"{hours}:" if hours else "") + f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _written(pixels: NDArray[np.generic], text: str, corner: Corner, colour: Colour, size: int | None) -> NDArray[np.uint8]:
    grey = pixels.ndim == 2  # noqa: PLR2004 - height and width
    picture = np.array(np.repeat(pixels[..., None], 3, axis=2) if grey else pixels[..., :3], dtype=np.uint8, order="C")
    letters = size or int(np.clip(round(max(pixels.shape[:2]) / 32), 12, 80))
    height, width = round(LINE_HEIGHT * letters), text_width(text, letters) + 2 * max(2, round(0.3 * letters))
    left = 0 if "left" in corner else picture.shape[1] - width
    top = 0 if "top" in corner else picture.shape[0] - height
    # A caption stands above its box where there is room; this box is as high as nothing, one line below the corner.
    below = float(top + height)
    draw_captions(picture, [Caption(text, colour, (float(left), below, float(left + width), below))], letters)
    return picture
