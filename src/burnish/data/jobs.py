"""Jobs of one task that share frames: the pieces of a track that each of them holds, known as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from burnish.data.tracks import interpolate

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

ENOUGH: Final = 0.5
"""Mean overlap on the shared frames from which two pieces are one object; as in CVAT's own merging."""

_NEAR: Final = 1e-6


def with_joined_tracks(dataset: Dataset) -> Dataset:
    """Give the pieces of one track that lie in overlapping jobs the same number.

    Pieces of neighbouring jobs are one object where class and kind agree and the boxes around their views overlap by half on the
    frames that both jobs have (or are equal, which also joins points and lines); each piece joins one other at most. Rows stay as they
    are, so that jobs can be written again piece by piece.
    """
    jobs = dataset.jobs.filter(pl.col("kind").cast(pl.String) == "annotation").sort("task", "start_frame", "number")
    if jobs.group_by("task").len().filter(pl.col("len") > 1).is_empty() or dataset.annotations["track"].null_count() == len(
        dataset.annotations
    ):
        return dataset
    pairs = _neighbours(jobs)
    if pairs.is_empty():
        return dataset
    views = _views(interpolate(dataset), dataset)
    links = [_links(views, pair) for pair in pairs.to_dicts()]
    numbers: dict[int, int] = {}
    for earlier, later in pl.concat(links).iter_rows():
        numbers[int(later)] = numbers.get(int(earlier), int(earlier))
    if not numbers:
        return dataset
    changed = dataset.annotations.with_columns(pl.col("track").replace(numbers))
    return dataset.with_tables(annotations=_with_parts_joined(dataset.annotations, changed))


def _neighbours(jobs: pl.DataFrame) -> pl.DataFrame:
    """Consecutive jobs that share frames: task, a, b, first, last."""
    following = jobs.select(
        "task",
        a=pl.col("number"),
        b=pl.col("number").shift(-1).over("task"),
        first=pl.col("start_frame").shift(-1).over("task"),
        last=pl.col("stop_frame"),
    )
    return following.filter(pl.col("b").is_not_null() & (pl.col("first") <= pl.col("last")))


def _views(interpolated: Dataset, dataset: Dataset) -> pl.DataFrame:
    frames = dataset.images.select("task", "frame", image="id")
    rows = interpolated.annotations.filter(pl.col("track").is_not_null() & pl.col("parent").is_null())
    columns = rows.select("image", "class", pl.col("kind").cast(pl.String), "track", "jobs", "x1", "y1", "x2", "y2")
    return columns.join(frames, on="image", how="left", maintain_order="left")


def _links(views: pl.DataFrame, pair: dict[str, int]) -> pl.DataFrame:
    """Track of the earlier job and track of the later one that are the same object."""
    shared = views.filter((pl.col("task") == pair["task"]) & pl.col("frame").is_between(pair["first"], pair["last"]))
    earlier, later = (shared.filter(pl.col("jobs").list.contains(pair[name])) for name in ("a", "b"))
    seen = [side.group_by("track").agg(pl.len().alias("seen")) for side in (earlier, later)]
    met = earlier.join(later, on=["image", "class", "kind"], suffix="_b").with_columns(alike=_alike())
    sums = met.group_by("track", "track_b").agg(pl.col("alike").sum(), met=pl.len())
    sums = sums.join(seen[0], on="track").join(seen[1], left_on="track_b", right_on="track", suffix="_b")
    either = pl.col("seen") + pl.col("seen_b") - pl.col("met")
    good = (
        sums.with_columns(mean=pl.col("alike") / either)
        .filter(pl.col("mean") >= ENOUGH)
        .sort(["mean", "track", "track_b"], descending=[True, False, False])
    )
    taken: tuple[set[int], set[int]] = set(), set()
    chosen: list[tuple[int, int]] = []
    for one, two in good.select("track", "track_b").iter_rows():
        if one != two and one not in taken[0] and two not in taken[1]:
            chosen.append((one, two))
            taken[0].add(one)
            taken[1].add(two)
    return pl.DataFrame(chosen, schema={"track": pl.Int64, "track_b": pl.Int64}, orient="row")


def _alike() -> pl.Expr:
    """Overlap of two boxes (intersection over union), 1 where they are equal."""
    width = pl.min_horizontal("x2", "x2_b") - pl.max_horizontal("x1", "x1_b")
    height = pl.min_horizontal("y2", "y2_b") - pl.max_horizontal("y1", "y1_b")
    common = pl.max_horizontal(width, 0.0) * pl.max_horizontal(height, 0.0)
    areas = [(pl.col(f"x2{end}") - pl.col(f"x1{end}")) * (pl.col(f"y2{end}") - pl.col(f"y1{end}")) for end in ("", "_b")]
    union = areas[0] + areas[1] - common
    equal = pl.all_horizontal((pl.col(name) - pl.col(f"{name}_b")).abs() <= _NEAR for name in ("x1", "y1", "x2", "y2"))
    return pl.when(equal).then(1.0).when(union > 0).then(common / union).otherwise(0.0)


def _with_parts_joined(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Elements of skeletons follow: those of one class below one object are one track."""
    owners = after.select(parent="id", owner="track")
    parts = before.filter(pl.col("parent").is_not_null() & pl.col("track").is_not_null()).join(owners, on="parent", maintain_order="left")
    first = parts.group_by("owner", "class", maintain_order=True).agg(same=pl.col("track").first())
    numbers = parts.join(first, on=["owner", "class"]).filter(pl.col("track") != pl.col("same")).select("track", "same").unique()
    if numbers.is_empty():
        return after
    return after.with_columns(pl.col("track").replace(dict(numbers.iter_rows())))
