"""Videos for the test server: their size, single frames, and pieces as new videos."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.errors import extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class Film(NamedTuple):
    """What is known about a video."""

    width: int
    height: int
    length: int
    """Frames that can be decoded."""


@lru_cache(maxsize=32)
def probe(path: Path) -> Film:
    """Decode a video once to learn its size and how many frames it has."""
    with _av().open(str(path)) as container:
        length = 0
        width = height = 0
        for picture in container.decode(video=0):
            width, height, length = picture.width, picture.height, length + 1
    return Film(width, height, length)


def read(path: Path, numbers: Sequence[int]) -> list[NDArray[np.uint8]]:
    """Frames (height, width, 3) RGB at the given numbers, counted from 0 in the order of showing; the numbers rise."""
    wanted, found = set(numbers), []
    with _av().open(str(path)) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number in wanted:
                found.append(picture.to_ndarray(format="rgb24"))
            if number >= numbers[-1]:
                break
    return found


def write(path: Path, pictures: Iterable[NDArray[np.uint8]], *, rate: int = 25) -> None:
    """Encode frames of one size as an MP4 video."""
    av = _av()
    with av.open(str(path), "w") as container:
        stream: Any = None
        for pixels in pictures:
            if stream is None:
                stream = container.add_stream("mpeg4", rate=rate)
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def key_frames(path: Path) -> list[tuple[int, int]]:
    """Number and presentation time of each key frame, as a backup's manifest lists them."""
    with _av().open(str(path)) as container:
        pictures = enumerate(container.decode(video=0))
        return [(number, int(picture.pts or 0)) for number, picture in pictures if picture.key_frame]


def _av() -> Any:
    with extra("cvat"):
        import av  # noqa: PLC0415 - only tasks with videos need it

    return av
