"""What must be true of the tables by themselves; each rule that is broken gives findings with the rows."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.data.findings import join_findings, no_findings

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.data.dataset import Dataset

_AREA_KINDS: Final = ("box", "polygon", "mask", "ellipse")
_LINE_KINDS: Final = ("polyline", "points")
_LEAST_NUMBERS: Final = {"polygon": 6, "polyline": 4, "points": 2, "ellipse": 4, "skeleton": 2, "cuboid": 16}


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule about single annotations: which columns it reads, which rows break it, and how to say so.

    `image` holds the picture's width and height in the columns image_width and image_height.
    """

    kind: str
    columns: tuple[str, ...]
    broken: pl.Expr
    reason: pl.Expr
    score: float = 1.0


def _numbers(*names: str) -> pl.Expr:
    return pl.format("(" + ", ".join("{}" for _ in names) + ")", *(pl.col(name).round(2) for name in names))


_BOX = ("x1", "y1", "x2", "y2")
_has_box = pl.all_horizontal(pl.col(*_BOX).is_not_null())
_finite = pl.all_horizontal(pl.col(*_BOX).is_finite())
_size = pl.col("points").list.len()
_least = pl.col("kind").cast(pl.String).replace_strict(_LEAST_NUMBERS, default=0, return_dtype=pl.Int64)

