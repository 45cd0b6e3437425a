"""Which packet holds which frame: numbers, times and anchors of a video's frames.

The number of a frame is its place among the pictures that the stream shows, in the order in which they are shown, from 0. A picture that is
damaged keeps its number, so that no frame behind it is shifted. Pictures before the first and behind the last one that can be decoded are
not counted.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.media.video.opening import UnreadableVideo
from burnish.media.video.packets import NO_TIME, Packets, decoded_from

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.media.video.opening import Opened

_WIDE: Final = 1.5  # times the usual distance of two frames
_TRIED: Final = 12  # frames decoded at the beginning to see whether the table of packets tells the truth


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """Where each frame of a video is.

    Attributes:
        packets: All packets of the stream.
        ordinals: (frames,) the packet of each frame.
        numbers: (packets,) the frame of each packet, -1 where it shows none.
        key_numbers: (keys,) the frames at which decoding can begin, rising.
        key_ordinals: (keys,) their packets.
        seconds: (frames,) time of each frame, the first at 0.
        cut_short: Whether the end of the file is missing or cannot be decoded.
    """

    packets: Packets
    ordinals: NDArray[np.int64]
    numbers: NDArray[np.int64]
    key_numbers: NDArray[np.int64]
    key_ordinals: NDArray[np.int64]
    seconds: NDArray[np.float64]
    cut_short: bool = False

    def __len__(self) -> int:
        return len(self.ordinals)

    def anchor(self, number: int, back: int = 0) -> int:
        """The packet at which decoding must begin to get a frame.

        Args:
            number: The frame.
            back: How many key packets earlier to begin, for streams whose key packets need what lies before them.
        """
        place = int(np.searchsorted(self.key_numbers, number, side="right")) - 1
        while place >= 0 and self.key_ordinals[place] > self.ordinals[number]:
            place -= 1
        return int(self.key_ordinals[place - back]) if place >= back else 0

    def clean_starts(self) -> NDArray[np.int64]:
        """Numbers of the key frames before which the stream can be cut: nothing behind them in the file is shown before them."""
        shown = np.where(self.numbers < 0, len(self), self.numbers)
        earliest_after = np.minimum.accumulate(shown[::-1])[::-1]
        clean = self.packets.keys & (self.numbers >= 0) & (earliest_after == self.numbers)
        return np.sort(self.numbers[clean])


def build_index(opened: Opened, packets: Packets) -> FrameIndex:
    """Number the frames of a video.

    The packets' time stamps order the frames. A few frames at the beginning, and where the file seems to be cut short also those at the
    end, are decoded to check that; where time stamps are missing, double or contradicted, the whole video is decoded once.

    Raises:
        UnreadableVideo: No frame can be decoded.
    """
    index = _by_time(packets) if packets.timed else None
    if index is not None:
        index = _checked_beginning(opened, index)
    if index is None:
        index = _by_decoding(opened, packets)
    if not len(index):
        raise UnreadableVideo(opened.path, f"none of its {len(packets)} pictures can be decoded")
    if _seems_cut(opened, packets):
        index = _without_gap(_checked_end(opened, index), stored_times=opened.container.format.name != "avi")
    elif not opened.stream.frames and packets.timed and _is_steady(packets):
        index = _without_gap(index)
    return replace(index, seconds=_seconds(opened, index))


def _by_time(packets: Packets) -> FrameIndex:
    shown = np.flatnonzero(packets.shows)
    return _numbered(packets, shown[np.argsort(packets.shown_at[shown], kind="stable")])


def _by_decoding(opened: Opened, packets: Packets) -> FrameIndex:
    seen: dict[int, None] = {}
    for ordinal, frame in decoded_from(opened, packets, 0):
        if frame is not None:
            seen.setdefault(ordinal)
    return _numbered(packets, np.array(list(seen), dtype=np.int64))


def _numbered(packets: Packets, ordinals: NDArray[np.int64]) -> FrameIndex:
    numbers = np.full(len(packets), -1, dtype=np.int64)
    numbers[ordinals] = np.arange(len(ordinals))
    keys = ordinals[packets.keys[ordinals]]
    return FrameIndex(packets, ordinals, numbers, numbers[keys], keys, np.zeros(len(ordinals)))


def _checked_beginning(opened: Opened, index: FrameIndex) -> FrameIndex | None:
    """The index from the first frame that can be decoded; None where what is decoded contradicts it."""
    numbers: list[int] = []
    failed = False
    for ordinal, frame in decoded_from(opened, index.packets, 0):
        failed = failed or frame is None or frame.is_corrupt
        if frame is not None:
            numbers.append(int(index.numbers[ordinal]))
        if len(numbers) >= _TRIED:
            break
    if not numbers:
        return _numbered(index.packets, np.empty(0, dtype=np.int64))
    follow = all(after == before + 1 for before, after in itertools.pairwise(numbers))
    if not follow and not failed:
        return None
    return _numbered(index.packets, index.ordinals[max(min(numbers), 0) :])


def _checked_end(opened: Opened, index: FrameIndex) -> FrameIndex:
    """The index up to the last frame that can be decoded whole."""
    back = 0
    while True:
        start = index.anchor(len(index) - 1, back)
        whole = [int(index.numbers[o]) for o, f in decoded_from(opened, index.packets, start) if f is not None and not f.is_corrupt]
        whole = [number for number in whole if number >= 0 and not index.packets.damaged[index.ordinals[number]]]
        if whole or start == 0:
            break
        back += 1
    kept = max(whole, default=-1) + 1
    return replace(_numbered(index.packets, index.ordinals[:kept]), cut_short=True)


def _without_gap(index: FrameIndex, *, stored_times: bool = True) -> FrameIndex:
    """The index without the frames at its end before which others may be lost.

    Pictures that others refer to stand in the file before those that are shown earlier. Where a file ends among them, the later one
    is there and the earlier ones are not, and its number would be too small. AVI stores no times, so those of its packets prove nothing.
    """
    kept = _sure_by_time(index) if index.packets.timed and stored_times else _sure_by_order(index)
    return index if kept == len(index) else replace(_numbered(index.packets, index.ordinals[:kept]), cut_short=True)


def _sure_by_time(index: FrameIndex) -> int:
    """Whatever is lost would have been decoded, and so shown, behind the last packet's decoding time; later frames must follow closely."""
    times, last = index.packets.shown_at[index.ordinals], index.packets.decoded_at[-1]
    if last == NO_TIME or len(times) < 3:  # noqa: PLR2004 - there is no usual gap
        return len(index)
    usual = float(np.median(np.diff(times)))
    for number in range(max(1, int(np.searchsorted(times, last, side="right"))), len(times)):
        if times[number] - times[number - 1] > _WIDE * usual:
            return number
    return len(index)


