"""Lines of label files, all at once: what each one is, and what is wrong with it.

class cx cy w h                    a box
class cx cy w h score              a predicted box
class x1 y1 x2 y2 x3 y3 ...        a polygon; four points may be a rotated box
class x1 y1 ... score              a predicted polygon
class cx cy w h x y [v] x y [v] …  a box with keypoints, where data.yaml has kpt_shape
x1 y1 x2 y2 x3 y3 x4 y4 name d     a rotated box in pixels (DOTA, Roboflow's "oriented bounding boxes")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BOX: Final = 5
_SCORED_BOX: Final = 6
_DOTA: Final = 10
_TOO_LARGE: Final = 10.0
"""A share of the picture above this cannot be meant: the file's numbers are in pixels."""


def label_rows(files: Sequence[str], texts: Sequence[str], keypoints: tuple[int, int] | None) -> pl.DataFrame:
    """Every line of every file that is not blank.

    Args:
        files: Their paths.
        texts: What they hold, with bare newlines.
        keypoints: Number of keypoints of a row and of numbers of each (2 or 3), where the rows have any.

    Returns:
        Columns file (its number), line (from 1), text, form (box, ring, pose, dota or bad), class (Float64), name (DOTA), score,
        numbers (the coordinates as given), pixels (whether they are in pixels), reason (of what is bad).
    """
    lines = (
        pl.LazyFrame({"file": range(len(files)), "text": texts}, schema={"file": pl.Int64, "text": pl.String})
        .with_columns(text=pl.col("text").str.split("\n"))
        .explode("text")
        .with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("file"), text=pl.col("text").str.strip_chars())
        .filter(pl.col("text") != "")
        .with_columns(tokens=pl.col("text").str.replace_all(r"\s+", " ").str.split(" "))
        .with_columns(count=pl.col("tokens").list.len().cast(pl.Int64))
        .collect()
    )
    numbers = lines["tokens"].list.eval(pl.element().cast(pl.Float64, strict=False))
    return _formed(lines.with_columns(numbers=numbers), keypoints)


def _formed(lines: pl.DataFrame, keypoints: tuple[int, int] | None) -> pl.DataFrame:
    count, numbers = pl.col("count"), pl.col("numbers")
    named = (count == _DOTA) & numbers.list.get(8, null_on_oob=True).is_null()
    pose = pl.lit(False) if keypoints is None else count.is_in([_BOX + keypoints[0] * keypoints[1], _BOX + keypoints[0] * keypoints[1] + 1])
    form = (
        pl.when(named)
        .then(pl.lit("dota"))
        .when(count < _BOX)
        .then(pl.lit("bad"))
        .when(pose)
        .then(pl.lit("pose"))
        .when(count <= _SCORED_BOX)
        .then(pl.lit("box"))
        .otherwise(pl.lit("ring"))
    )
    formed = lines.with_columns(form=form)
    length = _length(keypoints)
    first = pl.when(pl.col("form") == "dota").then(0).otherwise(1)
    coordinates = numbers.list.slice(first, length)
    scored = (pl.col("form") != "dota") & (count > first + length)
    told = formed.with_columns(
        score=pl.when(scored).then(numbers.list.last()),
        name=pl.when(pl.col("form") == "dota").then(pl.col("tokens").list.get(8, null_on_oob=True)),
        number=pl.when(pl.col("form") != "dota").then(numbers.list.first()),
        numbers=coordinates,
        count=count,
    ).rename({"number": "class"})
    return _judged(told).select("file", "line", "text", "form", "class", "name", "score", "numbers", "pixels", "reason")


def _length(keypoints: tuple[int, int] | None) -> pl.Expr:
    """How many coordinates a row has; what follows them is a score."""
    pairs = (pl.col("count") - 1) // 2 * 2
    pose = _BOX - 1 + (keypoints[0] * keypoints[1] if keypoints else 0)
    known = pl.when(pl.col("form") == "dota").then(8).when(pl.col("form") == "box").then(4).when(pl.col("form") == "pose").then(pose)
    return known.otherwise(pairs)


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    """Mark what cannot be used: too few numbers, no numbers, infinite ones, a class or score that is none."""
    finite = pl.col("numbers").list.eval(pl.element().is_finite() & pl.element().is_not_null()).list.all()
    number = pl.col("class")
    checks: Mapping[str, pl.Expr] = {
        "It has fewer than five numbers.": pl.col("form") == "bad",
        "A coordinate is no finite number.": ~finite,
        "The class is no whole number.": pl.col("name").is_null() & (number.is_null() | (number != number.floor()) | ~number.is_finite()),
        "The last number is no score between 0 and 1.": pl.col("score").is_not_null() & ~pl.col("score").is_between(0, 1),
    }
    reason = pl.coalesce([pl.when(wrong).then(pl.lit(text)) for text, wrong in checks.items()])
    largest = pl.col("numbers").list.eval(pl.element().abs()).list.max()
    shape = pl.col("form").is_in(["box", "ring"])
    in_pixels = shape & (largest > 1) & (pl.when(shape & (largest < float("inf"))).then(largest).max().over("file") > _TOO_LARGE)
    judged = rows.with_columns(reason=reason, pixels=(pl.col("form") == "dota") | in_pixels)
    return judged.with_columns(form=pl.when(pl.col("reason").is_not_null()).then(pl.lit("bad")).otherwise("form"))
