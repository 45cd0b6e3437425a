"""Tracks cut into pieces that show on every frame what the whole track shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data import tables
from burnish.data.schema import ANNOTATIONS, ATTRIBUTES
from burnish.data.tracks import interpolate

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

_MORPHED: Final = ("polygon", "polyline")


def cut_tracks(dataset: Dataset, places: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]]:
    """Give every piece of a track its own number, and key frames and attributes that let it stand alone.

    Where a cut falls between two key frames, the views on both its sides become key frames. What moves in a straight line, moves as before
    then. Polygons and polylines are morphed by all of their shape, so that all views between two such key frames become key frames.

    Args:
        dataset: Holds the whole video.
        places: Its frames: image, task, frame (in the task) and the part to which each goes.

    Returns:
        Annotations and attributes of the whole dataset, what was added at their ends; and how to undo it: `tracks` (new number, old),
        `made` (ids of added rows), `keyed` (ids of rows that became key frames), `parents` (id, old parent) and `added` (attributes).
    """
    needed = _needed(dataset, places)
    stored = dataset.annotations.filter(pl.col("track").is_not_null() & ~pl.col("keyframe").fill_null(value=False))
    keyed = stored.join(needed, on=["track", "image"], how="semi")["id"]
    # A track whose views are stored is there where they are, and nowhere else.
    made = needed.join(stored, on="track", how="anti").drop("part")
    made = made.with_columns(id=_next(dataset.annotations["id"]) + pl.int_range(pl.len(), dtype=pl.Int64), keyframe=pl.lit(value=True))
    annotations = dataset.annotations.with_columns(
        keyframe=pl.when(pl.col("id").is_in(keyed.implode())).then(statement=True).otherwise("keyframe")
    )
    annotations = pl.concat([annotations, tables.conform(ANNOTATIONS, made)])
    annotations, parents = _with_own_parents(annotations, places)
    added = _attributes_of_pieces(dataset, annotations, places)
    annotations, numbers = _numbered(annotations, places)
    told = {"tracks": numbers, "made": made["id"].to_list(), "keyed": keyed.to_list(), "parents": parents, "added": added.rows()}
    return annotations, pl.concat([dataset.attributes, added]), told


def _needed(dataset: Dataset, places: pl.DataFrame) -> pl.DataFrame:
    """The interpolated views that must become key frames, with their part."""
    where = places.select("image", "part", "task", "frame")
    shown = dataset.images.filter(~pl.col("deleted")).select(image="id")
    keys = dataset.annotations.filter(pl.col("track").is_not_null() & pl.col("keyframe")).join(shown, on="image", how="semi")
    keys = keys.join(where, on="image").select("track", "frame", "kind", key_frame="frame", key_part="part").sort("frame")
    everything = interpolate(dataset).annotations.filter(pl.col("track").is_not_null())
    stored = dataset.annotations.filter(pl.col("track").is_not_null())
    # Rows that were interpolated have new ids; the stored rows of a skeleton stand for it until each part has its own.
    owners = everything.select(parent="id", owner="track").join(
        stored.group_by("track", maintain_order=True).agg(whole=pl.col("id").first()), left_on="owner", right_on="track"
    )
    everything = everything.join(owners, on="parent", how="left", maintain_order="left")
    everything = everything.with_columns(parent=pl.coalesce("whole", "parent")).drop("owner", "whole")
    seen = everything.filter(pl.col("keyframe") == pl.lit(value=False))
    views = seen.join(where, on="image").join(keys.select("track").unique(), on="track", how="semi").sort("frame")
    views = views.join_asof(keys.drop("kind"), on="frame", by="track", strategy="backward", check_sortedness=False)
    following = keys.select("track", "frame", next_part="key_part")
    views = views.join_asof(following, on="frame", by="track", strategy="forward", check_sortedness=False)
    piece = ["track", "part", "key_frame"]
    begun, goes_on = pl.col("key_part") < pl.col("part"), (pl.col("next_part") > pl.col("part")).fill_null(value=False)
    morphs = pl.col("kind").cast(pl.String).is_in(list(_MORPHED)) & pl.col("next_part").is_not_null()
    at_first = begun & (pl.col("frame") == pl.col("frame").min().over(piece))
    at_last = goes_on & (pl.col("frame") == pl.col("frame").max().over(piece))
    chosen = views.filter(at_first | at_last | (morphs & (pl.col("key_part") < pl.col("next_part"))))
    return chosen.select(*dataset.annotations.columns, "part").sort("track", "image")


def _with_own_parents(annotations: pl.DataFrame, places: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    """Elements of tracked skeletons belong to the first row of their skeleton in their own part."""
    rows = annotations.join(places.select("image", "part", "frame"), on="image").filter(pl.col("track").is_not_null())
    owners = annotations.select(parent="id", owner="track")
    first = rows.sort("frame", "id").group_by("track", "part", maintain_order=True).agg(new=pl.col("id").first())
    elements = rows.filter(pl.col("parent").is_not_null()).join(owners, on="parent").filter(pl.col("owner").is_not_null())
    # What stands in the part of its skeleton's row may stay as it is.
    at = rows.select(parent="id", at="part")
    away = elements.join(at, on="parent", how="left").filter(pl.col("at").ne_missing(pl.col("part")))
    changed = away.join(first, left_on=["owner", "part"], right_on=["track", "part"]).select("id", "new", "parent")
    joined = annotations.join(changed.select("id", "new"), on="id", how="left", maintain_order="left")
    return joined.with_columns(parent=pl.coalesce("new", "parent")).drop("new"), changed.select("id", "parent").rows()


def _attributes_of_pieces(dataset: Dataset, annotations: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """What the first row of each piece must tell, because a row before the cut told it."""
    rows = annotations.join(places.select("image", "part", "frame"), on="image").filter(pl.col("track").is_not_null()).sort("frame", "id")
    firsts = rows.group_by("track", "part", maintain_order=True).agg(pl.col("id").first(), begins=pl.col("frame").first())
    firsts = firsts.filter(pl.col("part") > pl.col("part").min().over("track"))  # the track's own first row is as it was drawn
    told = dataset.attributes.join(rows.select("track", "frame", annotation="id"), on="annotation", maintain_order="left").sort("frame")
    held = (
        firsts.join(told, on="track").filter(~pl.col("mutable") | (pl.col("frame") <= pl.col("begins"))).sort("frame", maintain_order=True)
    )
    fixed = held.filter(~pl.col("mutable")).unique(["id", "name"], keep="first", maintain_order=True)
    changing = held.filter("mutable").unique(["id", "name"], keep="last", maintain_order=True)
    wanted = pl.concat([fixed, changing]).filter(pl.col("annotation") != pl.col("id")).drop("annotation").rename({"id": "annotation"})
    return tables.conform(
        ATTRIBUTES, wanted.join(dataset.attributes, on=["annotation", "name"], how="anti").select(dataset.attributes.columns)
    )


def _numbered(annotations: pl.DataFrame, places: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    """Every piece behind the first of its track gets a number of its own."""
    rows = annotations.with_row_index("row").join(places.select("image", "part"), on="image").filter(pl.col("track").is_not_null())
    pieces = rows.select("track", "part").unique().sort("track", "part")
    later = pieces.filter(pl.col("part") != pl.col("part").min().over("track"))
    later = later.with_columns(new=_next(annotations["track"]) + pl.int_range(pl.len(), dtype=pl.Int64))
    changed = rows.join(later, on=["track", "part"]).select("row", "new")
    joined = annotations.with_row_index("row").join(changed, on="row", how="left", maintain_order="left")
    return joined.with_columns(track=pl.coalesce("new", "track")).drop("row", "new"), later.select("new", "track").rows()


def _next(ids: pl.Series) -> int:
    return int(ids.max() or 0) + 1  # pyright: ignore[reportArgumentType]