def _sure_by_order(index: FrameIndex) -> int:
    """Without times: a frame at the end is sure if it is shown as many places behind its packet as the coding ever delays."""
    delays = np.arange(len(index)) - index.ordinals
    depth = int(delays.max(initial=0))
    kept = len(index)
    while kept and delays[kept - 1] != depth and index.ordinals[kept - 1] >= len(index.packets) - 2 * depth - 1:
        kept -= 1
    return kept


def _is_steady(packets: Packets) -> bool:
    """Whether frames follow one another at one distance, those apart that are near the end."""
    times = np.sort(packets.shown_at[packets.shows])
    gaps = np.diff(times[times <= packets.decoded_at[-1]])
    return bool(len(gaps) and gaps.max() <= _WIDE * np.median(gaps))


def _seems_cut(opened: Opened, packets: Packets) -> bool:
    """Whether the container announces more than it holds."""
    announced = opened.stream.frames
    if packets.broken or packets.damaged[-1:].any() or announced > len(packets):
        return True
    length, base = opened.container.duration, opened.stream.time_base
    times = packets.shown_at[packets.shows]
    if announced or not length or base is None or len(times) < 2 or (times == NO_TIME).any() or _has_others(opened):  # noqa: PLR2004 - a gap
        return False
    step = (times.max() - times.min()) / (len(times) - 1)
    return length / 1e6 > float((times.max() - times.min() + 3 * step) * base)


def _has_others(opened: Opened) -> bool:
    """Sound may go on when the pictures have ended."""
    return len(opened.container.streams) > 1


def _seconds(opened: Opened, index: FrameIndex) -> NDArray[np.float64]:
    times, base = index.packets.shown_at[index.ordinals], opened.stream.time_base
    rate = opened.stream.average_rate or opened.stream.guessed_rate or opened.stream.base_rate or 25
    if base is None or (times == NO_TIME).any() or (np.diff(times) <= 0).any():
        return np.arange(len(times)) / float(rate)
    return (times - times[0]) * float(base)
