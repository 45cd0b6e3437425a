"""The frames of a task as a file tells them: numbers in the source, pictures or a video, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import DataError, FormatError
from burnish.formats.cvat.shapes import Size
from burnish.formats.cvat.xml.layout import PICTURES
from burnish.formats.reading import is_picture, list_pictures
from burnish.media.images import UnreadableImage, probe_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.etree.ElementTree import Element

    from burnish.formats.cvat.xml.meta import TaskMeta

MOST_FRAMES: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        number: In the source.
        path: Of its picture, relative to the file's folder; empty where the video or nobody holds it.
        size: Width and height, where somebody tells them.
        told: Whether the file names it; one that it leaves out was deleted.
    """

    number: int
    path: str = ""
    size: Size | None = None
    told: bool = True


@dataclass(frozen=True, slots=True)
class Frames:
    """All frames of a task: frame n of the task is the one at `rows[n]`.

    Attributes:
        start: Number in the source of frame 0.
        step: Numbers from one frame to the next.
        offset: What is added to the numbers of its pictures.
        rows: Frames by their number in the task.
        is_video: Whether they were taken from a video.
    """

    start: int
    step: int
    offset: int
    rows: dict[int, Frame]
    is_video: bool

    def frame_of(self, number: int) -> int | None:
        """Number in the task of a number in the source, where there is one."""
        steps, rest = divmod(number - self.start, self.step)
        return steps if rest == 0 else None


def frames_of(meta: TaskMeta, images: Sequence[Element], tracks: Sequence[Element], folder: Path, path: Path, *, offset: int = 0) -> Frames:
    """Work out the frames of a task.

    Args:
        meta: What the file says of it.
        images: Its <image> elements; none in a file for video.
        tracks: Its <track> elements.
        folder: Where its pictures may lie.
        path: Of the file, for messages.
        offset: What is added to the numbers of its pictures, in a project's file.

    Raises:
        FormatError: A number is none, or there would be more frames than a task can have.
    """
    ids = [_number(image, "id", path) - offset for image in images]
    seen = [_number(view, "frame", path) for track in tracks for view in track if view.get("frame") is not None]
    start, step = _grid(meta, ids or seen)
    is_video = (
        bool(meta.source) or (meta.size is not None) or (meta.mode == "interpolation" and not images) or (not meta.mode and not images)
    )
    last = max([*ids, *seen, start - 1]) if meta.stop is None else meta.stop
    if (last - start) // step >= MOST_FRAMES:
        raise FormatError(f"frames go up to {last:,}; a task has {MOST_FRAMES:,} at most.", path=path)
    if images:
        rows = _named(images, ids, (start, step), folder, is_video=is_video)
        if is_video:
            left_out = set(range(len(range(start, last + 1, step)))) - rows.keys()
            rows |= {frame: Frame(start + frame * step, size=meta.size, told=False) for frame in left_out}
    else:
        rows = _unnamed(range(start, last + 1, step), meta, folder, is_video=is_video)
    return Frames(start, step, offset, dict(sorted(rows.items())), is_video)


def _grid(meta: TaskMeta, numbers: Sequence[int]) -> tuple[int, int]:
    """Start and step as told; a file whose numbers do not fit is counted from its own first one."""
    if all(number >= meta.start and (number - meta.start) % meta.step == 0 for number in numbers):
        return meta.start, meta.step
    first = min(numbers)
    return (first, meta.step) if all((number - first) % meta.step == 0 for number in numbers) else (0, 1)


def _number(element: Element, name: str, path: Path) -> int:
    text = element.get(name, "")
    if not text.isdecimal():
        raise FormatError(f"'{name}' of a <{element.tag}> is '{text}'; expected a whole number from 0.", path=path)
    return int(text)


def _named(images: Sequence[Element], ids: Sequence[int], grid: tuple[int, int], folder: Path, *, is_video: bool) -> dict[int, Frame]:
    find = _finder(folder)
    rows: dict[int, Frame] = {}
    for image, number in zip(images, ids, strict=True):
        name = image.get("name", "")
        there = find(name)
        size = _told_size(image) or (_measured(folder / there) if there else None)
        path = there or ("" if is_video or not name else name)
        rows[(number - grid[0]) // grid[1]] = Frame(number, path, size)
    return rows


def _unnamed(numbers: range, meta: TaskMeta, folder: Path, *, is_video: bool) -> dict[int, Frame]:
    """Frames of a file for video, which names no pictures: those of a video by their numbers, others in order where there are as many."""
    find = _finder(folder)
    if is_video:
        found = [find(f"frame_{number:06d}") for number in numbers]
    else:
        below = list_pictures(folder / PICTURES) if (folder / PICTURES).is_dir() else []
        found = [f"{PICTURES}/{name}" for name in below] if len(below) == len(numbers) else [""] * len(numbers)
    sizes = [_measured(folder / path) if path else meta.size for path in found]
    return {frame: Frame(n, path, size) for frame, (n, path, size) in enumerate(zip(numbers, found, sizes, strict=True))}


def _finder(folder: Path) -> Any:
    """Look for a picture by its name, with or without its ending, in images/ or beside the file."""

    @cache
    def stems(below: Path) -> dict[str, str]:
        names = [entry.name for entry in below.iterdir() if is_picture(entry.name)] if below.is_dir() else []
        return {PurePosixPath(name).stem: name for name in sorted(names, reverse=True)}

    def find(name: str) -> str:
        parts = PurePosixPath(name).parts
        if not name or ".." in parts or "/" in parts:
            return ""
        for below in (PICTURES, ""):
            path = (PurePosixPath(below) / name).as_posix()
            if is_picture(name) and (folder / path).is_file():
                return path
            stem = stems((folder / path).parent).get(PurePosixPath(name).name)
            if stem is not None:
                return (PurePosixPath(path).parent / stem).as_posix()
        return ""

    return find


def _told_size(element: Element) -> Size | None:
    texts = element.get("width", ""), element.get("height", "")
    return Size(int(texts[0]), int(texts[1])) if all(text.isdecimal() and int(text) > 0 for text in texts) else None


def _measured(path: Path) -> Size | None:
    try:
        info = probe_image(path)
    except UnreadableImage:
        return None
    return Size(info.width, info.height)


def canvas(masks: Iterable[Element]) -> Size | None:
    """The smallest picture that holds some masks, for files that tell no size; None where there are none.

    Raises:
        DataError: A mask's place is no whole number.
    """
    right = bottom = 0
    for mask in masks:
        try:
            left, top, width, height = (int(mask.get(name, "0")) for name in ("left", "top", "width", "height"))
        except ValueError as error:
            raise DataError("The place of a <mask> is no whole number.") from error
        right, bottom = max(right, left + width), max(bottom, top + height)
    return Size(right, bottom) if right and bottom else None
