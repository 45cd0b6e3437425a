"""Which frame of a task on the server each picture of a dataset is."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.cvat.tree import Node
    from burnish.data.dataset import Dataset

_SHOWN = 5


def frames_by_number(dataset: Dataset, task: int) -> dict[int, int]:
    """Frame of each picture of a task, as the dataset numbers them."""
    return dict(dataset.images.filter(pl.col("task") == task).select("id", "frame").iter_rows())


def frames_by_name(dataset: Dataset, node: Node) -> dict[int, int]:
    """Frame of each picture whose name the task on the server has; of a video's frames, by their number in the video.

    Raises:
        DataError: None is there, or a name stands for several pictures.
    """
    meta = node.connection.get(f"{node.path}/data/meta")
    if node.about["mode"] == "interpolation":
        return _video_frames(dataset, node, meta)
    named = _by_ending(frame["name"] for frame in meta["frames"])
    files = dataset.image_files()
    found: dict[int, int] = {}
    doubtful: list[str] = []
    for image, path in files.select("image", "path").iter_rows():
        frames = _frames_of(path, named)
        if len(frames) == 1:
            found[image] = frames[0]
        elif frames:
            doubtful.append(path)
    _refuse_doubt(doubtful, found, node, files.height)
    return found


def _refuse_doubt(doubtful: list[str], found: Mapping[int, int], node: Node, pictures: int) -> None:
    if doubtful:
        raise DataError(
            f"{len(doubtful)} pictures have names that {node} has several times, for instance {doubtful[0]}; they cannot be told apart."
        )
    if not found:
        raise DataError(
            f"None of the dataset's {pictures} pictures is in {node}, by their names. Name a project's address to make a new task."
        )
    if len(set(found.values())) < len(found):
        raise DataError(f"Several pictures of the dataset have one name in {node}; they cannot be told apart.")


def _by_ending(names: Any) -> dict[str, list[int]]:
    """Frames by the last part of their name, and by the whole name."""
    found: dict[str, list[int]] = {}
    for frame, name in enumerate(names):
        for ending in {name, PurePosixPath(name).name}:
            found.setdefault(ending, []).append(frame)
    return found


def _frames_of(path: str, named: Mapping[str, list[int]]) -> list[int]:
    """Frames for the longest end of a path that is a name on the server."""
    parts = PurePosixPath(path).parts
    for begin in range(len(parts)):
        frames = named.get("/".join(parts[begin:]))
        if frames:
            return frames
    return []


def _video_frames(dataset: Dataset, node: Node, meta: Mapping[str, Any]) -> dict[int, int]:
    name = PurePosixPath(meta["frames"][0]["name"]).name
    step = int((meta.get("frame_filter") or "step=1").partition("=")[2])
    files = dataset.image_files()
    found: dict[int, int] = {}
    for image, path, number in files.select("image", "path", "true_frame").iter_rows():
        frame, rest = divmod(number - meta["start_frame"], step)
        if PurePosixPath(path).name == name and rest == 0 and 0 <= frame < meta["size"]:
            found[image] = frame
    _refuse_doubt([], found, node, files.height)
    return found
