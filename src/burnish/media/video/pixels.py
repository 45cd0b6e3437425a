"""From the decoder's pictures to RGB arrays and JPEG bytes: upright, with the colours that a player shows."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.errors import DataError
from burnish.media.video.opening import load_av

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

_UNIT: Final = Fraction(1, 25)
_LAMBDA: Final = 118  # FFmpeg's FF_QP2LAMBDA
_ITU601: Final = 5
_FULL_RANGE: Final = 2
_MATRICES: Final = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}  # AVColorSpace -> matrix that the scaler knows; others are taken as BT.601
_SAME_GRID: Final = frozenset({"yuv420p", "yuvj420p"})
_SAME_MATRIX: Final = frozenset({2, 5, 6})


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels become upright: exchange axes first, then mirror."""

    swapped: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def degrees(self) -> int:
        """Clockwise turn: 0, 90, 180 or 270; a mirror image counts as the turn that it has beside the mirroring."""
        if self.swapped:
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_x and self.mirror_y else 0

    @property
    def is_upright(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.swapped or self.mirror_x or self.mirror_y)


UPRIGHT: Final = Orientation()


def orientation_of(picture: VideoFrame) -> Orientation:
    """What the display matrix of a picture asks for, to the nearest quarter turn.

    The matrix (a b u; c d v; x y w) maps a stored point to x' = a x + c y, y' = b x + d y (ISO/IEC 14496-12, 6.2.2).
    """
    raw: Any = picture.side_data.get("DISPLAYMATRIX")
    if raw is None:
        return UPRIGHT
    a, b, _, c, d = np.frombuffer(bytes(raw), dtype=np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(swapped=False, mirror_x=a < 0, mirror_y=d < 0)
    return Orientation(swapped=True, mirror_x=c < 0, mirror_y=b < 0)


def turned(pixels: NDArray[np.uint8], orientation: Orientation) -> NDArray[np.uint8]:
    """Stored pixels (height, width, ...) made upright."""
    if orientation.swapped:
        pixels = pixels.swapaxes(0, 1)
    if orientation.mirror_y:
        pixels = pixels[::-1]
    if orientation.mirror_x:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def to_rgb(picture: VideoFrame, orientation: Orientation = UPRIGHT, *, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """A decoded picture as (height, width, 3) RGB, upright.

    Args:
        picture: What the decoder gave.
        orientation: How it becomes upright.
        size: Height and width to scale the stored picture to on the way, before it is turned.
    """
    height, width = size or (picture.height, picture.width)
    rgb = _scaler().reformat(
        picture, width=width, height=height, format="rgb24", src_colorspace=_MATRICES.get(int(picture.colorspace), _ITU601), threads=1
    )
    pixels = rgb.to_ndarray()
    return pixels if orientation.is_upright else turned(pixels, orientation)


def to_jpeg(picture: VideoFrame, orientation: Orientation = UPRIGHT, *, quality: int = 90) -> bytes:
    """A decoded picture as JPEG bytes, upright, with colour at half resolution (4:2:0).

    Pictures that need no turning go from the decoder's YUV to JPEG's without a detour through RGB. May be called by many threads.

    Raises:
        DataError: The encoder refused the picture.
    """
    av = load_av()
    source = picture if orientation.is_upright else av.VideoFrame.from_ndarray(to_rgb(picture, orientation), format="rgb24")
    same = int(source.colorspace) in _SAME_MATRIX
    full = _scaler().reformat(
        source,
        format="yuv420p",
        src_colorspace=None if same else _MATRICES.get(int(source.colorspace)),
        dst_colorspace=None if same else _ITU601,
        dst_color_range=_FULL_RANGE,
        # Where no pixel moves, nothing is interpolated: the quick way differs by rounding alone, and takes a quarter less time.
        interpolation="FAST_BILINEAR" if source.format.name in _SAME_GRID else None,
        threads=1,
    )
    return _encode(full, jpeg_quantiser(quality))


def jpeg_quantiser(quality: int) -> int:
    """FFmpeg's quantiser (its -q:v) that compresses like a JPEG quality of 1 to 100.

    The tables of the JPEG standard, scaled by (200 - 2 quality) percent, are on average 58 before scaling; FFmpeg's are 4 for each step.
    """
    percent = 200 - 2 * quality if quality >= 50 else 5000 / max(quality, 1)  # noqa: PLR2004 - the IJG library's scale of quality
    return int(np.clip(round(58 * percent / 100 / 4), 2, 31))


_own = threading.local()


def _scaler() -> Any:
    """One scaler a thread: it keeps tables for the sizes and formats that it met last."""
    if not hasattr(_own, "scaler"):
        _own.scaler = load_av().video.reformatter.VideoReformatter()
    return _own.scaler


def _encode(picture: VideoFrame, quantiser: int) -> bytes:
    kind = (picture.width, picture.height, quantiser)
    if getattr(_own, "encoder_kind", None) != kind:
        _own.encoder, _own.encoder_kind, _own.encoded = _encoder(*kind), kind, 0
    picture.time_base, picture.pts, picture.pict_type = _UNIT, _own.encoded, 0
    _own.encoded += 1
    packets = _own.encoder.encode(picture)
    if len(packets) != 1:
        raise DataError(f"The JPEG encoder gave {len(packets)} pictures for one of {picture.width} x {picture.height} pixels.")
    return bytes(packets[0])


def _encoder(width: int, height: int, quantiser: int) -> Any:
    context = load_av().CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.color_range, context.thread_count = _UNIT, _FULL_RANGE, 1
    context.qscale, context.global_quality, context.qmin, context.qmax = True, quantiser * _LAMBDA, quantiser, quantiser
    return context
