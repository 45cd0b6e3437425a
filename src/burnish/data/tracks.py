"""Tracks: from the key frames that are stored to a view of each object on each frame, as CVAT shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.data import tables
from burnish.data.schema import ANNOTATIONS, ATTRIBUTES
from burnish.geometry import keyframes

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Bools, Floats, Ints

_BOX: Final = ("x1", "y1", "x2", "y2")
_STRAIGHT: Final = ("box", "ellipse", "cuboid")
_MORPHED: Final = ("polygon", "polyline")
_ONE_POINT: Final = 2


def interpolate(dataset: Dataset, *, hidden: bool = False) -> Dataset:
    """Show every tracked object on every frame on which it is visible.

    Boxes, ellipses and cuboids move in a straight line and turn the shorter way round; polygons and polylines are morphed
    (`burnish.geometry.keyframes.morphed`); a single point moves; several points, masks and shapes that change their kind stay as they
    are until the next key frame.
    Flags, drawing order and changeable attributes hold until the next key frame. An object stays as at its last key frame up to the
    end of its job or task, unless it is outside there. Key frames on deleted frames do not count.

    Args:
        dataset: Rows of a track that are no key frames are made anew. A track none of whose rows is marked as a key frame holds a view of
            the object wherever it was seen, and stays as it is.
        hidden: Whether key frames on which an object is outside stay too, as in CVAT's XML for video; elements of skeletons then end with
            them.

    Returns:
        The same dataset with one row for each visible view, `keyframe` telling which are stored and which are made; annotations without
        a track are as they were. Elements of skeletons that are outside stay, marked, as long as another element is visible.
    """
    frames = _Frames.of(dataset)
    rows = dataset.annotations.with_row_index("row")
    has_keys = pl.col("keyframe").any().over("track") & pl.col("track").is_not_null()
    tracked = rows.filter(has_keys)
    if tracked.is_empty():
        return dataset
    keys = _keys(tracked, frames)
    views = _views(keys, frames, hidden=hidden)
    shown = _with_skeletons(_drawn(keys, views), hidden=hidden)
    numbered = _numbered(rows.filter(~has_keys.fill_null(value=False)), shown, frames)
    annotations = numbered.select(c.name for c in ANNOTATIONS)
    return dataset.with_tables(annotations=annotations, attributes=_attributes(dataset, tracked, keys, numbered))


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """The frames of all tasks (or sources, where there are no tasks): what can be shown, in the order of scope and number."""

    table: pl.DataFrame  # image, scope, frame, position, deleted
    ends: pl.DataFrame  # scope, end: one behind its last frame
    jobs: pl.DataFrame  # scope, job, job_end

    @staticmethod
    def of(dataset: Dataset) -> _Frames:
        """Collect them; a task's frames are numbered together, else those of one source."""
        scope = pl.when(pl.col("task").is_not_null()).then(pl.col("task") * 2).otherwise(pl.col("media") * 2 + 1)
        images = dataset.scan("images", "id", "media", "task", "frame", "deleted").with_row_index("position")
        table = images.select(pl.col("position").cast(pl.Int64), "frame", "deleted", image="id", scope=scope).collect()
        jobs = dataset.jobs.select(scope=pl.col("task") * 2, job=pl.col("number"), job_end=pl.col("stop_frame") + 1)
        ends = table.group_by("scope").agg(end=pl.col("frame").max() + 1)
        return _Frames(table.sort("scope", "frame"), ends, jobs)


def _keys(tracked: pl.DataFrame, frames: _Frames) -> pl.DataFrame:
    """The key frames that count, in order, each with the number of the frame at which the next one takes over."""
    stored = tracked.filter(pl.col("keyframe")).join(frames.table, on="image", maintain_order="left")
    kept = stored.filter(~pl.col("deleted")).with_columns(first_row=pl.col("row").min().over("track"))
    kept = kept.sort("first_row", "track", "frame", maintain_order=True).unique(["track", "frame"], keep="first", maintain_order=True)
    kept = kept.join(frames.ends, on="scope", how="left", maintain_order="left")
    kept = kept.join(_job_ends(kept, frames), on="row", how="left", maintain_order="left")
    following = pl.col("frame").shift(-1).over("track")
    held_until = pl.min_horizontal("end", "job_end")
    parts = kept["parent"].drop_nulls().implode()
    element = pl.col("parent").is_not_null() & (pl.col("kind") == "points")
    return kept.with_columns(
        is_last=following.is_null(),
        until=pl.coalesce(following, held_until),
        is_element=element,
        is_whole=pl.col("id").is_in(parts).any().over("track"),
    ).drop("end", "job_end")


