"""Pictures from files to arrays and back: upright, in 8 bits, whatever the file is, or a reason why not.

Arrays are `(height, width, 3)` RGB or `(height, width)` grey, uint8. The format is recognised by content; the file's name does not count.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import numpy as np
from PIL import Image

from burnish.errors import ConfigError
from burnish.media.deep_colour import has_deep_colour, swap_bytes
from burnish.media.eight_bits import to_grey, to_rgb
from burnish.media.scaling import resize, thumbnail
from burnish.media.unreadable import UnreadableImage, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray
    from PIL import ImageFile

__all__ = [
    "MAX_PIXELS",
    "ImageInfo",
    "UnreadableImage",
    "cut_out",
    "encode_jpeg",
    "encode_png",
    "encode_webp",
    "probe_image",
    "read_image",
    "resize",
    "thumbnail",
    "upright",
]

MAX_PIXELS: Final = 200_000_000
"""Largest picture that is decoded unless the caller allows more: 600 MB as RGB. Tiny files can declare far more (decompression bombs)."""

Mode = Literal["rgb8", "grey8", "unchanged"]

_END_OF_JPEG: Final = b"\xff\xd9"
_ORIENTATION: Final = 274
_TURNED: Final = 5  # EXIF orientations 5 to 8 exchange width and height


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture's header says.

    Attributes:
        width: Pixels across, as shown (after EXIF orientation).
        height: Pixels down, as shown.
        mode: Pillow's name of the stored pixels, for instance RGB, L, P, I;16, CMYK.
        format: For instance JPEG or PNG, by content.
        frames: Pictures in the file: 1, or more for animations and several pages.
        orientation: EXIF orientation, 1 to 8; 1 is upright.
    """

    width: int
    height: int
    mode: str
    format: str
    frames: int
    orientation: int


def probe_image(path: Path | str) -> ImageInfo:
    """Read a picture's header without decoding its pixels.

    Raises:
        UnreadableImage: The file is no picture; a damaged body behind a good header is not noticed here.
    """
    with _opened(path) as picture:
        orientation = _orientation(picture)
        width, height = picture.size
        # Pillow's TIFF reader gives the upright size already.
        if orientation >= _TURNED and picture.format != "TIFF":
            width, height = height, width
        frames = int(getattr(picture, "n_frames", 1))
        return ImageInfo(width, height, picture.mode, picture.format or "", frames, orientation)


