"""Where a video is cut: spans of frames that add up to the whole."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.errors import ConfigError
from burnish.media.video.copying import Span
from burnish.video.numbers import parse_numbers
from burnish.video.shots import find_shots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from burnish.engine.progress import Progress
    from burnish.media.video import Video
    from burnish.video.settings import CutConfig
_TABLE_BYTES: Final = 4  # a frame, in the tables of the container
_HEADER_BYTES: Final = 4096


def plan_parts(video: Video, config: CutConfig, progress: Progress) -> list[Span]:
    """The spans that the settings mean; without `exact` each begins at a key frame before which packets can be cut.

    Raises:
        ConfigError: A frame is named that the video does not have.
    """
    wanted = _wanted(video, config, progress)
    if config.exact:
        return spans(wanted, len(video))
    starts = video.index.clean_starts()
    return spans(_by_size(video, config.size, starts) if config.size else moved_back(wanted, starts), len(video))


def spans(cuts: Iterable[int], frames: int) -> list[Span]:
    """The spans between cuts; a cut is the first frame of a new part."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < frames}), frames]
    return [Span(start, stop) for start, stop in itertools.pairwise(edges)]


def moved_back(cuts: Iterable[int], starts: NDArray[np.int64]) -> list[int]:
    """Each cut at the last possible start at or before it."""
    places = np.searchsorted(starts, list(cuts), side="right") - 1
    return [int(starts[place]) for place in places if place >= 0]


def _wanted(video: Video, config: CutConfig, progress: Progress) -> list[int]:
    if config.scenes:
        return find_shots(video, progress=progress)
    if config.seconds is not None:
        seconds = video.index.seconds
        ticks = np.arange(config.seconds, video.info.seconds, config.seconds)
        slack = video.info.seconds / len(video) / 4
        return np.searchsorted(seconds, ticks - slack).tolist()
    numbers = parse_numbers(config.at)
    if numbers and numbers[-1] >= len(video):
        raise ConfigError(f"{video.info.path} has {len(video)} frames, numbered from 0; it cannot be cut at frame {numbers[-1]}.")
    return numbers


def part_bytes(video: Video, parts: Iterable[Span]) -> list[int]:
    """About how large the files of copied parts become."""
    until = _bytes_until(video)
    return [int(until[span.stop] - until[span.start]) + _HEADER_BYTES for span in parts]


def _by_size(video: Video, size: float, starts: NDArray[np.int64]) -> list[int]:
    """Cuts so that each part stays below a size where key frames allow it."""
    until, limit = _bytes_until(video), size - _HEADER_BYTES
    cuts: list[int] = []
    begin = 0
    for start, after in zip(starts.tolist(), [*starts.tolist()[1:], len(video)], strict=True):
        if start > begin and until[after] - until[begin] > limit:
            cuts.append(start)
            begin = start
    return cuts


def _bytes_until(video: Video) -> NDArray[np.float64]:
    """(frames + 1,) bytes before each frame, with the sound of their time and what the container adds.

    What is not of this stream is spread over the frames as the stream's own bytes are.
    """
    packets, numbers = video.index.packets, video.index.numbers
    sizes = np.zeros(len(video))
    sizes[numbers[numbers >= 0]] = packets.sizes[numbers >= 0]
    more = max(video.info.path.stat().st_size / max(float(sizes.sum()), 1.0), 1.0)
    return np.concatenate([[0.0], np.cumsum(sizes * more + _TABLE_BYTES)])
