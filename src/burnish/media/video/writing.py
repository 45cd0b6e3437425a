"""Writing videos and animated pictures from RGB arrays: whole files or none."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from PIL import Image

from burnish.engine.files import atomic_path
from burnish.errors import ConfigError, DataError
from burnish.media.video.opening import load_av, short_reason

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from av.container import OutputContainer
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

CONTAINERS: Final = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".ts": "mpegts",
}
"""What a file's ending says to the writer."""

CodecName = Literal["h264", "h265", "vp9", "av1", "mpeg4", "mjpeg", "ffv1"]


@dataclass(frozen=True, slots=True)
class _Encoder:
    name: str
    pixels: str
    options: dict[str, str]
    scale: str  # the encoder's name for the dial of quality; empty where there is none
    best: int  # dial at quality 100
    worst: int  # dial at quality 0


_ENCODERS: Final[dict[str, _Encoder]] = {
    "h264": _Encoder("libx264", "yuv420p", {"preset": "medium"}, "crf", 0, 51),
    "h265": _Encoder("libx265", "yuv420p", {"preset": "medium", "x265-params": "log-level=error"}, "crf", 0, 51),
    "vp9": _Encoder("libvpx-vp9", "yuv420p", {"b": "0", "row-mt": "1", "cpu-used": "4"}, "crf", 0, 63),
    "av1": _Encoder("libsvtav1", "yuv420p", {"preset": "8"}, "crf", 1, 63),
    "mpeg4": _Encoder("mpeg4", "yuv420p", {}, "qscale", 1, 31),
    "mjpeg": _Encoder("mjpeg", "yuv420p", {}, "qscale", 2, 31),
    "ffv1": _Encoder("ffv1", "bgr0", {}, "", 0, 0),
}
_LAMBDA: Final = 118
_FULL_RANGE: Final = 2
_BT709: Final = 1
_FINE: Final = Fraction(1, 7_500)
_EVEN: Final = frozenset({"yuv420p"})


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a video is encoded.

    Attributes:
        codec: h264 plays everywhere; ffv1 loses nothing; vp9, av1, mpeg4 and mjpeg need no GPL library.
        quality: 0 to 100, on the codec's own scale turned round; 61 is x264's crf 20. ffv1 has none.
        threads: Threads that encode; 0 takes one for each core.
    """

    codec: CodecName = "h264"
    quality: int = 61
    threads: int = 0


DEFAULT_ENCODING: Final = Encoding()


def write_video(path: Path | str, frames: Iterable[NDArray[np.uint8]], *, fps: float = 25.0, encoding: Encoding = DEFAULT_ENCODING) -> int:
    """Encode RGB frames of one size at a steady rate.

    Args:
        path: The file; its ending chooses the container.
        frames: (height, width, 3) RGB or (height, width) grey, uint8. Sides that are odd get one more row or column, which repeats the last
            one, where the codec takes only even sides.
        fps: Frames in a second.
        encoding: How.

    Returns:
        The number of frames.

    Raises:
        DataError: There is no frame, frames differ in size, or the encoder refuses them.
        ConfigError: The ending or codec is unknown here.
    """
    if not fps > 0:
        raise ConfigError(f"fps is {fps}; expected frames in a second, above 0.")
    return write_timed(path, ((number / fps, pixels) for number, pixels in enumerate(frames)), fps=fps, encoding=encoding)


def write_timed(
    path: Path | str, frames: Iterable[tuple[float, NDArray[np.uint8]]], *, fps: float, encoding: Encoding = DEFAULT_ENCODING
) -> int:
    """Encode RGB frames, each with its time in seconds; `fps` is the usual rate. The rest is as for `write_video`."""
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise DataError(f"There is no frame to write to {path}.")
    size, count = first[1].shape[:2], 0
    with output(path) as container:
        stream = add_stream(container, encoding, _even(size, encoding), fps)
        for seconds, pixels in chain([first], iterator):
            if pixels.shape[:2] != size:
                found, expected = (f"{shape[1]} x {shape[0]}" for shape in (pixels.shape, size))
                raise DataError(f"Frame {count} for {path} is {found}, the first was {expected}; resize them to one size first.")
            encode_frame(container, stream, _picture(pixels, stream), seconds)
            count += 1
        finish(container, stream)
    return count


def write_gif(path: Path | str, frames: Iterable[NDArray[np.uint8]], *, fps: float = 10.0) -> int:
    """Write an animated GIF that repeats for ever, each frame with colours of its own; times are rounded to 1/100 s as GIF has them.

    Returns:
        The number of frames.

    Raises:
        DataError: There is no frame.
    """
    iterator = (Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB") for pixels in frames)
    first = next(iterator, None)
    if first is None:
        raise DataError(f"There is no frame to write to {path}.")
    count = 1

    def rest() -> Iterator[Image.Image]:
        nonlocal count
        for picture in iterator:
            count += 1
            yield _few_colours(picture)

    with atomic_path(path) as temporary:
        duration = max(20, round(100 / fps) * 10)
        _few_colours(first).save(
            temporary, "GIF", save_all=True, append_images=rest(), duration=duration, loop=0, disposal=1, optimize=False
        )
    return count


@contextmanager
def output(path: Path | str) -> Generator[OutputContainer]:
    """A container open for writing that becomes the file when the block ends well, and leaves nothing otherwise.

    Raises:
        ConfigError: The ending is unknown here.
        DataError: The container or encoder refuses what it was given.
    """
    av, target = load_av(), Path(path)
    form = CONTAINERS.get(target.suffix.lower())
    if form is None:
        raise ConfigError(f"{path}: a video is written to a file ending in {', '.join(CONTAINERS)}; found '{target.suffix}'.")
    options = {"movflags": "+faststart"} if form in {"mp4", "mov"} else {}
    with atomic_path(target) as temporary:
        try:
            container = av.open(str(temporary), "w", format=form, options=options)
            try:
                yield container
            except BaseException:
                with suppress(av.FFmpegError):
                    container.close()
                raise
            container.close()
        except av.FFmpegError as error:
            hint = "Try another ending (.mkv takes nearly everything) or codec."
            raise DataError(f"{target} cannot be written: {short_reason(error)}. {hint}") from error


def add_stream(container: OutputContainer, encoding: Encoding, size: tuple[int, int], fps: float) -> Any:
    """A video stream for frames of (height, width).

    Raises:
        ConfigError: This build of FFmpeg has no such encoder.
    """
    av, chosen = load_av(), _ENCODERS[encoding.codec]
    if chosen.name not in av.codecs_available:
        able = ", ".join(name for name, encoder in _ENCODERS.items() if encoder.name in av.codecs_available)
        raise ConfigError(f"This build of FFmpeg cannot encode {encoding.codec} ({chosen.name} is missing); it can encode {able}.")
    rate = Fraction(fps).limit_denominator(1001)  # 30000/1001 is the oddest rate in use
    try:
        stream: Any = container.add_stream(chosen.name, rate=rate, options=dict(chosen.options))
    except ValueError as error:
        raise ConfigError(f"A {container.format.name} file cannot hold {encoding.codec}. Choose another ending (.mkv) or codec.") from error
    stream.height, stream.width, stream.pix_fmt = size[0], size[1], chosen.pixels
    context = stream.codec_context
    context.time_base, context.thread_count = (
        _ticks(rate, coarse=container.format.name == "avi" or chosen.name == "mpeg4"),
        encoding.threads,
    )
    dial = round(chosen.best + (100 - encoding.quality) / 100 * (chosen.worst - chosen.best))
    if chosen.scale == "crf":
        context.options = {**chosen.options, "crf": str(dial)}
    elif chosen.scale == "qscale":
        context.qscale, context.global_quality, context.qmin = True, dial * _LAMBDA, 1
    _tag(context, *((5, 0, 0, _FULL_RANGE) if encoding.codec == "mjpeg" else (_BT709, _BT709, _BT709, 1)))
    return stream


def keep_colours(stream: Any, source: VideoFrame) -> None:
    """Tell players that colours are coded as in the source; before the first picture is encoded."""
    if stream.codec_context.name != "mjpeg":
        _tag(stream.codec_context, source.colorspace, source.color_primaries, source.color_trc, source.color_range)


def encode_frame(container: OutputContainer, stream: Any, picture: VideoFrame, seconds: float) -> None:
    """Encode one picture in the encoder's own pixel format, shown at a time in seconds."""
    base = stream.codec_context.time_base
    picture.time_base, picture.pts, picture.pict_type = base, round(seconds / base), 0
    container.mux(stream.encode(picture))


