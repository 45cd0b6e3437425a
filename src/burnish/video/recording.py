"""Frames that went through filters, written as a video, an animation or pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from burnish.data.findings import finding
from burnish.engine.files import write_bytes
from burnish.engine.names import natural_key
from burnish.engine.progress import Progress, silent, tracked
from burnish.errors import DataError
from burnish.media.images import UnreadableImage, encode_jpeg, encode_png, read_image
from burnish.media.video import Frame, open_video
from burnish.media.video.writing import Encoding, write_gif, write_timed
from burnish.video.settings import FiltersConfig

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from burnish.video.pipeline import Filter

_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})


def filter_video(
    source: Path | str,
    target: Path | str,
    applied: Filter,
    *,
    config: FiltersConfig | None = None,
    threads: int = 0,
    progress: Progress = silent,
) -> int:
    """Put the frames of a video through a filter and write what comes out.

    Args:
        source: The video.
        target: The file to write; `.gif` makes an animated picture.
        applied: The filter, or a pipeline of them.
        config: Coding, rate and step; its `steps` play no part here.
        threads: Threads that decode and encode; 0 takes one for each core.
        progress: Where to report.

    Returns:
        The number of frames written.

    Raises:
        UnreadableVideo: The source cannot be read.
        DataError: No frame came out, or frames of different sizes.
    """
    chosen = config or FiltersConfig()
    with open_video(source, threads=threads) as video:
        numbers = range(0, len(video), chosen.step)
        read = tracked(video.frames(numbers), progress, f"Filtering {Path(source).name}", len(numbers))
        fps = chosen.fps or video.info.fps / chosen.step
        frames = ((frame.seconds, _eight_bits(frame)) for frame in applied(read))
        if Path(target).suffix.lower() == ".gif":
            return write_gif(target, (pixels for _, pixels in frames), fps=fps)
        timed = ((number / fps, pixels) for number, (_, pixels) in enumerate(frames)) if chosen.fps else frames
        return write_timed(target, timed, fps=fps, encoding=Encoding(chosen.codec, chosen.quality, threads))


def filter_pictures(
    source: Path | str, target: Path | str, applied: Filter, *, step: int = 1, force: bool = False, progress: Progress = silent
) -> list[dict[str, Any]]:
    """Put every picture below a folder through a filter, each as a stream of its own, into a folder that mirrors it.

    Results that are there already are kept unless `force`; each appears when it is complete. The picture's ending chooses the format;
    what is neither JPEG nor PNG becomes PNG.

    Returns:
        Findings rows of the pictures that cannot be read.

    Raises:
        DataError: There is no picture below the folder.
    """
    folder = Path(source)
    found = sorted(
        (p for p in folder.rglob("*") if p.suffix.lower() in _PICTURES), key=lambda p: natural_key(p.relative_to(folder).as_posix())
    )
    if not found:
        raise DataError(f"There is no picture below {folder}.")
    notes: list[dict[str, Any]] = []
    for path in tracked(found[::step], progress, f"Filtering {folder.name}", len(found[::step])):
        place = Path(target) / path.relative_to(folder)
        place = place if place.suffix.lower() in {".jpg", ".jpeg", ".png"} else place.with_suffix(".png")
        if place.exists() and not force:
            continue
        try:
            pixels = read_image(path)
        except UnreadableImage as error:
            notes.append(finding("unreadable_picture", str(error), path=path.relative_to(folder).as_posix()))
            continue
        for frame in applied([Frame(0, 0.0, pixels)]):
            write_bytes(place, encode_png(frame.pixels) if place.suffix.lower() == ".png" else encode_jpeg(_eight_bits(frame)))
    return notes


def recompress(source: Path | str, target: Path | str, *, quality: int = 61, threads: int = 0, progress: Progress = silent) -> int:
    """Encode a video again with H.264, as it is otherwise: every frame at its own time, sound copied; 61 is x264's crf 20.

    Returns:
        The number of frames written.

    Raises:
        UnreadableVideo: The source cannot be read.
    """
    from burnish.media.video.copying import Span, encode_span  # noqa: PLC0415 - only here

    with open_video(source, threads=threads) as video, progress.task(f"Encoding {Path(source).name}", len(video)) as advance:
        return encode_span(video, Span(0, len(video)), Path(target), Encoding("h264", quality, threads), advance)


def pictures_to_video(folder: Path | str, target: Path | str, *, fps: float = 25.0, encoding: Encoding | None = None) -> int:
    """Write the pictures of a folder, in natural order of their names, as a video or GIF.

    Returns:
        The number of frames.

    Raises:
        DataError: There is no picture, or they differ in size.
        UnreadableImage: A picture cannot be read.
    """
    paths = sorted((p for p in Path(folder).iterdir() if p.suffix.lower() in _PICTURES), key=lambda p: natural_key(p.name))
    pixels = (read_image(path) for path in paths)
    if Path(target).suffix.lower() == ".gif":
        return write_gif(target, pixels, fps=fps)
    return write_timed(target, ((n / fps, one) for n, one in enumerate(pixels)), fps=fps, encoding=encoding or Encoding())


def _eight_bits(frame: Frame) -> NDArray[np.uint8]:
    pixels = frame.pixels
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        found = f"{pixels.dtype} of shape {pixels.shape}"
        raise DataError(
            f"Frame {frame.number} came out of the filters as {found}; a video takes uint8 of (height, width, 3) or (height, width)."
        )
    return pixels  # pyright: ignore[reportReturnType]
