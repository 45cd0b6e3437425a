"""Annotations as lines of label files, as whole columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from burnish.data.findings import findings_table, join_findings
from burnish.formats.lists import flat, list_column
from burnish.geometry import joining, polygons, rasters, rle, rotated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DrawnTask: TypeAlias = Literal["detect", "segment", "obb", "pose"]

_DECIMALS: Final = 12
"""Digits after the point: in a picture of 100,000 pixels the last one is a ten-millionth of a pixel."""

_MIN_NUMBERS: Final = 6
_VISIBILITY: Final = 2
_OWN_KIND: Final = {"detect": "box", "segment": "polygon", "obb": "box", "pose": "skeleton"}


class Lines(NamedTuple):
    """Lines by annotation (columns id, image, text), and findings on shapes that are not quite what was drawn."""

    table: pl.DataFrame
    findings: pl.DataFrame


def label_lines(rows: pl.DataFrame, task: DrawnTask, keypoints: int, *, scores: bool) -> Lines:
    """One line for each annotation.

    Args:
        rows: Annotations with finite corners, `index` of the class, and `width` and `height` of the picture, none of them null.
        task: What the lines are to be.
        keypoints: How many keypoints each row of the task pose has; missing ones are written as 0 0 0.
        scores: Whether a score stands at the end of the lines that have one.
    """
    if task == "segment":
        rows, outlines = _outlines(rows)
        numbers = _shares(rows, *outlines)
    elif task == "obb":
        corners = rotated.corners(rotated.from_boxes(_corners(rows), rows["rotation"].to_numpy()))
        numbers = _shares(rows, corners.ravel(), np.full(len(rows), 8))
    else:
        numbers = None
    columns = [pl.col("index").cast(pl.String)]
    columns += _centred() if numbers is None else [numbers]
    columns += [_keypoints(rows, keypoints)] if task == "pose" else []
    columns += [pl.col("score").round(_DECIMALS).cast(pl.String)] if scores else []
    text = pl.concat_str(columns, separator=" ", ignore_nulls=True)
    return Lines(rows.select("id", "image", text=text), _approximations(rows, task))


def _centred() -> list[pl.Expr]:
    x1, y1, x2, y2, width, height = (pl.col(name) for name in ("x1", "y1", "x2", "y2", "width", "height"))
    shares = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]
    return [share.round(_DECIMALS).cast(pl.String) for share in shares]


def _corners(rows: pl.DataFrame) -> NDArray[np.float64]:
    return rows.select("x1", "y1", "x2", "y2").to_numpy()


def _shares(rows: pl.DataFrame, values: NDArray[np.float64], lengths: NDArray[np.int64]) -> pl.Series:
    """Pixels x, y, x, y, ... as shares of the picture, joined to one text a row."""
    sizes = rows.select("width", "height").to_numpy().astype(np.float64)
    owner = np.repeat(np.arange(len(rows)), lengths)
    # Every row has an even number of values, so that x and y take turns over the whole length.
    shares = np.round(values / sizes[owner, np.arange(len(values)) % 2], _DECIMALS)
    return list_column(shares, lengths, pl.Float64).list.eval(pl.element().cast(pl.String)).list.join(" ").alias("shares")


def _keypoints(rows: pl.DataFrame, count: int) -> pl.Series:
    """X y v of each keypoint; rows without a skeleton, and places that a skeleton does not fill, have 0 0 0."""
    table = np.zeros((len(rows), count, 3))
    sizes = rows.select("width", "height").to_numpy().astype(np.float64)
    skeletal = rows.with_row_index("at").filter((pl.col("kind") == "skeleton") & (pl.col("points").list.len() > 0))
    for at, points, visible in skeletal.select("at", "points", "visibility").iter_rows():
        pairs = np.asarray(points).reshape(-1, 2)[:count]
        table[at, : len(pairs), :2] = pairs / sizes[at]
        table[at, : len(pairs), 2] = 2 if visible is None else visible[: len(pairs)]
    values = pl.Series(np.round(table, _DECIMALS).ravel())
    texts = values.cast(pl.String).to_frame("text").with_columns(whole=pl.Series(np.arange(len(values)) % 3 == _VISIBILITY))
    short = texts.select(pl.when("whole").then(pl.col("text").str.strip_suffix(".0")).otherwise("text").alias("text"))["text"]
    return list_column(short.to_numpy(), np.full(len(rows), count * 3), pl.String).list.join(" ").alias("keypoints")


def _outlines(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """One ring for each row: its own, its parts joined by bridges, its mask's outline, or its box's corners."""
    simple = (pl.col("kind") == "polygon") & (pl.col("points").list.len() >= _MIN_NUMBERS) & (pl.col("parts").list.len().fill_null(1) <= 1)
    plain = rows.filter(simple)
    other = rows.filter(~simple | simple.is_null())
    values, lengths = flat(plain["points"])
    drawn = [_ring(row) for row in other.iter_rows(named=True)]
    both = pl.concat([plain, other]) if len(other) else plain
    numbers = np.concatenate([values.astype(np.float64), *[ring.ravel() for ring in drawn]])
    return both, (numbers, np.concatenate([lengths, np.array([ring.size for ring in drawn], dtype=np.int64)]))


def _ring(row: dict[str, object]) -> NDArray[np.float64]:
    if row["kind"] == "polygon" and row["points"]:
        rings = [ring for ring in polygons.from_flat(row["points"], row["parts"]) if len(ring) * 2 >= _MIN_NUMBERS]  # pyright: ignore[reportArgumentType]
        if rings:
            return joining.join(rings)
    if row["kind"] == "mask" and row["mask"]:
        mask = rle.decode(rle.decompress(row["mask"]), row["height"], row["width"])  # pyright: ignore[reportArgumentType]
        if mask.any():
            return joining.join([ring for part in rasters.trace(mask) for ring in part])
    corners = np.array([[row["x1"], row["y1"], row["x2"], row["y2"]]], dtype=np.float64)
    return rotated.corners(rotated.from_boxes(corners, float(row["rotation"] or 0.0)))[0]  # pyright: ignore[reportArgumentType]


def _approximations(rows: pl.DataFrame, task: DrawnTask) -> pl.DataFrame:
    own = _OWN_KIND[task]
    kind = pl.col("kind").cast(pl.String)
    several = (kind == "polygon") & (pl.col("parts").list.len() > 1)
    said: Sequence[tuple[pl.Expr, pl.Expr]] = [
        (kind != own, pl.format("A label file of the task {} has no {}: it is written as {}.", pl.lit(task), kind, pl.lit(_AS[task]))),
        ((kind == "box") & (pl.col("rotation") != 0) & pl.lit(task == "detect"), pl.lit("The box is written without its turn.")),
        (several & pl.lit(task == "segment"), pl.lit("Its parts are written as one ring, joined by bridges of no width.")),
    ]
    parts = [_found(rows.filter(which), reason) for which, reason in said]
    return join_findings(*parts) if parts else findings_table([])


_AS: Final = {"detect": "its box", "segment": "its outline", "obb": "its box", "pose": "its box without keypoints"}


def _found(rows: pl.DataFrame, reason: pl.Expr) -> pl.DataFrame:
    said = {"kind": pl.lit("approximated"), "score": pl.lit(1.0), "is_issue": pl.lit(False)}
    return rows.select("image", pl.col("id").alias("annotation"), reason=reason, **said)
