"""The packets of a video stream: a table of them, made once, and frames decoded from any key packet on.

A packet is known by its place in the file (its ordinal). Before decoding, a packet's time stamp is replaced by its ordinal; decoders hand
time stamps on to the frames they give, so that every frame tells from which packet it came, however the decoder reorders and however
wrong, double or absent the file's own time stamps are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.media.video.opening import load_av, short_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from burnish.media.video.opening import Opened

NO_TIME: Final = np.iinfo(np.int64).min
_VP8_SHOWN: Final = 0x10


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """Every packet of one video stream, in the order of the file.

    Attributes:
        shown_at: (n,) int64 presentation time stamps in units of the stream's time base; `NO_TIME` where the file has none.
        decoded_at: (n,) int64 decoding time stamps, likewise.
        places: (n,) int64 byte positions in the file, -1 where unknown.
        sizes: (n,) int64 bytes.
        durations: (n,) int64 in units of the time base, 0 where the file has none.
        keys: (n,) whether decoding can begin there.
        shows: (n,) whether the packet holds a picture that is to be shown.
        damaged: (n,) whether the container says that the packet is cut short or damaged.
        broken: Why reading the file ended early, or None.
    """

    shown_at: NDArray[np.int64]
    decoded_at: NDArray[np.int64]
    places: NDArray[np.int64]
    sizes: NDArray[np.int64]
    durations: NDArray[np.int64]
    keys: NDArray[np.bool_]
    shows: NDArray[np.bool_]
    damaged: NDArray[np.bool_]
    broken: str | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def timed(self) -> bool:
        """Whether the presentation time stamps order all shown pictures."""
        times = self.shown_at[self.shows]
        return bool((times != NO_TIME).all()) and len(np.unique(times)) == len(times)


def list_packets(opened: Opened) -> Packets:
    """Read through a file that was just opened, decoding nothing; what follows a place that cannot be read is left out."""
    av = load_av()
    rows: list[tuple[int, ...]] = []
    broken: str | None = None
    invisible = opened.stream.codec_context.codec.canonical_name == "vp8"
    try:
        for packet in opened.container.demux(opened.stream):
            if packet.size:
                row = _row(packet, hidden=invisible and not _vp8_shows(packet))
                rows.append(row)
    except av.FFmpegError as error:
        broken = short_reason(error)
    columns = np.array(rows, dtype=np.int64).reshape(-1, 8).T
    return Packets(*columns[:5], *(column.astype(bool) for column in columns[5:]), broken=broken)  # pyright: ignore[reportArgumentType]


def decoded_from(opened: Opened, packets: Packets, first: int) -> Iterator[tuple[int, VideoFrame | None]]:
    """Decode from a key packet on; yields the ordinal and frame as they come, and (ordinal, None) where decoding fails.

    The ordinal of a failure is that of the packet which was given last, which need not be the one that is at fault.
    """
    av = load_av()
    for ordinal, packet in _packets_from(opened, packets, first):
        if packet is not None:
            packet.pts = ordinal
        try:
            frames = opened.stream.codec_context.decode(packet)
        except av.FFmpegError:
            yield ordinal, None
            continue
        for frame in frames:
            yield (ordinal if frame.pts is None else int(frame.pts)), frame


def _packets_from(opened: Opened, packets: Packets, first: int) -> Iterator[tuple[int, Packet[Any] | None]]:
    """The packets from an ordinal on, then (last ordinal, None) to flush the decoder."""
    av = load_av()
    ordinal = 0
    try:
        for ordinal, packet in enumerate(_positioned(opened, packets, first), first):
            yield ordinal, packet
    except av.FFmpegError:
        pass  # the table of packets ends where the file cannot be read, and says why
    yield ordinal, None


def _positioned(opened: Opened, packets: Packets, first: int) -> Iterator[Packet[Any]]:
    """Packets from an ordinal on: by seeking where the file allows it, otherwise by reading from its beginning."""
    for target in _seek_targets(packets, first):
        if not _seek(opened, target):
            continue
        found = False
        for packet in opened.container.demux(opened.stream):
            if not packet.size:
                continue
            found = found or _is(packet, packets, first)
            if found:
                yield packet
            elif _is_later(packet, packets, first):
                break
        if found:
            return
    # From the beginning, counting: also for files that cannot be sought in.
    opened.restart()
    yield from (p for i, p in enumerate(p for p in opened.container.demux(opened.stream) if p.size) if i >= first)


def _seek_targets(packets: Packets, first: int) -> Iterator[int]:
    if first == 0:
        return
    keys = np.flatnonzero(packets.keys[: first + 1])
    for key in (first, *keys[::-1][1:3]):
        for times in (packets.decoded_at, packets.shown_at):
            if times[key] != NO_TIME:
                yield int(times[key])


def _seek(opened: Opened, target: int) -> bool:
    try:
        opened.container.seek(target, stream=opened.stream, backward=True, any_frame=False)
    except load_av().FFmpegError:
        return False
    return True


def _is(packet: Packet[Any], packets: Packets, ordinal: int) -> bool:
    return _row(packet)[:4] == (packets.shown_at[ordinal], packets.decoded_at[ordinal], packets.places[ordinal], packets.sizes[ordinal])


def _is_later(packet: Packet[Any], packets: Packets, ordinal: int) -> bool:
    wanted = packets.decoded_at[ordinal]
    return packet.dts is not None and wanted != NO_TIME and packet.dts > wanted


def _row(packet: Packet[Any], *, hidden: bool = False) -> tuple[int, ...]:
    return (
        NO_TIME if packet.pts is None else packet.pts,
        NO_TIME if packet.dts is None else packet.dts,
        -1 if packet.pos is None else packet.pos,
        packet.size,
        packet.duration or 0,
        packet.is_keyframe,
        not (packet.is_discard or hidden),
        packet.is_corrupt,
    )


def _vp8_shows(packet: Packet[Any]) -> bool:
    """VP8 sends pictures that are only referred to; the fifth bit of the first byte tells them apart (RFC 6386, 9.1)."""
    return bool(bytes(memoryview(packet)[:1])[0] & _VP8_SHOWN)