def _job_ends(keys: pl.DataFrame, frames: _Frames) -> pl.DataFrame:
    """Where the last of the jobs that hold a key frame ends."""
    held = keys.select("row", "scope", job="jobs").explode("job", empty_as_null=True, keep_nulls=True)
    return held.join(frames.jobs, on=["scope", "job"], how="inner").group_by("row").agg(pl.col("job_end").max())


@dataclass(frozen=True, slots=True, eq=False)
class _Views:
    """Which key frame each view comes from, on which picture, and how far it is to the next key frame."""

    key: Ints  # (m,) row of the table of keys
    image: Ints  # (m,)
    position: Ints  # (m,)
    weight: Floats  # (m,) 0 on the key frame itself


def _views(keys: pl.DataFrame, frames: _Frames, *, hidden: bool) -> _Views:
    shown = frames.table.filter(~pl.col("deleted"))
    span = max(int(frames.ends["end"].max() or 0), int(keys["until"].max() or 0)) + 1  # pyright: ignore[reportArgumentType]
    grid = shown["scope"].to_numpy() * span + shown["frame"].to_numpy()
    base, start, until = keys["scope"].to_numpy() * span, keys["frame"].to_numpy(), keys["until"].to_numpy()
    low = np.searchsorted(grid, base + start)
    high = np.maximum(low, np.searchsorted(grid, base + until))  # a key frame may lie behind the end of its job
    # An element of a skeleton goes on while it is outside: its skeleton may still be there.
    visible = ~keys["outside"].to_numpy() | (keys["is_element"].to_numpy() & (not hidden))
    counts = np.where(visible, high - low, np.minimum(high - low, int(hidden)))
    key = np.repeat(np.arange(len(counts)), counts)
    at = np.repeat(low, counts) + np.arange(len(key)) - np.repeat(np.cumsum(counts) - counts, counts)
    frame = shown["frame"].to_numpy()[at]
    weight = (frame - start[key]) / np.maximum(until - start, 1)[key]
    return _Views(key, shown["image"].to_numpy()[at], shown["position"].to_numpy()[at].astype(np.int64), weight)


def _drawn(keys: pl.DataFrame, views: _Views) -> pl.DataFrame:
    """The table of views: the key frame's row, moved where it moves."""
    between = (views.weight > 0) & ~keys["is_last"].to_numpy()[views.key]
    rows = keys[views.key].with_columns(
        key=pl.Series(views.key),
        image=pl.Series(views.image),
        position=pl.Series(views.position),
        keyframe=pl.Series(views.weight == 0),
    )
    kinds = keys["kind"].to_physical().to_numpy()
    alike = np.append(kinds[1:] == kinds[:-1], [False]) if len(kinds) else np.zeros(0, dtype=np.bool_)
    moves = between & alike[views.key]
    rows = _with_boxes(rows, keys, views, moves)
    return _with_points(rows, keys, views, moves)


def _of_kind(keys: pl.DataFrame, *kinds: str) -> Bools:
    return keys["kind"].cast(pl.String).is_in(list(kinds)).to_numpy()


def _with_boxes(rows: pl.DataFrame, keys: pl.DataFrame, views: _Views, moves: Bools) -> pl.DataFrame:
    """Boxes around what moves in a straight line, and how they are turned."""
    at = np.flatnonzero(moves & _of_kind(keys, *_STRAIGHT)[views.key])
    if not len(at):
        return rows
    left, weight = views.key[at], views.weight[at]
    corners = {name: keys[name].to_numpy() for name in _BOX}
    changed = {name: _between(values, left, weight) for name, values in corners.items()}
    # CVAT moves an ellipse's centre, rightmost and topmost point; moving its box would differ in the last digit, which rounding shows.
    round_ = _of_kind(keys, "ellipse")[left]
    for low, high, moved in (("x1", "x2", "x2"), ("y1", "y2", "y1")):
        opposite = low if moved == high else high
        centre = _between((corners[low] + corners[high]) / 2, left, weight)
        changed[opposite] = np.where(round_, 2 * centre - changed[moved], changed[opposite])
    turns = keys["rotation"].to_numpy()
    changed["rotation"] = keyframes.turned(turns[left], turns[left + 1], weight)
    return rows.with_columns(_scattered(rows[name], at, values) for name, values in changed.items())


