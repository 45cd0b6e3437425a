"""A video with its annotations drawn on it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from burnish.data.labels import Labels, labels_from_rows
from burnish.data.shown import shown
from burnish.engine.progress import Progress, silent, tracked
from burnish.errors import DataError
from burnish.media.drawing import ClassLook, DrawStyle, class_looks, draw_labels
from burnish.media.images import read_image
from burnish.media.video import Frame, open_video
from burnish.media.video.writing import DEFAULT_ENCODING, Encoding, write_gif, write_timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from burnish.data.dataset import Dataset


def preview_video(
    dataset: Dataset,
    target: Path | str,
    *,
    media: int | None = None,
    every_frame: bool = True,
    fps: float | None = None,
    style: DrawStyle | None = None,
    finish: Callable[[Iterable[Frame]], Iterator[Frame]] | None = None,
    seconds: float | None = None,
    encoding: Encoding = DEFAULT_ENCODING,
    progress: Progress = silent,
) -> int:
    """Write a video with the annotations drawn on its frames, each class in its own colour, with the numbers of tracks.

    What is drawn is what the annotation tool shows (`burnish.data.shown`): tracks on every frame, nothing on deleted ones.

    Args:
        dataset: Its images are frames of a video, or pictures of one size, which are shown in the order of the table.
        target: The file to write; `.gif` makes an animated picture.
        media: The video, where the dataset has several.
        every_frame: Also show frames without a row in the dataset; otherwise only those that have one.
        fps: Frames in a second; that of the video, or 3 for pictures and where only some frames are shown.
        style: How annotations are drawn.
        finish: A filter over the drawn frames, for instance a timer.
        seconds: How much of the result to write, from its beginning; all of it when not given.
        encoding: How the result is encoded.
        progress: Where to report.

    Returns:
        The number of frames written.

    Raises:
        DataError: The dataset has no frames of such a video.
        UnreadableVideo: The video cannot be read.
    """
    looks, drawn = class_looks(dataset), style or DrawStyle(least_side=1)
    rate, frames = _drawn_frames(shown(dataset), media, looks=looks, style=drawn, every_frame=every_frame, progress=progress)
    finished = frames if finish is None else finish(frames)
    shown_fps = fps or rate
    kept = finished if seconds is None else islice(finished, max(1, round(seconds * shown_fps)))
    timed = ((number / shown_fps, frame.pixels) for number, frame in enumerate(kept))
    if Path(target).suffix.lower() == ".gif":
        return write_gif(target, (pixels for _, pixels in timed), fps=shown_fps)  # pyright: ignore[reportArgumentType]
    return write_timed(target, timed, fps=shown_fps, encoding=encoding)  # pyright: ignore[reportArgumentType]


_Looks: TypeAlias = "Mapping[int, ClassLook]"
_FEW = 3.0  # frames a second, slow enough to look at each


def _drawn_frames(
    dataset: Dataset, media: int | None, *, looks: _Looks, style: DrawStyle, every_frame: bool, progress: Progress
) -> tuple[float, Iterator[Frame]]:
    rows = dataset.image_files().join(dataset.images.select(pl.col("id").alias("image"), "media"), on="image", maintain_order="left")
    videos = rows.filter(pl.col("kind") == "video")
    if videos.is_empty() and media is None:
        return _FEW, _pictures(dataset, rows, looks, style, progress)
    chosen = videos if media is None else videos.filter(pl.col("media") == media)
    if chosen["media"].n_unique() != 1:
        held = ", ".join(map(str, videos["media"].unique().sort()))
        raise DataError(f"The dataset has frames of these videos: {held or 'none'}; name one of them by media.", table="images")
    path = dataset.root / chosen["path"][0]
    with open_video(path) as video:
        rate = video.info.fps if every_frame else _FEW
    return rate, _video_frames(dataset, path, chosen, looks, style, every_frame=every_frame, progress=progress)


def _video_frames(
    dataset: Dataset,
    path: Path,
    rows: pl.DataFrame,
    looks: Mapping[int, ClassLook],
    style: DrawStyle,
    *,
    every_frame: bool,
    progress: Progress,
) -> Iterator[Frame]:
    labels: dict[int, list[Labels]] = {}
    for number, found in zip(rows["true_frame"], _labels(dataset, rows["image"].to_list()), strict=True):
        labels.setdefault(number, []).append(found)  # several tasks may show the same video
    with open_video(path) as video:
        wanted = range(len(video)) if every_frame else sorted(labels)
        for frame in tracked(video.frames(wanted), progress, f"Drawing {path.name}", len(wanted)):
            pixels = frame.pixels
            for found in labels.get(frame.number, ()):
                pixels = draw_labels(pixels, found, looks, style=style)  # pyright: ignore[reportArgumentType]
            yield Frame(frame.number, frame.seconds, pixels, frame.damaged)


def _pictures(dataset: Dataset, rows: pl.DataFrame, looks: _Looks, style: DrawStyle, progress: Progress) -> Iterator[Frame]:
    if rows.is_empty():
        raise DataError("The dataset has no pictures; there is nothing to show.", table="images")
    pairs = zip(rows["path"], _labels(dataset, rows["image"].to_list()), strict=True)
    for number, (path, labels) in enumerate(tracked(pairs, progress, "Drawing", rows.height)):
        pixels = draw_labels(read_image(dataset.root / path), labels, looks, style=style)  # pyright: ignore[reportArgumentType]
        yield Frame(number, number / _FEW, pixels)


def _labels(dataset: Dataset, images: list[int]) -> Iterator[Labels]:
    """What is seen of each picture's annotations: tracked objects that have left the picture are not."""
    seen = dataset.annotations.filter(pl.col("image").is_in(images) & ~pl.col("outside"))
    parts = seen.partition_by("image", as_dict=True, maintain_order=True)
    sizes = {i: (w, h) for i, w, h in dataset.images.select("id", "width", "height").iter_rows()}
    return (labels_from_rows(image, sizes[image], parts.get((image,), seen.clear())) for image in images)
