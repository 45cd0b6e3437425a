"""Pictures read at the size at which they are needed: a JPEG file is decoded at a half, quarter or eighth while that is still large enough.

The transform of JPEG's blocks gives these sizes for a part of the work. Only the rest is shrunk by areas, which costs more than decoding
where the whole picture goes through it. Factors between them, such as five eighths, are not used: libjpeg-turbo has no fast code for them.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from burnish.media.images import MAX_PIXELS, UnreadableImage, probe_image, read_image, resize, upright

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_START: Final = b"\xff\xd8\xff"
_SCAN, _APPLICATION_1, _APPLICATION_2 = 0xDA, 0xE1, 0xE2
_TURNED: Final = 5  # EXIF orientations 5 to 8 exchange width and height
_FACTORS: Final = (8, 4, 2, 1)


@lru_cache(maxsize=1)
def fitting_decoder() -> Literal["simplejpeg", "pillow"]:
    """What decodes: simplejpeg and OpenCV, which the extra `train` brings; Pillow otherwise. Their pixels differ a little."""
    return "simplejpeg" if find_spec("simplejpeg") and find_spec("cv2") else "pillow"


def read_fitted(path: Path | str, fit: Callable[[tuple[int, int]], tuple[int, int]]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Read a picture, upright, at the size that is wanted of it.

    Files that are no plain JPEG are read by `read_image`, which also says why one cannot be read.

    Args:
        path: The file.
        fit: Gives the wanted height and width from those of the upright picture.

    Returns:
        (height, width, 3) uint8 RGB of the wanted size, and the height and width of the picture itself.

    Raises:
        UnreadableImage: With the reason.
    """
    if fitting_decoder() == "simplejpeg":
        return _plain_jpeg(Path(path), fit) or _whole(path, fit)
    info = probe_image(path)
    size = info.height, info.width
    return read_image(path, size=fit(size)), size


def shrink(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale to (height, width) like `resize`, by OpenCV where it is installed, which is faster."""
    height, width = size
    if fitting_decoder() == "pillow" or height > pixels.shape[0] or width > pixels.shape[1] or pixels.shape[:2] == size:
        return resize(pixels, size)
    import cv2  # noqa: PLC0415 - of the extra train

    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _whole(path: Path | str, fit: Callable[[tuple[int, int]], tuple[int, int]]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    pixels: NDArray[np.uint8] = read_image(path)
    size = pixels.shape[0], pixels.shape[1]
    return shrink(pixels, fit(size)), size


def _plain_jpeg(path: Path, fit: Callable[[tuple[int, int]], tuple[int, int]]) -> tuple[NDArray[np.uint8], tuple[int, int]] | None:
    """As `read_fitted`; None where anything about the file is unusual."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    orientation = _orientation(data, path)
    if orientation is None:
        return None
    import simplejpeg  # noqa: PLC0415 - of the extra train

    try:
        down, across, space, _sampling = simplejpeg.decode_jpeg_header(data)
        height, width = int(down), int(across)
        if height * width > MAX_PIXELS or space not in {"YCbCr", "Gray"}:
            return None
        size = (width, height) if orientation >= _TURNED else (height, width)
        across, down = fit(size) if orientation >= _TURNED else fit(size)[::-1]
        pixels = _decoded(simplejpeg, data, (height, width), (down, across))
    except ValueError:  # damaged
        return None
    scaled = shrink(pixels, (down, across))
    return (scaled if orientation == 1 else upright(scaled, orientation)), size


def _decoded(simplejpeg: Any, data: bytes, size: tuple[int, int], wanted: tuple[int, int]) -> NDArray[np.uint8]:
    sizes = ((-(-size[0] // factor), -(-size[1] // factor)) for factor in _FACTORS)
    height, width = next((s for s in sizes if s[0] >= wanted[0] and s[1] >= wanted[1]), size)
    return simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width)


def _orientation(data: bytes, path: Path) -> int | None:
    """EXIF orientation of a JPEG file with sound segments before its pixels; None of anything else.

    Only a first application segment can hold it, and most files of datasets have none: looking for one takes microseconds.
    """
    if not data.startswith(_START):
        return None
    place, told = 2, False
    while place + 4 <= len(data) and data[place] == 0xFF:  # noqa: PLR2004 - how a marker begins
        marker = data[place + 1]
        if marker == _SCAN:
            return _told_orientation(path) if told else 1
        if marker == _APPLICATION_2 and data.startswith(b"MPF\0", place + 4):
            return None
        told = told or marker == _APPLICATION_1
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def _told_orientation(path: Path) -> int | None:
    try:
        return probe_image(path).orientation
    except UnreadableImage:
        return None
