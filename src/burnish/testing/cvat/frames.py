"""Frames and chunks as they are sent: pictures as uploaded or compressed, zips of pictures, pieces of videos."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from burnish.media.images import encode_jpeg, encode_png, probe_image, read_image, thumbnail
from burnish.testing.cvat import films
from burnish.testing.cvat.answers import Answer, bad_request
from burnish.testing.cvat.state import stamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from burnish.testing.cvat.records import Data

_PREVIEW: Final = 256
_QUALITY: Final = 95
_TYPES: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".bmp": "image/bmp",
    ".webp": "image/webp",
    ".tiff": "image/tiff",
}


def frame(data: Data, number: int, *, original: bool) -> Answer:
    """One frame: the file as uploaded (turned upright where needed), or compressed."""
    content, suffix = picture_bytes(data, number) if original else _compressed(data, [number])[0]
    return Answer(content=content, media_type=_TYPES.get(suffix, "image/jpeg"))


def picture_bytes(data: Data, number: int) -> tuple[bytes, str]:
    """A frame in its original quality with the suffix of its type: the uploaded file itself where it is upright, PNG for a video."""
    if data.is_video:
        return encode_png(_pixels(data, [number])[0]), ".png"
    path = data.folder / data.frames[number].name
    suffix = PurePath(path).suffix.lower()
    if probe_image(path).orientation == 1:
        return path.read_bytes(), suffix
    pixels = read_image(path)
    return (encode_png(pixels), suffix) if suffix == ".png" else (encode_jpeg(pixels, _QUALITY), suffix)


def preview(data: Data, number: int) -> Answer:
    """A small JPEG of a frame."""
    return Answer(content=encode_jpeg(thumbnail(_pixels(data, [number])[0], _PREVIEW)), media_type="image/jpeg")


def chunk(data: Data, frames: list[int], number: int, *, original: bool) -> Answer:
    """Several frames in a row.

    Raises:
        RefusalError: 400 if there are not so many chunks.
    """
    size = data.chunk_size or 1
    last = (len(frames) - 1) // size
    if not 0 <= number <= last:
        raise bad_request(f"Invalid chunk number '{number}'. The chunk number should be in the [0, {last}] range")
    chosen = frames[number * size : (number + 1) * size]
    kind = data.original_chunk_type if original else data.compressed_chunk_type
    content = _film(data, chosen) if kind == "video" else _zip(data, chosen, original=original)
    headers = {"X-Checksum": str(zlib.crc32(content)), "X-Updated-Date": stamp(data.updated) or "", "Accept-Ranges": "bytes"}
    return Answer(content=content, media_type="video/mp4" if kind == "video" else "application/zip", headers=headers)


def _zip(data: Data, numbers: list[int], *, original: bool) -> bytes:
    pictures = [picture_bytes(data, number) for number in numbers] if original else _compressed(data, numbers, always_jpeg=True)
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w") as file:
            for place, (content, suffix) in enumerate(pictures):
                file.writestr(f"{place:06d}{suffix if original else '.jpeg'}", content)
        return buffer.getvalue()


def _film(data: Data, numbers: list[int]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chunk.mp4"
        films.write(path, _pixels(data, numbers))
        return path.read_bytes()


def _compressed(data: Data, numbers: list[int], *, always_jpeg: bool = False) -> list[tuple[bytes, str]]:
    """JPEG in the task's quality; single frames of a video whose chunks are videos are PNG."""
    if data.compressed_chunk_type == "video" and not always_jpeg:
        return [(encode_png(pixels), ".png") for pixels in _pixels(data, numbers)]
    return [(encode_jpeg(pixels, data.image_quality), ".jpeg") for pixels in _pixels(data, numbers)]


def _pixels(data: Data, numbers: list[int]) -> list[NDArray[np.uint8]]:
    if data.is_video:
        return films.read(data.folder / data.frames[0].name, [data.start_frame + number * data.step for number in numbers])
    pictures: list[Any] = [read_image(data.folder / data.frames[number].name) for number in numbers]
    return pictures
