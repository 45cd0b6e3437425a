"""Videos and folders of pictures without labels, as tasks; read only.

Each video is a task of its own, and so are the pictures of each folder, at any depth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data import tables
from burnish.data.dataset import make_dataset
from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.schema import IMAGES, MEDIA, TASKS
from burnish.formats.reading import list_files, list_pictures, picture_tables, walk_some
from burnish.formats.video_files import video_facts

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

NAME: Final = "videos"

SUFFIXES: Final = frozenset({".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".webm", ".wmv"})
"""Endings of videos in lower case; .ts is left out, because programs are called so too."""


def recognise(path: Path) -> bool:
    """Whether the path is a video, or there is one among the first entries of a folder."""
    if path.is_file():
        return path.suffix.lower() in SUFFIXES
    return any(entry.suffix.lower() in SUFFIXES and entry.is_file() for entry in walk_some(path))


def read(path: Path) -> Dataset:
    """Read all videos and pictures below a folder, or one video.

    A video that cannot be opened here stays as a source without frames, with a finding that says why.
    """
    root = path.parent if path.is_file() else path
    videos = [path.name] if path.is_file() else list_files(root, SUFFIXES)
    pictures = [] if path.is_file() else list_pictures(root)
    media, images, findings = picture_tables(root, pictures)
    folders = list(dict.fromkeys(PurePosixPath(name).parent.as_posix() for name in pictures))
    tasks: list[dict[str, Any]] = [{"id": place, "name": _folder_name(root, folder)} for place, folder in enumerate(folders)]
    images = _in_tasks(media, images, {folder: place for place, folder in enumerate(folders)})
    rows = _videos(root, videos, first=(media.height + 1, images.height + 1, len(tasks)))
    return make_dataset(
        root,
        media=pl.concat([media, tables.from_rows(MEDIA, rows.media)]),
        images=pl.concat([images, tables.from_rows(IMAGES, rows.images)]),
        tasks=tables.from_rows(TASKS, tasks + rows.tasks),
        notes=join_findings(findings, findings_table(rows.findings)),
        origin={"format": NAME, "path": str(path)},
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of videos."""

    media: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    images: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tasks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    findings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def _videos(root: Path, names: list[str], first: tuple[int, int, int]) -> _Rows:
    rows = _Rows()
    for name in names:
        facts = video_facts(root / name)
        media, task = first[0] + len(rows.media), first[2] + len(rows.tasks)
        rows.media.append({"id": media, "path": name, "kind": "video", **facts.columns})
        rows.tasks.append({"id": task, "name": PurePosixPath(name).stem})
        if facts.reason:
            rows.findings.append(finding("unreadable_video", facts.reason, path=name))
        size = {side: facts.columns.get(side) for side in ("width", "height")}
        start = first[1] + len(rows.images)
        rows.images.extend(
            {"id": start + n, "media": media, "task": task, "frame": n, "true_frame": n, "scene": name, **size} for n in range(facts.frames)
        )
    return rows


def _in_tasks(media: pl.DataFrame, images: pl.DataFrame, numbers: dict[str, int]) -> pl.DataFrame:
    """Pictures numbered within their folder; a folder is a scene, as a sequence of one camera is."""
    paths = images.select("media").join(media.select(media="id", path="path"), on="media", how="left", maintain_order="left")
    folders = [PurePosixPath(path).parent.as_posix() for path in paths["path"]]
    placed = images.with_columns(
        task=pl.Series([numbers[folder] for folder in folders], dtype=pl.Int64), scene=pl.Series(folders, dtype=pl.String)
    )
    return tables.conform(IMAGES, placed.with_columns(frame=pl.int_range(pl.len()).over("task").cast(pl.Int64)))


def _folder_name(root: Path, folder: str) -> str:
    return root.resolve().name if folder == "." else folder
