"""Opening a video file, or saying in plain words why that is impossible."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import ConfigError, DataError, extra
from burnish.media.unreadable import foreign_content

if TYPE_CHECKING:
    from collections.abc import Generator

    from av.container import InputContainer
    from av.video.stream import VideoStream

SUFFIXES: Final = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".mpg",
    ".mpeg",
    ".ts",
    ".mts",
    ".m2ts",
    ".wmv",
    ".flv",
    ".3gp",
    ".ogv",
    ".gif",
)
"""Endings by which videos are found in folders; a file that is named itself may have any."""

_LONGEST_REASON: Final = 160


class UnreadableVideo(DataError):  # noqa: N818 - named for what was met, as a finding's reason reads
    """A video, or a frame of it, that cannot be read; `path` and `reason` say which and why."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}.")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from both parts, so that it can come back from a worker process."""
        return type(self), (self.path, self.reason)


@dataclass(slots=True, eq=False)
class Opened:
    """An open file and the one of its video streams that is read; `number` counts the video streams, covers left out."""

    path: Path
    number: int
    threads: int
    container: InputContainer
    stream: VideoStream

    def restart(self, threads: int | None = None) -> None:
        """Open the file anew, to read it from its beginning, perhaps with another number of threads."""
        self.container.close()
        fresh = open_video_file(self.path, stream=self.number, threads=self.threads if threads is None else threads)
        self.threads, self.container, self.stream = fresh.threads, fresh.container, fresh.stream


def load_av() -> Any:
    """PyAV, imported late.

    Raises:
        MissingExtra: It is not installed.
    """
    with extra("video"):
        import av  # noqa: PLC0415
    return av


@contextmanager
def opened(path: Path | str, *, stream: int = 0, threads: int = 0) -> Generator[Opened]:
    """Open a video for reading and close it again.

    Args:
        path: The file.
        stream: Which of its video streams, from 0; pictures of a cover do not count.
        threads: Threads that decode; 0 takes one for each core.

    Raises:
        UnreadableVideo: The file is missing, is no video, or holds no video stream.
        ConfigError: It has fewer video streams.
    """
    found = open_video_file(path, stream=stream, threads=threads)
    try:
        yield found
    finally:
        found.container.close()


def open_video_file(path: Path | str, *, stream: int = 0, threads: int = 0) -> Opened:
    """Open a video for reading; the caller closes the container. Arguments and errors as for `opened`."""
    av, place = load_av(), Path(path)
    if place.is_dir() or not place.exists():
        raise UnreadableVideo(path, "it is a folder; name a video file" if place.is_dir() else "there is no such file")
    try:
        container = av.open(str(place), "r", metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnreadableVideo(path, _why_not_opened(place, error)) from error
    try:
        chosen = _chosen(container, place, stream)
    except BaseException:
        container.close()
        raise
    chosen.codec_context.thread_count = threads
    chosen.thread_type = "NONE" if threads == 1 else "AUTO"
    return Opened(place, stream, threads, container, chosen)


def short_reason(error: BaseException) -> str:
    """What FFmpeg said, without its number and the path."""
    text = getattr(error, "strerror", None) or str(error)
    return (text[:1].lower() + text[1:_LONGEST_REASON]).rstrip(".")


def _chosen(container: InputContainer, path: Path, number: int) -> VideoStream:
    streams = [s for s in container.streams.video if not _is_cover(s)]
    if not streams:
        held = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise UnreadableVideo(path, f"it has no video stream (found: {held})")
    if not 0 <= number < len(streams):
        raise ConfigError(f"{path} has {len(streams)} video streams, numbered from 0; number {number} was asked for.")
    if streams[number].codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] - so it is for codecs without a decoder
        raise UnreadableVideo(path, "its video stream is of a kind that this build of FFmpeg cannot decode")
    return streams[number]


def _is_cover(stream: VideoStream) -> bool:
    """Music files carry their cover as a video stream of one picture."""
    return bool(stream.disposition & type(stream.disposition).attached_pic)


def _why_not_opened(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "this user has no right to read it"
    head = _head(path)
    told = foreign_content(head, "a video")
    if told is not None:
        return told
    if head[4:8] == b"ftyp":
        return "it is an MP4 file without its index (moov), as recordings and downloads that were cut short are; copy or record it again"
    return f"it is no video that can be read ({short_reason(error)})"


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(512)