def _between(values: Floats, left: Ints, weight: Floats) -> Floats:
    return values[left] + (values[left + 1] - values[left]) * weight


def _scattered(series: pl.Series, at: Ints, values: Floats) -> pl.Series:
    array = series.to_numpy().copy()
    array[at] = values
    return pl.Series(series.name, array, dtype=pl.Float64, nan_to_null=series.null_count() > 0)


def _with_points(rows: pl.DataFrame, keys: pl.DataFrame, views: _Views, moves: Bools) -> pl.DataFrame:
    """Points of what has them: moved one by one, or morphed."""
    counts = keys["points"].list.len().fill_null(0).to_numpy().astype(np.int64)
    equal = np.append(counts[1:] == counts[:-1], [False]) if len(counts) else np.zeros(0, dtype=np.bool_)
    straight = _of_kind(keys, "cuboid") | (_of_kind(keys, "points") & (counts == _ONE_POINT))
    straight &= equal & (counts > 0)
    morphs = _of_kind(keys, *_MORPHED) & (counts > 0)
    flat = keys["points"].explode(empty_as_null=False, keep_nulls=False).to_numpy() if counts.any() else np.zeros(0)
    starts = np.concatenate([[0], np.cumsum(counts)])
    new = [
        _straight_points(flat, starts, views, np.flatnonzero(moves & straight[views.key])),
        _morphed_points(flat, starts, keys, views, np.flatnonzero(moves & morphs[views.key])),
    ]
    changed = pl.concat(new)
    if changed.is_empty():
        return rows
    joined = rows.with_row_index("view").join(changed, on="view", how="left", maintain_order="left")
    boxes = [pl.coalesce(f"new_{name}", name).alias(name) for name in _BOX]
    return joined.with_columns(pl.coalesce("new_points", "points").alias("points"), *boxes).drop("view", "new_points", "^new_..$")


def _straight_points(flat: Floats, starts: Ints, views: _Views, at: Ints) -> pl.DataFrame:
    left = views.key[at]
    counts = starts[left + 1] - starts[left]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    one, two = flat[np.repeat(starts[left], counts) + within], flat[np.repeat(starts[left + 1], counts) + within]
    return _point_table(at, one + (two - one) * np.repeat(views.weight[at], counts), offsets)


