"""Pieces of tracks that become whole tracks again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.tracks import interpolate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.dataset import Dataset

ENOUGH: Final = 0.5
"""Overlap across a cut from which two pieces are one object."""

_EXACT: Final = 1e-6  # px; two ways of computing one number
_BOX: Final = ("x1", "y1", "x2", "y2")


def join_tracks(in_parts: Dataset, whole: Dataset, places: pl.DataFrame, told: Mapping[str, Any] | None) -> Dataset:
    """Make whole tracks of pieces.

    Args:
        in_parts: The dataset of the parts.
        whole: The same rows, with the pictures of the whole already.
        places: The frames: image, part, frame (in the whole).
        told: What `burnish.video.part_tracks.cut_tracks` said of the way back; None lets pieces be joined by their overlap.

    Returns:
        The dataset of the whole; key frames that were added at cuts, and still say what is interpolated without them, are gone.
    """
    if told is None:
        joined = _joined(whole, _overlapping(in_parts, places))
        return _without(joined, _keys_at_cuts(joined, places))
    numbers = dict(told["tracks"])
    parents = pl.DataFrame(told["parents"], schema={"id": pl.Int64, "old": pl.Int64}, orient="row")
    rows = whole.annotations.with_columns(pl.col("track").replace(numbers)).join(parents, on="id", how="left", maintain_order="left")
    there = pl.col("old").is_in(rows["id"].implode())
    rows = rows.with_columns(parent=pl.when(there).then("old").otherwise("parent")).drop("old")
    schema = {"annotation": pl.Int64, "name": pl.String, "value": pl.String, "mutable": pl.Boolean}
    added = pl.DataFrame(told["added"], schema=schema, orient="row")
    # A made row needs its changeable attributes until it is known to be superfluous.
    kept = whole.attributes.join(added.filter(~pl.col("annotation").is_in(told["made"])), on=[*schema], how="anti", maintain_order="left")
    back = whole.with_tables(annotations=rows, attributes=kept)
    return _without(back, rows.filter(pl.col("id").is_in([*told["made"], *told["keyed"]]))["id"], keyed=told["keyed"])


def _without(dataset: Dataset, candidates: pl.Series, keyed: list[int] | None = None) -> Dataset:
    """Drop those of some key frames without which every frame shows the same; `keyed` are no key frames any more and stay."""
    dropped = candidates
    while len(dropped):
        rows = dataset.annotations
        candidate = rows.filter(pl.col("id").is_in(dropped.implode()))
        rest = rows.filter(~pl.col("id").is_in(dropped.implode()))
        parents = candidate.select(parent="id", of_track="track")
        firsts = rest.filter(pl.col("track").is_not_null()).group_by("track", maintain_order=True).agg(first=pl.col("id").first())
        rest = _with_parents(rest, parents.join(firsts, left_on="of_track", right_on="track"))
        stays = candidate.filter(pl.col("id").is_in(keyed or [])).with_columns(keyframe=pl.lit(value=False))
        left = dataset.with_tables(
            annotations=_in_order(pl.concat([rest, stays]), rows),
            attributes=dataset.attributes.filter(~pl.col("annotation").is_in(dropped.implode()) | pl.col("annotation").is_in(keyed or [])),
        )
        differing = _differing(dataset, left, candidate)
        if not len(differing):
            return left
        dropped = dropped.filter(~dropped.is_in(differing.implode()))
    return dataset


def _in_order(rows: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    places = model.select("id").with_row_index("place")
    return rows.join(places, on="id", how="left").sort("place").drop("place")


def _with_parents(rows: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    joined = rows.join(changed.select("parent", "first"), on="parent", how="left", maintain_order="left")
    return joined.with_columns(parent=pl.coalesce("first", "parent")).drop("first")


def _differing(before: Dataset, after: Dataset, candidates: pl.DataFrame) -> pl.Series:
    """Those candidates whose view is another one, or none, when they are no key frames."""
    seen = _views(after).filter(pl.col("track").is_in(candidates["track"].implode()))
    views = _views(before).join(candidates.select("track", "image", candidate="id"), on=["track", "image"])
    met = views.join(seen, on=["track", "image"], how="left", suffix="_then")
    numbers = [_near(name, f"{name}_then") for name in (*_BOX, "rotation")]
    same = [pl.col(name).eq_missing(pl.col(f"{name}_then")) for name in ("class", "kind", "outside", "occluded", "z_order", "told")]
    lengths = pl.col("points").list.len().eq_missing(pl.col("points_then").list.len())
    near = pl.col("points").is_null() | (
        (pl.col("points") - pl.col("points_then")).list.eval(pl.element().abs()).list.max().fill_null(0.0) <= _EXACT
    )
    comparable = met.filter(lengths).filter(pl.all_horizontal(*numbers, *same))
    alike = comparable.filter(near)["candidate"]
    return candidates.filter(~pl.col("id").is_in(alike.implode()))["id"]


def _near(one: str, two: str) -> pl.Expr:
    """Whether two numbers are equal but for the way they were computed; nothing equals nothing."""
    return ((pl.col(one) - pl.col(two)).abs() <= _EXACT).fill_null(pl.col(one).is_null() & pl.col(two).is_null())


def _views(dataset: Dataset) -> pl.DataFrame:
    shown = interpolate(dataset)
    told = shown.attributes.sort("name").group_by("annotation", maintain_order=True).agg(told=pl.concat_str("name", "value", separator="="))
    rows = shown.annotations.filter(pl.col("track").is_not_null())
    columns = ["track", "image", "class", "kind", "outside", "occluded", "z_order", "points", "rotation", *_BOX]
    return rows.join(told, left_on="id", right_on="annotation", how="left").select(*columns, "told")


def _keys_at_cuts(dataset: Dataset, places: pl.DataFrame) -> pl.Series:
    """Key frames on the shown frames beside the cuts, of tracks that have others."""
    shown = places.join(dataset.images.filter(~pl.col("deleted")).select(image="id"), on="image", how="semi")
    beside = shown.filter((pl.col("frame") == pl.col("frame").min().over("part")) | (pl.col("frame") == pl.col("frame").max().over("part")))
    edges = beside.filter((pl.col("frame") > shown["frame"].min()) & (pl.col("frame") < shown["frame"].max()))
    keys = dataset.annotations.filter(pl.col("track").is_not_null() & pl.col("keyframe"))
    frames = keys.join(places.select("image", "frame"), on="image")
    later = frames.filter(pl.col("frame") > pl.col("frame").min().over("track"))
    # Where an object goes is always new; elements of a skeleton stay there while they are outside.
    return later.join(edges.select("image"), on="image", how="semi").filter(~pl.col("outside") | pl.col("parent").is_not_null())["id"]


def _overlapping(dataset: Dataset, places: pl.DataFrame) -> dict[int, int]:
    """Number of a piece -> number of the piece before it, for pieces that meet at a cut; single points that move are not known again."""
    shown = places.join(dataset.images.filter(~pl.col("deleted")).select(image="id"), on="image", how="semi")
    everything = interpolate(dataset).annotations.filter(pl.col("track").is_not_null() & ~pl.col("outside"))
    elements = everything.filter(pl.col("parent").is_not_null()).group_by(id="parent")
    around = elements.agg(*(pl.col(name).min() for name in ("x1", "y1")), *(pl.col(name).max() for name in ("x2", "y2")))
    rows = everything.filter(pl.col("parent").is_null()).join(around, on="id", how="left", suffix="_around")
    boxes = [pl.coalesce(name, f"{name}_around").alias(name) for name in _BOX]  # a skeleton has no box of its own
    views = rows.select("image", "class", "kind", "track", *boxes).join(shown, on="image")
    last = views.join(shown.group_by("part").agg(pl.col("frame").max()), on=["part", "frame"])
    first = views.join(shown.group_by("part").agg(pl.col("frame").min()), on=["part", "frame"]).with_columns(part=pl.col("part") - 1)
    met = last.join(first, on=["part", "class", "kind"], suffix="_b").with_columns(overlap=_overlap()).filter(pl.col("overlap") >= ENOUGH)
    met = met.sort(["part", "overlap", "track", "track_b"], descending=[False, True, False, False])
    before: dict[int, int] = {}
    continued: set[int] = set()
    for one, two in met.select("track", "track_b").iter_rows():
        if one not in continued and two not in before and one != two:
            before[int(two)] = before.get(int(one), int(one))
            continued.add(int(one))
    return before


def _overlap() -> pl.Expr:
    """Intersection over union of two boxes; 1 where they are equal, which joins points and lines too."""
    width = (pl.min_horizontal("x2", "x2_b") - pl.max_horizontal("x1", "x1_b")).clip(lower_bound=0)
    height = (pl.min_horizontal("y2", "y2_b") - pl.max_horizontal("y1", "y1_b")).clip(lower_bound=0)
    areas = sum((pl.col(f"x2{end}") - pl.col(f"x1{end}")) * (pl.col(f"y2{end}") - pl.col(f"y1{end}")) for end in ("", "_b"))
    union = areas - width * height
    equal = pl.all_horizontal(_near(name, f"{name}_b") for name in _BOX)
    return pl.when(equal).then(1.0).when(union > 0).then(width * height / union).otherwise(0.0)


def _joined(dataset: Dataset, before: dict[int, int]) -> Dataset:
    """Pieces with the number of the first of them; elements of skeletons follow, and what holds for a whole track is told once."""
    rows = dataset.annotations.with_columns(pl.col("track").replace(before))
    owners = rows.select(parent="id", owner="track")
    elements = rows.filter(pl.col("parent").is_not_null() & pl.col("track").is_not_null()).join(owners, on="parent")
    elements = elements.filter(pl.col("owner").is_not_null())
    first = elements.group_by("owner", "class", maintain_order=True).agg(same=pl.col("track").min())
    follow = elements.join(first, on=["owner", "class"]).select("track", "same").unique()
    rows = rows.with_columns(pl.col("track").replace(dict(follow.iter_rows())))
    of_track = rows.filter(pl.col("track").is_not_null()).select("track", annotation="id")
    fixed = dataset.attributes.with_row_index("row").filter(~pl.col("mutable")).join(of_track, on="annotation")
    again = fixed.filter(pl.col("row") != pl.col("row").min().over("track", "name", "value"))["row"]
    attributes = dataset.attributes.with_row_index("row").filter(~pl.col("row").is_in(again.implode())).drop("row")
    return dataset.with_tables(annotations=rows, attributes=attributes)
