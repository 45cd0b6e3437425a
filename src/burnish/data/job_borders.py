"""Tracks cut at the borders of jobs, before a CVAT server would do it and lose key frames.

A job holds its own part of a track. Where an object is there before the job begins, the part begins with a key frame at the job's first
frame; where it moves on behind the job's last frame, the part ends with one there; both stand where interpolation puts the object. Frames
that two jobs share are in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import polars as pl

from burnish.data import tables
from burnish.data.schema import ANNOTATIONS
from burnish.data.tracks import interpolate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.data.dataset import Dataset

Values = dict[int, list[tuple[str, str, bool]]]


class Span(Protocol):
    """The frames of a job, and whether people annotate it: ground truth and copies for consensus hold only what names them."""

    @property
    def frames(self) -> range | frozenset[int]:
        """In the numbers of the task."""
        ...

    @property
    def is_usual(self) -> bool:
        """Whether people annotate it."""
        ...


def cut_at_jobs(dataset: Dataset, rows: pl.DataFrame, frames: Mapping[int, int], spans: Sequence[Span]) -> tuple[pl.DataFrame, Values]:
    """Give each key frame its jobs, and add key frames at the borders.

    Args:
        dataset: Where the rows come from.
        rows: Annotations of one task; only tracks that name no job are cut.
        frames: Frame of each picture.
        spans: The jobs in order.

    Returns:
        The rows, with `jobs` of tracks being places in `spans`; and the attributes of rows that were added.
    """
    usual = [place for place, span in enumerate(spans) if span.is_usual]
    loose = pl.col("track").is_not_null() & (pl.col("jobs").list.len().fill_null(0) == 0)
    tracked = rows.filter(loose & (pl.col("keyframe").fill_null(value=True)))
    if tracked.is_empty() or len(usual) < 2:  # noqa: PLR2004 - one job has no border
        return rows, {}
    own = dataset.with_tables(annotations=tracked, jobs=dataset.jobs.clear())
    shown = interpolate(own)
    places = pl.col("image").replace_strict(dict(frames), default=None, return_dtype=pl.Int64)
    # Numbers of views may be those of key frames that are not shown, so each row says itself which it is.
    keys = tracked.with_columns(frame=places, stored=pl.lit(value=True))
    views = shown.annotations.filter(~pl.col("keyframe")).with_columns(frame=places, stored=pl.lit(value=False))
    parts: list[pl.DataFrame] = []
    for place in usual:
        parts += _part(keys, views, spans[place], place)
    joined = pl.concat(parts)
    stored = joined.filter("stored").group_by("id", maintain_order=True).agg(pl.col("place"))
    kept = keys.join(stored, on="id", how="inner", maintain_order="left").with_columns(jobs=pl.col("place").cast(pl.List(pl.Int32)))
    added = joined.filter(~pl.col("stored")).with_columns(jobs=pl.concat_list(pl.col("place").cast(pl.Int32)), keyframe=pl.lit(value=True))
    first_free = max(int(dataset.annotations["id"].max() or 0), int(shown.annotations["id"].max() or 0)) + 1  # pyright: ignore[reportArgumentType]
    numbered = added.with_columns(source_id=pl.col("id"), id=pl.int_range(pl.len()) + first_free)
    values = _values(dataset, shown, numbered, kept)
    columns = [c.name for c in ANNOTATIONS]
    cut = _with_owners(_ordered(kept, numbered), tracked)
    whole = pl.concat([rows.filter(~loose).select(columns), cut.select(columns)])
    return tables.conform(ANNOTATIONS, whole), values


def _part(keys: pl.DataFrame, views: pl.DataFrame, span: Span, place: int) -> list[pl.DataFrame]:
    """Key frames of a job, and views on its first and last frame where a track comes in or goes on."""
    first, last = min(span.frames), max(span.frames)
    inside = keys.filter(pl.col("frame").is_between(first, last))
    before = keys.filter(pl.col("frame") < first)["track"].unique()
    behind = keys.filter(pl.col("frame") > last)["track"].unique()
    entering = views.filter((pl.col("frame") == first) & pl.col("track").is_in(before.implode()))
    leaving = views.filter((pl.col("frame") == last) & pl.col("track").is_in(behind.implode())) if last > first else views.clear()
    seen = pl.concat([inside, entering, leaving])
    visible = seen.filter(~pl.col("outside"))["track"].unique()
    whole = seen.filter(pl.col("track").is_in(visible.implode()) | pl.col("parent").is_not_null())
    return [whole.with_columns(place=pl.lit(place, dtype=pl.Int32))]


def _with_owners(whole: pl.DataFrame, tracked: pl.DataFrame) -> pl.DataFrame:
    """Elements of a skeleton belong to a row of it that is there: any one tells its track."""
    of_row = dict(tracked.select("id", "track").iter_rows())
    owners = {
        track: of_row.get(parent) for track, parent in tracked.filter(pl.col("parent").is_not_null()).select("track", "parent").iter_rows()
    }
    first = dict(whole.unique("track", keep="first", maintain_order=True).select("track", "id").iter_rows())
    parents = {track: first[owner] for track, owner in owners.items() if owner in first}
    return whole.with_columns(parent=pl.col("track").replace_strict(parents, default=None, return_dtype=pl.Int64))


def _ordered(kept: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    names = [name for name in kept.columns if name in added.columns and name != "place"]
    return pl.concat([kept.select(names), added.select(names)]).sort("track", "frame", maintain_order=True)


def _values(dataset: Dataset, shown: Dataset, added: pl.DataFrame, kept: pl.DataFrame) -> Values:
    """Attributes of added rows: those that hold at the view, and the track's own on every one."""
    seen, by_row = _by_row(shown), _by_row(dataset)
    by_row |= {row: seen[row] for row in shown.annotations.filter("keyframe")["id"] if row in seen}
    tracks = dict(kept.select("id", "track").iter_rows())
    fixed: dict[int, list[tuple[str, str, bool]]] = {}
    for row, track in tracks.items():
        fixed.setdefault(track, []).extend(value for value in by_row.get(row, ()) if not value[2])
    found: Values = {}
    for row, source, track in added.select("id", "source_id", "track").iter_rows():
        changing = [value for value in seen.get(source, ()) if value[2]]
        found[row] = changing + list(dict.fromkeys(fixed.get(track, ())))
    for row, track in tracks.items():
        own = [value for value in by_row.get(row, ()) if value[2]]
        found[row] = own + list(dict.fromkeys(fixed.get(track, ())))
    return found


def _by_row(dataset: Dataset) -> Values:
    found: Values = {}
    for annotation, name, value, mutable in dataset.attributes.select("annotation", "name", "value", "mutable").iter_rows():
        found.setdefault(annotation, []).append((name, value, mutable))
    return found