ROW_RULES: Final = (
    RowRule("not_a_number", _BOX, _has_box & ~_finite, pl.format("Its box {} holds what is no number.", _numbers(*_BOX))),
    RowRule(
        "no_box",
        ("kind", *_BOX),
        pl.col("kind").is_in(_AREA_KINDS) & ~_has_box,
        pl.format("A {} must have x1, y1, x2 and y2; some are missing.", pl.col("kind").cast(pl.String)),
    ),
    RowRule(
        "no_area",
        ("kind", *_BOX),
        _finite & pl.col("kind").is_in(_AREA_KINDS) & ((pl.col("x2") <= pl.col("x1")) | (pl.col("y2") <= pl.col("y1"))),
        pl.format("Its box {} has no area; x2 > x1 and y2 > y1 are needed.", _numbers(*_BOX)),
    ),
    RowRule(
        "box_outside",
        ("kind", "outside", *_BOX, "image_width", "image_height"),
        _finite
        & ~pl.col("outside")
        & pl.col("kind").is_in(_AREA_KINDS)
        & (
            (pl.col("x1") < -0.5)  # noqa: PLR2004 - half a pixel is rounding, not an error
            | (pl.col("y1") < -0.5)  # noqa: PLR2004
            | (pl.col("x2") > pl.col("image_width") + 0.5)
            | (pl.col("y2") > pl.col("image_height") + 0.5)
        ),
        pl.format("Its box {} leaves the picture of {} x {}.", _numbers(*_BOX), pl.col("image_width"), pl.col("image_height")),
        score=0.8,
    ),
    RowRule(
        "points",
        ("kind", "points"),
        _size.is_not_null() & ((_size % 2 == 1) | (_size < _least)),
        pl.format("A {} with {} numbers; expected pairs x, y, at least {} numbers.", pl.col("kind").cast(pl.String), _size, _least),
    ),
    RowRule(
        "not_a_number",
        ("points",),
        pl.col("points").list.eval(pl.element().is_finite()).list.all().not_(),
        pl.lit("One of its points is no number."),
    ),
    RowRule(
        "point_outside",
        ("kind", "points", "visibility", "outside", "image_width", "image_height"),
        ~pl.col("outside")
        & pl.col("kind").is_in(_LINE_KINDS)
        & pl.col("visibility").is_null()
        & (
            (pl.col("points").list.min() < -0.5)  # noqa: PLR2004 - half a pixel is rounding, not an error
            | (pl.col("points").list.gather_every(2).list.max() > pl.col("image_width") + 0.5)
            | (pl.col("points").list.gather_every(2, 1).list.max() > pl.col("image_height") + 0.5)
        ),
        pl.format("Some of its points lie outside of the picture of {} x {}.", pl.col("image_width"), pl.col("image_height")),
        score=0.8,
    ),
    RowRule(
        "parts",
        ("points", "parts"),
        pl.col("parts").is_not_null() & (pl.col("parts").list.sum().cast(pl.Int64) * 2 != _size.cast(pl.Int64)),
        pl.format("Its parts name {} points, it has {}.", pl.col("parts").list.sum(), _size // 2),
    ),
    RowRule(
        "score_range",
        ("score",),
        pl.col("score").is_not_null() & ~pl.col("score").is_between(0, 1),
        pl.format("Its score is {}; expected a number from 0 to 1.", pl.col("score")),
    ),
    RowRule("no_class", ("class",), pl.col("class").is_null(), pl.lit("It has no class."), score=0.5),
)


def broken_invariants(dataset: Dataset) -> pl.DataFrame:
    """Findings for every rule that the tables break."""
    rules: tuple[Callable[[Dataset], pl.DataFrame], ...] = (
        _annotation_rows,
        _orphans,
        _unknown_classes,
        _repeated_ids,
        _repeated_annotations,
        _repeated_paths,
        _class_names,
        _tags,
        _tracks,
    )
    return join_findings(*(rule(dataset) for rule in rules))


def findings_from(frame: pl.LazyFrame, kind: str, reason: pl.Expr, *, score: float = 1.0, is_issue: bool = True) -> pl.DataFrame:
    """Findings out of the rows of a query; columns named as those of a findings table are carried over."""
    # Two steps: Polars' streaming engine can fail on the text of a batch that a filter left empty.
    rows = frame.collect(engine="streaming")
    if rows.is_empty():
        return no_findings()
    carried = [name for name in ("image", "annotation", "path", "position", "given", "suggestion", "group") if name in rows.columns]
    told = (reason.alias("reason"), pl.lit(kind).alias("kind"), pl.lit(score).alias("score"), pl.lit(is_issue).alias("is_issue"))
    return rows.with_columns(told).select("kind", "score", "is_issue", "reason", *carried)


def _annotation_rows(dataset: Dataset) -> pl.DataFrame:
    """All rules about single rows in one pass over the columns that are stored."""
    stored = set(dataset.frames["annotations"].collect_schema().names())
    rules = [r for r in ROW_RULES if any(c in stored for c in r.columns if c not in {"kind", "outside", "image_width", "image_height"})]
    needed = sorted({c for r in rules for c in r.columns if not c.startswith("image_")} | {"id", "image"})
    broken = [rule.broken.fill_null(value=False) for rule in rules]
    rows = _with_sizes(dataset.scan("annotations", *needed), dataset).rename({"id": "annotation"})
    bad = rows.filter(pl.any_horizontal(broken)).collect(engine="streaming").lazy()
    parts = [findings_from(bad.filter(rows), r.kind, r.reason, score=r.score) for rows, r in zip(broken, rules, strict=True)]
    return join_findings(*parts)


def _with_sizes(rows: pl.LazyFrame, dataset: Dataset) -> pl.LazyFrame:
    """Each row with its picture's size; where the pictures' ids lie close, a table by id does it in less time and memory than a join."""
    names = {"id": "image", "width": "image_width", "height": "image_height"}
    sizes = dataset.scan("images", *names).rename(names).collect()
    low, high = (sizes["image"].min() or 0, sizes["image"].max() or 0)
    if not isinstance(low, int) or not isinstance(high, int) or high - low > 4 * sizes.height or sizes["image"].is_duplicated().any():
        return rows.join(sizes.lazy(), on="image", how="left")
    # One row more, without a size, stands for every picture that there is not.
    by_id = pl.DataFrame({"image": pl.int_range(low, high + 2, eager=True)}).join(sizes, on="image", how="left", maintain_order="left")
    place = pl.when(pl.col("image").is_between(low, high)).then(pl.col("image") - low).otherwise(high + 1 - low)
    return rows.with_columns(place.alias("place")).with_columns(
        pl.col("place").map_batches(by_id[name].gather, return_dtype=by_id[name].dtype, is_elementwise=True).alias(name)
        for name in ("image_width", "image_height")
    )


def _orphans(dataset: Dataset) -> pl.DataFrame:
    images = dataset.scan("images", "id").rename({"id": "image"})
    lost = dataset.scan("annotations", "id", "image").rename({"id": "annotation"}).join(images, on="image", how="anti")
    media = dataset.scan("media", "id").rename({"id": "media"})
    empty = dataset.scan("images", "id", "media").rename({"id": "image"}).join(media, on="media", how="anti")
    return join_findings(
        findings_from(lost, "unknown_image", pl.format("It lies on picture {}, which does not exist.", pl.col("image"))),
        findings_from(empty, "unknown_media", pl.format("Its media row {} does not exist.", pl.col("media"))),
    )


def _unknown_classes(dataset: Dataset) -> pl.DataFrame:
    known = dataset.scan("classes", "id").rename({"id": "class"})
    rows = dataset.scan("annotations", "id", "image", "class").filter(pl.col("class").is_not_null()).rename({"id": "annotation"})
    return findings_from(
        rows.join(known, on="class", how="anti"), "unknown_class", pl.format("Its class {} is not among the classes.", pl.col("class"))
    )


def _repeated_ids(dataset: Dataset) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for table, name in (("media", None), ("images", "image"), ("annotations", "annotation"), ("classes", None)):
        ids = dataset.scan(table, "id").collect()["id"]
        if ids.is_sorted() and not (ids.diff() == 0).any():
            continue
        twice = ids.to_frame().lazy().group_by("id").len().filter(pl.col("len") > 1).sort("id")
        reason = pl.format(f"The id {{}} stands {{}} times in table {table}; it must be unique.", pl.col("id"), pl.col("len"))
        parts.append(findings_from(twice.with_columns(pl.col("id").cast(pl.Int64).alias(name)) if name else twice, "repeated_id", reason))
    return join_findings(*parts)


def _repeated_annotations(dataset: Dataset) -> pl.DataFrame:
    """Boxes and tags that stand twice on one picture, exactly equal."""
    what = ["image", "class", "kind", *_BOX]
    rows = dataset.scan("annotations", "id", "track", "parent", "group", *what)
    alone = rows.filter(
        pl.col("kind").is_in(["box", "tag"]) & pl.col("track").is_null() & pl.col("parent").is_null() & (pl.col("group") == 0)
    )
    # A hash first: grouping seven columns of ten million rows would need more memory than the table itself.
    key = functools.reduce(operator.xor, (pl.col(name).to_physical().hash(seed) for seed, name in enumerate(what)))
    twice_hashed = _repeated(alone.select(key.alias("key")).collect(engine="streaming")["key"])
    if twice_hashed.is_empty():
        return join_findings()
    groups = alone.filter(key.is_in(twice_hashed.implode())).group_by(what).agg(pl.col("id").sort())
    twice = groups.filter(pl.col("id").list.len() > 1).with_columns(pl.col("id").list.last().alias("annotation")).sort("annotation")
    reason = pl.format("It stands {} times on the picture, with equal class and box.", pl.col("id").list.len())
    return findings_from(twice, "repeated_annotation", reason, score=0.9)


def _repeated_paths(dataset: Dataset) -> pl.DataFrame:
    paths = dataset.scan("media", "path", "kind").filter(pl.col("kind") == "image")
    normal = paths.with_columns(pl.col("path").str.normalize("NFC").str.to_lowercase().alias("key"))
    twice_hashed = _repeated(normal.select(pl.col("key").hash()).collect(engine="streaming")["key"])
    if twice_hashed.is_empty():
        return join_findings()
    normal = normal.filter(pl.col("key").hash().is_in(twice_hashed.implode()))
    groups = normal.group_by("key").agg(pl.col("path"), pl.col("path").n_unique().alias("spellings")).filter(pl.col("path").list.len() > 1)
    named = groups.sort("key").with_columns(pl.col("path").list.join(", ").alias("all"), pl.col("path").list.first())
    same, differ = named.filter(pl.col("spellings") == 1), named.filter(pl.col("spellings") > 1)
    return join_findings(
        findings_from(same, "repeated_path", pl.lit("The same file stands in several rows.")),
        findings_from(differ, "path_spelling", pl.format("Paths differ only in case or Unicode form: {}.", pl.col("all")), score=0.5),
    )


def _repeated(keys: pl.Series) -> pl.Series:
    """The values that stand more than once; sorting needs a fraction of the memory that counting them would."""
    ordered = np.sort(keys.to_numpy())
    return pl.Series(ordered[1:][ordered[1:] == ordered[:-1]]).unique()


def _class_names(dataset: Dataset) -> pl.DataFrame:
    names = dataset.scan("classes", "id", "name").with_columns(pl.col("name").str.strip_chars().str.to_lowercase().alias("key"))
    groups = names.group_by("key").agg(pl.col("name"), pl.col("name").n_unique().alias("spellings")).sort("key")
    alike = groups.filter(pl.col("name").list.len() > 1)
    reason = pl.format("Classes differ only in case or spaces, or not at all: {}.", pl.col("name").list.join(", "))
    empty = names.filter(pl.col("key") == "")
    return join_findings(findings_from(alike, "class_names", reason), findings_from(empty, "class_names", pl.lit("A class has no name.")))


def _tags(dataset: Dataset) -> pl.DataFrame:
    """A picture with two different class labels; a track has its own rules."""
    tags = dataset.scan("annotations", "image", "class", "kind").filter((pl.col("kind") == "tag") & pl.col("class").is_not_null())
    several = tags.group_by("image").agg(pl.col("class").n_unique().alias("count")).filter(pl.col("count") > 1).sort("image")
    return findings_from(several, "several_labels", pl.format("The picture carries {} different class labels.", pl.col("count")), score=0.5)


def _tracks(dataset: Dataset) -> pl.DataFrame:
    if "track" not in dataset.frames["annotations"].collect_schema().names():
        return join_findings()
    rows = dataset.scan("annotations", "id", "image", "class", "kind", "track", "outside", "parent").filter(
        pl.col("track").is_not_null() & pl.col("parent").is_null()
    )
    tracks = rows.group_by("track").agg(
        pl.col("class").n_unique().alias("classes"),
        pl.col("kind").n_unique().alias("kinds"),
        pl.col("outside").all().alias("hidden"),
        pl.col("id").first().alias("annotation"),
        pl.col("image").first(),
    )
    # Where jobs overlap each has a copy of its own.
    held = dataset.scan("annotations", "id", "jobs").explode("jobs", empty_as_null=True, keep_nulls=True)
    in_jobs = rows.join(held, on="id", how="left") if "jobs" in dataset.frames["annotations"].collect_schema().names() else rows
    by = ["track", "image", *(["jobs"] if in_jobs is not rows else [])]
    twice = in_jobs.group_by(by).agg(pl.len(), pl.col("id").max().alias("annotation")).filter(pl.col("len") > 1)
    twice = twice.unique(["track", "image"], keep="any")
    track = pl.col("track")
    return join_findings(
        findings_from(
            tracks.filter(pl.col("classes") > 1).sort("track"), "track_classes", pl.format("Track {} has several classes.", track)
        ),
        findings_from(tracks.filter(pl.col("kinds") > 1).sort("track"), "track_kinds", pl.format("Track {} mixes kinds of shapes.", track)),
        findings_from(
            tracks.filter(pl.col("hidden")).sort("track"), "track_hidden", pl.format("Track {} is never visible.", track), score=0.5
        ),
        findings_from(
            twice.sort("track", "image"), "track_twice", pl.format("Track {} stands {} times in one frame.", track, pl.col("len"))
        ),
    )
