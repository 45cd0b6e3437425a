"""The frames of a CVAT task: which file, and which number in it, each frame of the task is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from burnish.engine.names import natural_key
from burnish.errors import FormatError
from burnish.formats.cvat.shapes import Size
from burnish.formats.reading import PICTURE_SUFFIXES, list_files, read_text
from burnish.media.images import UnreadableImage, probe_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VIDEO_SUFFIXES: Final = frozenset(
    {".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)
MANIFEST: Final = "manifest.jsonl"
RELATED: Final = "related_images"

_STEP: Final = re.compile(r"^\s*step\s*=\s*([1-9]\d*)\s*$")


@dataclass(frozen=True, slots=True)
class Source:
    """What a task's frames are taken from.

    Attributes:
        video: Name of the video below data/, or None for pictures.
        names: Names of the pictures below data/ in the order of their numbers; empty for a video.
        sizes: Width and height of each picture, or of the video as the only one; None where nobody says.
        length: Frames of the video, or the number of pictures.
        head: The manifest's first lines, which tell its version and kind.
        lines: The manifest's further lines as they stand.
    """

    video: str | None
    names: tuple[str, ...]
    sizes: tuple[Size | None, ...]
    length: int
    head: tuple[dict[str, Any], ...] = ()
    lines: tuple[dict[str, Any], ...] = ()

    def size_of(self, number: int) -> Size | None:
        """Width and height of one of its numbers."""
        return self.sizes[0 if self.video is not None else number] if self.sizes else None


def step_of(frame_filter: str | None, path: Path) -> int:
    """Numbers in the source from one frame of a task to the next, of CVAT's `step=N`.

    Raises:
        FormatError: It says something else.
    """
    if not frame_filter:
        return 1
    found = _STEP.match(frame_filter)
    if found is None:
        raise FormatError(f"frame_filter is {frame_filter!r}; expected 'step=N' with a whole number above 0.", path=path)
    return int(found[1])


def source_numbers(data: Mapping[str, Any], length: int, path: Path) -> range:
    """The numbers in the source that a task takes: frame n of the task is `numbers[n]`.

    Args:
        data: With start_frame, stop_frame (inclusive) and frame_filter, each of which may be missing.
        length: Frames of the source.
        path: For messages.
    """
    start = int(data.get("start_frame") or 0)
    stop = data.get("stop_frame")
    last = length - 1 if stop is None else int(stop)
    return range(start, last + 1, step_of(data.get("frame_filter"), path))


def read_source(folder: Path) -> Source:
    """What lies in a task's data folder, by its manifest or, without one, by its files.

    Raises:
        FormatError: The manifest is damaged, or there are neither pictures nor one video.
    """
    manifest = folder / MANIFEST
    if manifest.is_file():
        return _from_manifest(manifest)
    files = [name for name in list_files(folder) if not name.startswith(f"{RELATED}/")] if folder.is_dir() else []
    videos = [name for name in files if PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES]
    pictures = sorted((name for name in files if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES), key=natural_key)
    if len(videos) == 1 and not pictures:
        return Source(videos[0], (), (), 0)
    if videos:
        raise FormatError(
            f"there is no {MANIFEST}, and {len(videos)} videos and {len(pictures)} pictures: which of them the task shows is not told.",
            path=folder,
        )
    return Source(None, tuple(pictures), tuple(_measured(folder / name) for name in pictures), len(pictures))


def _from_manifest(path: Path) -> Source:
    rows = list(_json_lines(path))
    head = [row for row in rows if row.keys() <= {"version", "type"}]
    kind = next((row["type"] for row in head if "type" in row), "images")
    others = [row for row in rows if not row.keys() <= {"version", "type"}]
    if kind == "video":
        properties = next((row["properties"] for row in others if "properties" in row), None)
        if not properties or "name" not in properties:
            raise FormatError("the manifest of a video has no line with its properties (name, resolution, length).", path=path)
        resolution = properties.get("resolution") or ()
        sizes = (Size(*map(int, resolution)),) if len(resolution) == 2 else ()  # noqa: PLR2004 - width and height
        return Source(str(properties["name"]), (), sizes, int(properties.get("length") or 0), tuple(head), tuple(others))
    named = [row for row in others if "name" in row]
    names = tuple(f"{row['name']}{row.get('extension', '')}" for row in named)
    sizes = tuple(_told_size(row) or _measured(path.parent / name) for row, name in zip(named, names, strict=True))
    return Source(None, names, sizes, len(names), tuple(head), tuple(named))


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FormatError(f"this is no line of JSON: {error}.", path=path, position=number) from error
        if not isinstance(row, dict):
            raise FormatError("a line of the manifest is a JSON object; this is none.", path=path, position=number)
        yield row


def _told_size(row: Mapping[str, Any]) -> Size | None:
    return Size(int(row["width"]), int(row["height"])) if row.get("width") and row.get("height") else None


def _measured(path: Path) -> Size | None:
    try:
        info = probe_image(path)
    except UnreadableImage:
        return None
    return Size(info.width, info.height)


def manifest_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """A manifest: one JSON object a line, without spaces, as CVAT needs it."""
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