def _morphed_points(flat: Floats, starts: Ints, keys: pl.DataFrame, views: _Views, at: Ints) -> pl.DataFrame:
    lefts, pairs = np.unique(views.key[at], return_inverse=True)
    points = flat.reshape(-1, 2)
    one, two = (_curves(points, starts // 2, chosen) for chosen in (lefts, lefts + 1))
    closed = _of_kind(keys, "polygon")[lefts]
    found = keyframes.morphed(one, two, pairs, views.weight[at], closed=closed)
    return _point_table(at, found.points.ravel(), found.starts * 2)


def _curves(points: Floats, starts: Ints, chosen: Ints) -> keyframes.Curves:
    counts = starts[chosen + 1] - starts[chosen]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    return keyframes.Curves(points[np.repeat(starts[chosen], counts) + within], offsets)


def _point_table(at: Ints, flat: Floats, offsets: Ints) -> pl.DataFrame:
    """Columns view, new_points and the box around them."""
    counts = np.diff(offsets)
    pieces = pl.DataFrame({"view": np.repeat(at, counts).astype(np.uint32), "value": flat})
    x, y = pl.col("value").gather_every(2), pl.col("value").gather_every(2, 1)
    extent = {"new_x1": x.min(), "new_y1": y.min(), "new_x2": x.max(), "new_y2": y.max()}
    return pieces.group_by("view", maintain_order=True).agg(new_points=pl.col("value"), **extent)


def _with_skeletons(views: pl.DataFrame, *, hidden: bool) -> pl.DataFrame:
    """Join elements with their skeleton on the same picture; drop a skeleton that has no element to show, and elements without one."""
    if not views["is_element"].any():
        return views
    owner = views.filter(pl.col("is_whole")).select(parent="id", whole_track="track").unique()
    views = views.join(owner, on="parent", how="left", maintain_order="left")
    # An untracked skeleton's elements have no such owner and were never touched.
    there = views.filter(pl.col("is_whole")).select(whole_track="track", image="image", whole_there=pl.lit(value=True))
    views = views.join(there, on=["whole_track", "image"], how="left", maintain_order="left")
    elements = views.filter(pl.col("is_element") & pl.col("whole_there"))
    visible = (
        elements.filter(pl.lit(hidden) | ~pl.col("outside")).select(track="whole_track", image="image", seen=pl.lit(value=True)).unique()
    )
    wholes = views.filter(~pl.col("is_element")).join(visible, on=["track", "image"], how="left", maintain_order="left")
    wholes = wholes.filter(~pl.col("is_whole") | pl.col("seen").fill_null(value=False)).drop("seen")
    kept = elements.join(wholes.select(whole_track="track", image="image"), on=["whole_track", "image"], how="semi")
    return pl.concat([wholes, kept])


def _numbered(untracked: pl.DataFrame, views: pl.DataFrame, frames: _Frames) -> pl.DataFrame:
    """All rows in the order of pictures, then of the objects' first rows; key frames keep their ids and the others get new ones."""
    where = frames.table.select("image", "position")
    still = untracked.join(where, on="image", how="left", maintain_order="left").with_columns(first_row=pl.col("row"))
    rows = pl.concat([still, views], how="diagonal").sort("position", "first_row", maintain_order=True, nulls_last=True)
    highest = int(rows["id"].max() or 0)  # pyright: ignore[reportArgumentType]
    made = (
        (pl.col("keyframe") == pl.lit(value=False)).fill_null(value=False) & pl.col("key").is_not_null()
        if "key" in rows.columns
        else pl.lit(value=False)
    )
    rows = rows.with_columns(stored_id=pl.col("id"), id=pl.when(made).then(highest + made.cast(pl.Int64).cum_sum()).otherwise(pl.col("id")))
    if "whole_track" not in rows.columns:
        return rows
    wholes = rows.filter(pl.col("is_whole")).select(whole_track="track", image="image", whole_id="id")
    rows = rows.join(wholes, on=["whole_track", "image"], how="left", maintain_order="left")
    return rows.with_columns(parent=pl.coalesce("whole_id", "parent"))


def _attributes(dataset: Dataset, tracked: pl.DataFrame, keys: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Attributes of every view: those of the track, and the changeable ones as they were last set."""
    stored = dataset.attributes.with_row_index("order")
    others = stored.filter(~pl.col("annotation").is_in(tracked["id"].implode()))
    of_keys = keys.with_row_index("key").select("key", "track", annotation="id")
    mine = stored.join(of_keys, on="annotation", maintain_order="left")
    # What belongs to the whole track stands on one of its key frames, which may lie on a deleted frame.
    on_tracks = stored.filter(~pl.col("mutable")).join(tracked.select("track", annotation="id"), on="annotation", maintain_order="left")
    fixed = on_tracks.unique(["track", "name"], keep="first", maintain_order=True).select("track", "name", "value", "mutable", "order")
    at_views = rows.filter(pl.col("key").is_not_null()).select("key", "track", annotation="id")
    whole = at_views.join(fixed, on="track", maintain_order="left")
    changing = at_views.join(_held(mine.filter(pl.col("mutable")), of_keys), on="key", maintain_order="left")
    names = ["annotation", "name", "value", "mutable", "order"]
    merged = pl.concat([others.select(names), whole.select(names), changing.select(names)])
    place = rows.select(annotation="id").with_row_index("place")
    ordered = merged.join(place, on="annotation", how="left", maintain_order="left").sort(
        "place", "order", maintain_order=True, nulls_last=True
    )
    return tables.conform(ATTRIBUTES, ordered.select("annotation", "name", "value", "mutable"))


def _held(told: pl.DataFrame, of_keys: pl.DataFrame) -> pl.DataFrame:
    """Changeable attributes of each key frame: told there, or as told at the one before."""
    names = told.select("track", "name").unique(maintain_order=True)
    every = of_keys.join(names, on="track", maintain_order="left")
    joined = every.join(told.select("key", "name", "value", "order"), on=["key", "name"], how="left", maintain_order="left")
    filled = joined.sort("key", maintain_order=True).with_columns(pl.col("value", "order").forward_fill().over("track", "name"))
    return filled.filter(pl.col("value").is_not_null()).select("key", "name", "value", "order", mutable=pl.lit(value=True))
