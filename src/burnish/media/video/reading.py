"""Frames of a video by number, exactly: in any order, the same pixels as when the video is decoded from end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from burnish.errors import DataError
from burnish.media.video.index import FrameIndex, build_index
from burnish.media.video.info import VideoInfo, describe
from burnish.media.video.opening import Opened, UnreadableVideo, open_video_file
from burnish.media.video.packets import decoded_from, list_packets
from burnish.media.video.pixels import UPRIGHT, Orientation, orientation_of, to_rgb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

_STEPS_BACK: Final = 3  # key packets to go back when a frame does not come from the nearest one


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video.

    Attributes:
        number: Its number, from 0.
        seconds: Its time, the first frame at 0.
        pixels: (height, width, 3) RGB, uint8, upright; filters may put other arrays here.
        damaged: Whether the decoder had to guess parts of it.
    """

    number: int
    seconds: float
    pixels: NDArray[np.generic]
    damaged: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One picture as the decoder gives it, before it is turned upright and made RGB."""

    number: int
    seconds: float
    picture: VideoFrame
    orientation: Orientation
    damaged: bool


class Video:
    """A video whose frames are read by number; made by `open_video`, to be closed, or used in a `with` block.

    Attributes:
        info: What kind of video it is.
        index: Where each frame is.
        unreadable: Numbers of the frames that were found to be unreadable so far.
    """

    def __init__(self, opened: Opened, info: VideoInfo, index: FrameIndex) -> None:
        self.info = info
        self.index = index
        self.unreadable: set[int] = set()
        self._opened = opened
        self._careful = False
        self._hopeless: set[int] = set()  # key packets before which there is nothing that would help
        self._run: Iterator[Decoded] = iter(())
        self._began = -1  # the packet with which the run began
        self._next = -1  # the number from which the run goes on; -1 where it has ended
        self._ahead: Decoded | None = None  # what the run gave and nobody has asked for yet
        self._last: Decoded | None = None

    def __len__(self) -> int:
        return len(self.index)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    @property
    def stream(self) -> int:
        """Which video stream of the file is read, from 0."""
        return self._opened.number

    @property
    def time_base(self) -> float:
        """Seconds of one unit of the stream's time stamps."""
        return float(self._opened.stream.time_base or 1)

    def close(self) -> None:
        """Let go of the file."""
        self._run = iter(())
        self._opened.container.close()

    def read(self, number: int) -> NDArray[np.uint8]:
        """The pixels of one frame, (height, width, 3) RGB, upright.

        Raises:
            DataError: There is no frame of that number.
            UnreadableVideo: The frame is damaged so that nothing of it can be decoded.
        """
        decoded = self._decoded(number)
        if decoded is None:
            raise UnreadableVideo(self.info.path, f"frame {number} cannot be decoded, the file is damaged there")
        return to_rgb(decoded.picture, decoded.orientation)

    def frames(self, numbers: Iterable[int] | None = None) -> Iterator[Frame]:
        """Frames one after another, all of them unless some are named; unreadable ones are left out and noted in `unreadable`.

        Raises:
            DataError: There is no frame of a number.
        """
        for one in self.decoded(numbers):
            yield Frame(one.number, one.seconds, to_rgb(one.picture, one.orientation), one.damaged)

    def decoded(self, numbers: Iterable[int] | None = None) -> Iterator[Decoded]:
        """The same as `frames`, as the decoder gives them: for those who encode again and need no RGB."""
        for number in range(len(self)) if numbers is None else numbers:
            one = self._decoded(number)
            if one is not None:
                yield one

    def _decoded(self, number: int) -> Decoded | None:
        if not 0 <= number < len(self):
            raise DataError(f"{self.info.path} has {len(self)} frames, numbered from 0; number {number} was asked for.")
        if self._last is None or self._last.number != number:
            self._last = None if number in self.unreadable else self._found(number)
        return self._last

    def _found(self, number: int) -> Decoded | None:
        anchor = self.index.anchor(number)
        if not self._careful:
            found = self._advance(number) if self._goes_on_to(number, anchor) else self._from(anchor, number)
            if found is not None:
                return found
            self._become_careful()
        found = self._advance(number) if self._began == anchor and 0 <= self._next <= number else self._from(anchor, number)
        if (found is None or found.damaged) and anchor not in self._hopeless:
            found = self._from_further_back(number, anchor) or found
        if found is None:
            self.unreadable.add(number)
        return found

    def _goes_on_to(self, number: int, anchor: int) -> bool:
        """Whether decoding on is quicker than seeking: the frame lies ahead, and no key frame between."""
        return 0 <= self._next <= number and (self._next == number or int(self.index.numbers[anchor]) <= self._next)

    def _from_further_back(self, number: int, anchor: int) -> Decoded | None:
        """A whole frame by decoding from earlier key packets, as streams with gradual refresh need it; None where that does not help."""
        for back in range(1, _STEPS_BACK + 1):
            found = self._from(self.index.anchor(number, back), number)
            if found is not None and not found.damaged:
                return found
        self._hopeless.add(anchor)
        return None

    def _from(self, anchor: int, number: int) -> Decoded | None:
        self._run, self._began, self._ahead = self._numbered(anchor), anchor, None
        self._next = max(int(self.index.numbers[anchor]), 0)
        return self._advance(number)

    def _advance(self, number: int) -> Decoded | None:
        while (one := self._ahead or next(self._run, None)) is not None:
            if one.number > number:
                self._ahead = one
                return None
            self._ahead, self._next = None, one.number + 1
            if one.number == number:
                return one
        self._next = -1
        return None

    def _numbered(self, anchor: int) -> Iterator[Decoded]:
        """Decode from a packet on, until damage is met for the first time; from then on whatever the decoder still gives.

        Frames whose number does not rise are the decoder's guesses in a damaged place, and are passed over.
        """
        last, orientation = -1, UPRIGHT
        for ordinal, picture in decoded_from(self._opened, self.index.packets, anchor):
            number = -1 if picture is None or ordinal >= len(self.index.numbers) else int(self.index.numbers[ordinal])
            if not self._careful and (picture is None or picture.is_corrupt):
                return
            if picture is None or number <= last:
                continue
            # The matrix belongs to the stream; asking every frame for it costs more than all else that is done here.
            orientation = orientation_of(picture) if last < 0 else orientation
            last = number
            yield Decoded(number, float(self.index.seconds[number]), picture, orientation, picture.is_corrupt)

    def _become_careful(self) -> None:
        """Damage was met: each key frame begins anew, by one thread, for several give up frames that one still gives."""
        self._careful, self._next, self._began, self._ahead = True, -1, -1, None
        self._run = iter(())
        self._opened.restart(threads=1)