def read_image(
    path: Path | str,
    *,
    mode: Mode = "rgb8",
    frame: int = 0,
    size: tuple[int, int] | None = None,
    background: tuple[int, int, int] = (255, 255, 255),
    max_pixels: int = MAX_PIXELS,
    tolerant: bool = False,
) -> NDArray[Any]:
    """Decode a picture, upright.

    Args:
        path: The file.
        mode: `rgb8` (height, width, 3) and `grey8` (height, width) are uint8; how deeper pixels become 8 bits is told in
            `burnish.media.eight_bits`. `unchanged` keeps what is stored: palette indices, 16 bits, alpha, CMYK, booleans.
        frame: Which picture of an animation or of several pages, from 0.
        size: Height and width to scale to, without regard to proportions. JPEG files are then decoded at a lower resolution right
            away, which is several times faster; the pixels differ a little from those scaled after full decoding.
        background: Colour that shows through transparent pixels.
        max_pixels: Larger pictures are refused before any memory is taken.
        tolerant: Give what could be decoded of a damaged file, the rest black, instead of raising.

    Raises:
        UnreadableImage: With the reason; in `rgb8` and `grey8` also where fractions are NaN or infinite, which no grey stands for.
        ConfigError: `size` together with `unchanged`.
    """
    if mode == "unchanged" and size is not None:
        raise ConfigError("size goes with the modes rgb8 and grey8; stored numbers cannot be scaled without changing them.")
    with _opened(path, max_pixels, tolerant=tolerant) as picture:
        _seek(picture, frame)
        orientation = _orientation(picture)
        wanted = None if size is None else _stored_size(size, picture.format, orientation)
        if wanted is not None and mode != "unchanged":
            picture.draft("RGB" if mode == "rgb8" else "L", wanted)
        is_deep = mode == "unchanged" and has_deep_colour(picture)  # of an open picture: loading forgets it
        _load(picture, tolerant=tolerant)
        if mode == "unchanged":
            stored = np.asarray(picture)
            if is_deep:
                stored = np.left_shift(stored, 8, dtype=np.uint16) | _low_bytes(path, frame, max_pixels, tolerant=tolerant)
            return upright(stored, _orientation(picture))
        if not tolerant:
            _refuse_no_numbers(path, picture)
        converted = to_rgb(picture, background) if mode == "rgb8" else to_grey(picture, background)
        scaled = converted if wanted is None else converted.resize(wanted, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return upright(np.asarray(scaled), _orientation(picture))


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored pixels (height, width, ...) as their EXIF orientation (1 to 8) asks."""
    if orientation >= _TURNED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.array(pixels)


def cut_out(picture: NDArray[np.uint8], box: NDArray[np.float64], *, margin: float = 0.1) -> NDArray[np.uint8]:
    """The part of a picture in a box, with a little of what is beside it; at least one pixel.

    Args:
        picture: (height, width) or (height, width, channels).
        box: x1, y1, x2, y2 in pixels; what lies outside of the picture is left out.
        margin: Share of the box's width and height that is added on each side.
    """
    x1, y1, x2, y2 = box
    dx, dy = margin * (x2 - x1), margin * (y2 - y1)
    height, width = picture.shape[:2]
    left, right = int(np.clip(np.floor(x1 - dx), 0, width - 1)), int(np.clip(np.ceil(x2 + dx), 1, width))
    top, bottom = int(np.clip(np.floor(y1 - dy), 0, height - 1)), int(np.clip(np.ceil(y2 + dy), 1, height))
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """JPEG bytes of RGB or grey pixels; quality 1 to 95."""
    return _encoded(pixels, "JPEG", quality=quality, optimize=True)


def encode_png(pixels: NDArray[Any]) -> bytes:
    """PNG bytes, lossless, of grey (8 or 16 bits), RGB or RGBA pixels; photos a twelfth larger than need be, in half the time."""
    return _encoded(pixels, "PNG", compress_level=3)


def encode_webp(pixels: NDArray[np.uint8], quality: int = 80) -> bytes:
    """WebP bytes of RGB, RGBA or grey pixels; quality 1 to 100."""
    return _encoded(pixels, "WEBP", quality=quality)


def _encoded(pixels: NDArray[Any], form: str, **options: Any) -> bytes:
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, form, **options)
    return stream.getvalue()


@contextmanager
def _opened(path: Path | str, max_pixels: int = MAX_PIXELS, *, tolerant: bool = False) -> Generator[ImageFile.ImageFile]:
    """An open picture whose every failure becomes an UnreadableImage: decoders raise nearly anything on damaged files."""
    try:
        with _quiet_pillow(max_pixels), _stream(path, tolerant=tolerant) as stream, Image.open(stream) as picture:
            _refuse_huge(path, picture.size, max_pixels)
            yield picture
    except (UnreadableImage, ConfigError):
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableImage(path, f"it declares more pixels than the limit of {max_pixels:,}; raise max_pixels if it is sound") from error
    except Exception as error:
        raise UnreadableImage(path, why_unreadable(path, error)) from error


def _stream(path: Path | str, *, tolerant: bool) -> BinaryIO:
    """The file; with JPEG's end mark after it when damage is tolerated, without which a cut progressive JPEG gives no pixels at all."""
    return BytesIO(Path(path).read_bytes() + _END_OF_JPEG) if tolerant else Path(path).open("rb")


def _refuse_huge(path: Path | str, size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        reason = f"it declares {size[0]:,} x {size[1]:,} pixels, more than the limit of {max_pixels:,}; raise max_pixels if it is sound"
        raise UnreadableImage(path, reason)


_quiet_lock = threading.Lock()
_quiet_readers: list[int] = []
_quiet_state: list[Any] = []


@contextmanager
def _quiet_pillow(max_pixels: int) -> Generator[None]:
    """Silence Pillow's warnings and lift its limit to ours while any thread reads.

    Both are global to the process, so the first reader that comes sets them and the last one that goes restores them.
    """
    with _quiet_lock:
        if not _quiet_readers:
            caught = warnings.catch_warnings()
            caught.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
            _quiet_state[:] = [caught, Image.MAX_IMAGE_PIXELS]
        _quiet_readers.append(max_pixels)
        Image.MAX_IMAGE_PIXELS = max(_quiet_readers)
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_readers.remove(max_pixels)
            if not _quiet_readers:
                caught, Image.MAX_IMAGE_PIXELS = _quiet_state
                caught.__exit__(None, None, None)


def _seek(picture: Image.Image, frame: int) -> None:
    frames = int(getattr(picture, "n_frames", 1)) if frame else 1
    if not 0 <= frame < max(frames, 1):
        raise ValueError(f"it has {frames} pictures, and number {frame} (from 0) was asked for")
    if frame:
        picture.seek(frame)


def _load(picture: Image.Image, *, tolerant: bool) -> None:
    try:
        picture.load()
    except OSError:
        # The rows decoded so far are in memory. Pillow's own switch for this is global to all threads, so it is not used.
        if not tolerant or picture._im is None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportAttributeAccessIssue]
            raise
        picture.tile = []  # pyright: ignore[reportAttributeAccessIssue]


def _refuse_no_numbers(path: Path | str, picture: Image.Image) -> None:
    if picture.mode != "F":
        return
    values = np.asarray(picture)
    wrong = values.size - int(np.isfinite(values).sum())
    if wrong:
        told = f"{wrong:,} of its {values.size:,} pixels ({100 * wrong / values.size:.3g} %) are no numbers (NaN or infinite)"
        raise UnreadableImage(path, f"{told}; give them values, for instance those of their neighbours, and save it again")


def _orientation(picture: Image.Image) -> int:
    try:
        # The PNG reader's own method would decode all pixels to look for a late EXIF block.
        value = Image.Image.getexif(picture).get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a damaged EXIF block must not make a sound picture unreadable
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004 - EXIF defines eight


def _stored_size(size: tuple[int, int], form: str | None, orientation: int) -> tuple[int, int]:
    """The width and height, before the picture is turned upright, of an upright height and width."""
    turned = orientation >= _TURNED and form != "TIFF"
    return (size[0], size[1]) if turned else (size[1], size[0])


def _low_bytes(path: Path | str, frame: int, max_pixels: int, *, tolerant: bool) -> NDArray[np.uint8]:
    """The lower bytes of a picture's colour of 16 bits a channel, as Pillow decodes it where it is told the other order of bytes."""
    with _opened(path, max_pixels, tolerant=tolerant) as picture:
        _seek(picture, frame)
        swap_bytes(picture)
        _load(picture, tolerant=tolerant)
        return np.asarray(picture)
