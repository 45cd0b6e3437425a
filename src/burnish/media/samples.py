"""Pixels of samples: frames taken out of videos, pictures scaled and cut; what stays as it is keeps its bytes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.data.findings import finding, findings_table
from burnish.data.sampled import window_of
from burnish.engine.files import write_bytes
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.media.images import encode_jpeg, read_image
from burnish.media.scaling import resize
from burnish.media.unreadable import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from burnish.media.video import Decoded, Video

QUALITY: Final = 95
"""JPEG quality of what is made anew."""

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class _Work(NamedTuple):
    """One picture or frame, and the samples of it."""

    root: Path
    folder: Path
    rows: list[dict[str, Any]]


def make_pictures(
    plan: pl.DataFrame, root: Path, folder: Path, *, engine: Engine | None = None, progress: Progress = silent
) -> pl.DataFrame:
    """Make the picture files of a plan in a folder; a sample that is its source unchanged becomes a link to it.

    Frames and whatever is scaled or cut become JPEG files of quality 95.

    Args:
        plan: Of `burnish.data.sampled.sampled`: which sample is made of what.
        root: Where the sources lie.
        folder: Where the samples go, under the paths of the plan.
        engine: Where to work.
        progress: Where to report.

    Returns:
        Findings: sources and frames that cannot be read, and such as have another size than the dataset says; of these there is no file.

    Raises:
        MissingExtra: There are videos, and PyAV is not installed.
    """
    parts = plan.partition_by("source", "kind", as_dict=True, maintain_order=True)
    stills: list[_Work] = []
    found: list[dict[str, Any]] = []
    for (source, kind), part in parts.items():
        if kind == "video":
            rows_of = {int(number): rows.to_dicts() for (number,), rows in part.partition_by("true_frame", as_dict=True).items()}
            found += _from_video(root / str(source), folder, rows_of, engine or Engine(), progress)
        else:
            stills += [_Work(root, folder, rows.to_dicts()) for rows in part.partition_by("true_frame", maintain_order=True)]
    if stills:
        for notes in ordered_map(_from_still, stills, engine=engine, progress=progress, label="Sampling pictures", total=len(stills)):
            found += notes
    return findings_table(found)


def _from_still(work: _Work) -> list[dict[str, Any]]:
    first = work.rows[0]
    path = work.root / first["source"]
    if first["kind"] == "sequence":
        listed = _pictures_in(path)
        if not 0 <= first["true_frame"] < len(listed):
            reason = f"Picture {first['true_frame']} of the sequence is not there; it has {len(listed)}."
            return [_note("missing_file", reason, row) for row in work.rows]
        path = listed[first["true_frame"]]
    if not path.is_file():
        return []  # placing tells of each file that is not there
    untouched = [row for row in work.rows if window_of(row) is None and row["kind"] == "image"]
    for row in untouched:
        _link(path, work.folder / row["sample"])
    rest = [row for row in work.rows if row not in untouched]
    if not rest:
        return []
    try:
        pixels = read_image(path)
    except UnreadableImage as error:
        return [_note("unreadable_picture", f"No sample can be made of it: {error.reason}.", row) for row in rest]
    return _made(pixels, work.folder, rest)


def _from_video(
    path: Path, folder: Path, rows_of: dict[int, list[dict[str, Any]]], engine: Engine, progress: Progress
) -> list[dict[str, Any]]:
    from burnish.media.video import UnreadableVideo, open_video  # noqa: PLC0415 - PyAV is an extra

    if not path.is_file():
        reason = f"There is no such video, so that none of its {len(rows_of)} frames is written."
        return [finding("missing_file", reason, path=next(iter(rows_of.values()))[0]["source"])]
    try:
        with open_video(path, threads=engine.jobs) as video:
            return list(_from_frames(video, folder, rows_of, engine, progress))
    except UnreadableVideo as error:
        return [_note("unreadable_video", error.reason, rows[0]) for rows in list(rows_of.values())[:1]]


def _from_frames(
    video: Video, folder: Path, rows_of: dict[int, list[dict[str, Any]]], engine: Engine, progress: Progress
) -> Iterator[dict[str, Any]]:
    def make(one: Decoded) -> list[dict[str, Any]]:
        return _of_frame(one, folder, rows_of[one.number])

    there = sorted(number for number in rows_of if 0 <= number < len(video))
    label = f"Taking frames of {video.info.path.name}"
    for notes in ordered_map(make, video.decoded(there), engine=engine, progress=progress, label=label, total=len(there)):
        yield from notes
    for number in sorted({*video.unreadable, *rows_of} - set(there) | video.unreadable):
        why = "cannot be decoded" if number in video.unreadable else f"is not there: the video has {len(video)}"
        yield from (_note("unreadable_frame", f"Frame {number} {why}.", row) for row in rows_of.get(number, []))


def _of_frame(one: Decoded, folder: Path, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    from burnish.media.video import to_jpeg, to_rgb  # noqa: PLC0415 - PyAV is an extra

    for row in rows:
        if window_of(row) is None:
            write_bytes(folder / row["sample"], to_jpeg(one.picture, one.orientation, quality=QUALITY))
    rest = [row for row in rows if window_of(row) is not None]
    pixels = to_rgb(one.picture, one.orientation)
    return _made(pixels, folder, rest) + _wrong_size(pixels, [row for row in rows if window_of(row) is None])


def _made(pixels: NDArray[np.uint8], folder: Path, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Scale and cut one picture; samples of the same scale share its scaled pixels."""
    wrong = _wrong_size(pixels, rows)
    if wrong:
        return wrong
    scaled: dict[tuple[int, int], NDArray[np.uint8]] = {}
    for row in rows:
        window = window_of(row)
        size = pixels.shape[:2] if window is None else (window.scaled[1], window.scaled[0])
        if size not in scaled:
            scaled = {(int(size[0]), int(size[1])): resize(pixels, (int(size[0]), int(size[1])))}
        left, top, right, bottom = (0, 0, size[1], size[0]) if window is None else window.tile
        shown = scaled[int(size[0]), int(size[1])][top:bottom, left:right]
        write_bytes(folder / row["sample"], encode_jpeg(shown, QUALITY))
    return []


def _wrong_size(pixels: NDArray[np.uint8], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    height, width = pixels.shape[:2]
    wrong = [r for r in rows if r["source_width"] is not None and (r["source_width"], r["source_height"]) != (width, height)]
    return [
        _note("size", f"Its pixels are {width} x {height}, the dataset says {r['source_width']} x {r['source_height']}.", r) for r in wrong
    ]


def _pictures_in(folder: Path) -> list[Path]:
    """Pictures of a sequence, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES) if folder.is_dir() else []


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.symlink_to(source.resolve())
    except OSError:  # some file systems have no links
        shutil.copyfile(source, target)


def _note(kind: str, reason: str, row: dict[str, Any]) -> dict[str, Any]:
    return finding(kind, reason, path=row["source"], image=row["image"], position=str(row["true_frame"]))