def open_video(path: Path | str, *, stream: int = 0, threads: int = 0) -> Video:
    """Open a video for reading frames by number.

    The file is read through once, without decoding, to number its frames; headers are not believed.

    Args:
        path: The file.
        stream: Which of its video streams, from 0.
        threads: Threads that decode; 0 takes one for each core.

    Raises:
        UnreadableVideo: The file is missing, is no video, or nothing of it can be decoded.
        MissingExtra: PyAV is not installed.
    """
    opened = open_video_file(path, stream=stream, threads=threads)
    try:
        index = build_index(opened, list_packets(opened))
        return Video(opened, describe(opened, index), index)
    except BaseException:
        opened.container.close()
        raise


def reopen(video: Video, *, threads: int = 0) -> Video:
    """Another reader of the same file, which knows the numbers already; arguments and errors as for `open_video`."""
    return Video(open_video_file(video.info.path, stream=video.stream, threads=threads), video.info, video.index)


def probe_video(path: Path | str, *, stream: int = 0) -> VideoInfo:
    """What kind of video a file is, with its real number of frames; arguments and errors as for `open_video`."""
    with open_video(path, stream=stream) as video:
        return video.info


def unreadable_frames(video: Video) -> list[int]:
    """Decode a video from end to end; the numbers of the frames that cannot be decoded or are damaged."""
    damaged = [one.number for one in video.decoded() if one.damaged]
    return sorted({*damaged, *video.unreadable})
