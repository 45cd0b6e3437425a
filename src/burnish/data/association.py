"""Tracking by overlap: shapes of neighbouring frames that lie on one another become one track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from burnish.data.tidying import with_one_label
from burnish.geometry.overlap import box_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Floats, Ints

_TRACKED: Final = ("box", "polygon", "mask", "ellipse", "skeleton")


def track_by_overlap(
    dataset: Dataset,
    *,
    min_overlap: float = 0.6,
    memory: int = 20,
    key_frame: int | None = None,
    shortest: int = 1,
    rest: Literal["keep", "drop"] = "keep",
) -> Dataset:
    """Join untracked shapes of a video (or sequence, or task) into tracks, whatever their labels, and let each track vote for its label.

    On each frame the shapes are assigned to the tracks seen within the last `memory` frames so that the sum of overlaps (intersection over
    union of the boxes around them) is largest (Kuhn, 1955), each overlap at least `min_overlap`; what stays over begins a track.

    Args:
        dataset: Shapes that have a track already are left alone.
        min_overlap: Overlap from which two shapes may be one object.
        memory: Frames for which a track that is not seen stays open.
        key_frame: Frame to start from, forwards and backwards; None starts at the first.
        shortest: Tracks of fewer shapes are taken back.
        rest: What becomes of shapes without a track then: kept as plain shapes, or dropped.
    """
    key = pl.coalesce(pl.col("task") * 2, pl.col("media") * 2 + 1)
    moving = dataset.images.join(dataset.media.select(media="id", source=pl.col("kind").cast(pl.String)), on="media", how="left")
    moving = moving.filter((pl.col("source") != "image") | pl.col("task").is_not_null()).select(key=key, frame="frame", image="id")
    free = (
        pl.col("track").is_null() & pl.col("parent").is_null() & pl.col("kind").cast(pl.String).is_in(_TRACKED) & pl.col("x1").is_not_null()
    )
    rows = dataset.annotations.filter(free).join(moving, on="image", maintain_order="left").sort("key", "frame", maintain_order=True)
    number = int(dataset.annotations["track"].max() or 0)  # pyright: ignore[reportArgumentType]
    given: dict[int, int] = {}
    for part in rows.partition_by("key", maintain_order=True):
        found, number = _assigned(part, number, (min_overlap, memory, key_frame))
        given |= found
    counts = np.unique(np.array(list(given.values()), dtype=np.int64), return_counts=True)
    short = {int(track) for track, count in zip(*counts, strict=True) if count < shortest}
    kept = {row: track for row, track in given.items() if track not in short}
    return _with_tracks(dataset, kept, {row for row, track in given.items() if track in short} if rest == "drop" else set())


def _with_tracks(dataset: Dataset, kept: Mapping[int, int], dropped: set[int]) -> Dataset:
    if not kept and not dropped:
        return dataset
    mine = pl.col("id").is_in(list(kept))
    rows = dataset.annotations.filter(~pl.col("id").is_in(list(dropped))).with_columns(
        pl.coalesce("track", pl.col("id").replace_strict(kept, default=None, return_dtype=pl.Int64)).alias("track"),
        pl.when(mine).then(statement=True).otherwise(pl.col("keyframe")).alias("keyframe"),
    )
    return with_one_label(dataset.with_tables(annotations=rows))[0]


def _assigned(part: pl.DataFrame, number: int, dials: tuple[float, int, int | None]) -> tuple[dict[int, int], int]:
    """Track of each annotation of one source, and the highest number given."""
    frames = part.partition_by("frame", as_dict=True, maintain_order=True)
    order = sorted(int(frame) for (frame,) in frames)
    start = dials[2]
    given: dict[int, int] = {}
    if start is None:
        return given, _pass(frames, order, given, number, dials)
    later, earlier = [f for f in order if f >= start], [f for f in reversed(order) if f <= start]
    number = _pass(frames, later, given, number, dials)
    # Backwards, the key frame's own shapes have their tracks already, which the others then join.
    return given, _pass(frames, earlier, given, number, dials)


def _pass(
    frames: Mapping[tuple[object, ...], pl.DataFrame],
    order: Iterable[int],
    given: dict[int, int],
    number: int,
    dials: tuple[float, int, int | None],
) -> int:
    tracks: list[int] = []
    boxes: list[Floats] = []
    seen: list[int] = []
    for frame in order:
        part = frames[frame,]
        now = part.select("x1", "y1", "x2", "y2").to_numpy()
        alive = [place for place, last in enumerate(seen) if abs(frame - last) <= dials[1]]
        tracks, boxes, seen = [tracks[p] for p in alive], [boxes[p] for p in alive], [seen[p] for p in alive]
        known = [given.get(row) for row in part["id"].to_list()]
        places = _places(boxes, now, known, dials[0])
        for at, (row, place) in enumerate(zip(part["id"].to_list(), places, strict=True)):
            track = known[at]
            if track is None:
                if place >= 0:
                    track = tracks[place]
                else:
                    number += 1
                    track = number
            given[row] = track
            if place >= 0:
                tracks[place], boxes[place], seen[place] = track, now[at], frame
            else:
                tracks.append(track)
                boxes.append(now[at])
                seen.append(frame)
    return number


def _places(boxes: list[Floats], now: Floats, known: list[int | None], least: float) -> Ints:
    """Which open track each shape of a frame joins, or -1."""
    places = np.full(len(now), -1, dtype=np.int64)
    free = np.array([track is None for track in known], dtype=np.bool_)
    if not boxes or not free.any():
        return places
    overlaps = box_overlaps(now[free], np.array(boxes))
    rows, columns = linear_sum_assignment(np.where(overlaps >= least, overlaps, 0.0), maximize=True)
    good = overlaps[rows, columns] >= least
    places[np.flatnonzero(free)[rows[good]]] = columns[good]
    return places