def finish(container: OutputContainer, stream: Any) -> None:
    """Write what the encoder still holds back."""
    container.mux(stream.encode(None))


def _tag(context: Any, matrix: int, primaries: int, transfer: int, levels: int) -> None:
    context.colorspace, context.color_primaries, context.color_trc, context.color_range = matrix, primaries, transfer, levels


def _ticks(rate: Fraction, *, coarse: bool) -> Fraction:
    """A unit of time in which a steady rate is exact and others nearly so; where the file or coding knows only whole frames, one frame."""
    ticks = 1 / rate
    while not coarse and ticks > _FINE:
        ticks /= 2
    return ticks


def _even(size: tuple[int, int], encoding: Encoding) -> tuple[int, int]:
    step = 2 if _ENCODERS[encoding.codec].pixels in _EVEN else 1
    return -(-size[0] // step) * step, -(-size[1] // step) * step


def _picture(pixels: NDArray[np.uint8], stream: Any) -> VideoFrame:
    colour = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels[..., :3]  # noqa: PLR2004 - grey
    more = stream.height - pixels.shape[0], stream.width - pixels.shape[1]
    if any(more):
        colour = np.pad(colour, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")
    picture: VideoFrame = load_av().VideoFrame.from_ndarray(np.ascontiguousarray(colour, dtype=np.uint8), format="rgb24")
    jpeg = stream.codec_context.name == "mjpeg"
    return picture.reformat(format=stream.pix_fmt, dst_colorspace=5 if jpeg else _BT709, dst_color_range=_FULL_RANGE if jpeg else 1)


def _few_colours(picture: Image.Image) -> Image.Image:
    return picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
