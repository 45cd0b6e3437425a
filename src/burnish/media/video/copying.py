"""Parts of a video as files of their own: packets copied as they are, or frames encoded again; sound goes along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.media.video.opening import load_av, opened
from burnish.media.video.packets import NO_TIME
from burnish.media.video.pixels import to_rgb, turned
from burnish.media.video.writing import DEFAULT_ENCODING, Encoding, add_stream, encode_frame, finish, keep_colours, output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.container import OutputContainer
    from av.packet import Packet

    from burnish.media.video.reading import Decoded, Video


@dataclass(frozen=True, slots=True)
class Span:
    """Frames from `start` up to, not including, `stop`."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def copy_span(video: Video, span: Span, target: Path, advance: Callable[[int], None] = lambda _n: None) -> None:
    """Copy the packets of some frames, with the sound of their time, without decoding.

    The span must begin at one of `FrameIndex.clean_starts` and end before one, or at the end.

    Args:
        video: The source.
        span: Which frames.
        target: The file to write.
        advance: Is told the number of frames written since it was called last.

    Raises:
        DataError: The container cannot hold the source's packets.
    """
    index = video.index
    wanted = index.ordinals[span.start : span.stop]
    first, last = int(wanted.min()), int(wanted.max())
    with opened(video.info.path, stream=video.stream) as source, output(target) as container:
        picture = container.add_stream_from_template(source.stream, opaque=True)
        sounds = _add_sounds(container, source.container)
        shift = _video_shift(video, span)
        begins, ends = _times(video, span)
        ordinal = -1
        for packet in source.container.demux([source.stream, *sounds]):
            if not packet.size:
                continue
            if packet.stream_index == source.stream.index:
                ordinal += 1
                if first <= ordinal <= last:
                    _copy(container, packet, picture, shift)
                    advance(1)
            else:
                _copy_sound(container, packet, sounds[packet.stream], begins, ends)
            if ordinal > last and not sounds:
                break


def encode_span(
    video: Video, span: Span, target: Path, encoding: Encoding = DEFAULT_ENCODING, advance: Callable[[int], None] = lambda _n: None
) -> int:
    """Encode some frames again, upright, each at its own time, and copy the sound of their time; arguments and errors as for `copy_span`.

    Returns:
        The number of frames written; damaged ones that cannot be decoded are missing.
    """
    info, count = video.info, 0
    size = (info.height + info.height % 2, info.width + info.width % 2) if encoding.codec != "ffv1" else (info.height, info.width)
    zero = float(video.index.seconds[span.start])
    with opened(info.path, stream=video.stream) as source, output(target) as container:
        stream = add_stream(container, encoding, size, info.fps)
        sounds = _add_sounds(container, source.container)
        for one in video.decoded(range(span.start, span.stop)):
            if not count and one.orientation.is_upright:
                keep_colours(stream, one.picture)
            encode_frame(container, stream, _encodable(one, stream), one.seconds - zero)
            advance(1)
            count += 1
        finish(container, stream)
        begins, ends = _times(video, span)
        for packet in _packets(source.container, list(sounds)):
            _copy_sound(container, packet, sounds[packet.stream], begins, ends)
    return count


def _packets(container: Any, streams: list[Any]) -> Iterator[Packet[Any]]:
    return (packet for packet in container.demux(streams) if packet.size) if streams else iter(())


def _add_sounds(container: OutputContainer, source: Any) -> dict[Any, Any]:
    """A stream in the target for each sound of the source that the target can hold."""
    added: dict[Any, Any] = {}
    for sound in source.streams.audio:
        try:
            added[sound] = container.add_stream_from_template(sound, opaque=True)
        except (ValueError, load_av().FFmpegError):
            continue  # webm, for instance, takes no AAC; the pictures are what parts are made for
    return added


def _video_shift(video: Video, span: Span) -> int:
    """Units of the stream's time base by which the part begins later than its file."""
    index = video.index
    times = index.packets.shown_at[index.ordinals[span.start : span.stop]]
    return 0 if (times == NO_TIME).any() else int(times.min())


def _times(video: Video, span: Span) -> tuple[float, float]:
    """When a span begins and ends, in seconds of the source's clock."""
    index, base = video.index, video.time_base
    times = index.packets.shown_at[index.ordinals]
    zero = 0.0 if times[0] == NO_TIME else float(times[0]) * base
    begins = -np.inf if span.start == 0 else zero + float(index.seconds[span.start])
    ends = np.inf if span.stop == len(index) else zero + float(index.seconds[span.stop])
    return begins, ends


def _copy(container: OutputContainer, packet: Packet[Any], stream: Any, shift: int) -> None:
    if packet.pts is not None:
        packet.pts -= shift
    if packet.dts is not None:
        packet.dts -= shift
    packet.stream = stream
    container.mux_one(packet)


def _copy_sound(container: OutputContainer, packet: Packet[Any], stream: Any, begins: float, ends: float) -> None:
    if packet.pts is None or not begins <= packet.pts * float(packet.time_base) < ends:
        return
    _copy(container, packet, stream, 0 if np.isinf(begins) else round(begins / float(packet.time_base)))


def _encodable(one: Decoded, stream: Any) -> Any:
    """A decoded picture in the encoder's pixel format, upright and with even sides where that is needed."""
    av = load_av()
    height, width = one.picture.height, one.picture.width
    straight = one.orientation.is_upright and (height, width) == (stream.height, stream.width)
    if straight:
        return one.picture.reformat(format=stream.pix_fmt)
    pixels = turned(to_rgb(one.picture), one.orientation)
    more = stream.height - pixels.shape[0], stream.width - pixels.shape[1]
    padded = np.pad(pixels, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")
    return av.VideoFrame.from_ndarray(padded, format="rgb24").reformat(format=stream.pix_fmt, dst_colorspace=1, dst_color_range=1)
