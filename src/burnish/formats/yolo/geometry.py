"""Numbers of label rows and pixels: boxes, rings, keypoints and rotated boxes as whole columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.formats.lists import flat, list_column
from burnish.geometry import rotated

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CORNERS = 8
_WITH_VISIBILITY = 3
_RECTANGLE_TOLERANCE = 0.02
"""Share of a side by which opposite corners may miss a rectangle: files are written with few digits."""


def shapes(rows: pl.DataFrame, keypoints: tuple[int, int] | None, *, turned: bool) -> pl.DataFrame:
    """Give rows their columns of the annotations table: kind, x1, y1, x2, y2, rotation, points, visibility.

    Args:
        rows: As `label_rows` gives them, none bad, with the picture's width and height.
        keypoints: Number of keypoints and of numbers of each.
        turned: Whether rings of four points are rotated boxes.
    """
    scaled = _in_pixels(rows, keypoints)
    quads = (pl.col("form") == "dota") | ((pl.col("form") == "ring") & pl.lit(turned) & (pl.col("numbers").list.len() == _CORNERS))
    parts = [
        _boxes(scaled.filter(pl.col("form") == "box")),
        _poses(scaled.filter(pl.col("form") == "pose"), keypoints or (0, 2)),
        _turned(scaled.filter(quads)),
        _rings(scaled.filter((pl.col("form") == "ring") & ~quads)),
    ]
    return pl.concat([part for part in parts if len(part)] or parts[:1], how="diagonal").sort("order")


def are_turned_boxes(rows: pl.DataFrame) -> bool:
    """Whether all rings are rectangles of four points, and not all of them upright: the mark of a dataset of rotated boxes."""
    rings = rows.filter(pl.col("form") == "ring")
    if rings.is_empty() or bool((rings["numbers"].list.len() != _CORNERS).any()):
        return False
    corners = _in_pixels(rings, None)["numbers"].explode().to_numpy().reshape(-1, 4, 2)
    sides = np.roll(corners, -1, axis=1) - corners
    lengths = np.linalg.norm(sides, axis=2)
    slack = _RECTANGLE_TOLERANCE * np.maximum(lengths.max(axis=1), 1.0)
    skew = np.linalg.norm(corners[:, 0] + corners[:, 2] - corners[:, 1] - corners[:, 3], axis=1)
    diagonals = np.linalg.norm(corners[:, [0, 1]] - corners[:, [2, 3]], axis=2)
    upright = np.abs(sides).min(axis=2).max(axis=1) <= slack
    return bool((skew <= slack).all() and (np.abs(diagonals[:, 0] - diagonals[:, 1]) <= slack).all() and not upright.all())


def _in_pixels(rows: pl.DataFrame, keypoints: tuple[int, int] | None) -> pl.DataFrame:
    """Coordinates times the picture's size; visibilities, every third number of keypoints, stay."""
    values, lengths = flat(rows["numbers"])
    owner = np.repeat(np.arange(len(rows)), lengths)
    place = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    sizes = rows.select(
        pl.when("pixels").then(1).otherwise("width").alias("width"), pl.when("pixels").then(1).otherwise("height").alias("height")
    ).to_numpy()
    side = place % 2
    if keypoints is not None and keypoints[1] == _WITH_VISIBILITY:
        in_keypoint = (rows["form"] == "pose").to_numpy()[owner] & (place >= 4)  # noqa: PLR2004 - after the box
        side = np.where(in_keypoint, (place - 4) % 3, side)
    factor = np.where(side == 2, 1.0, sizes[owner, np.minimum(side, 1)])  # noqa: PLR2004 - the visibility
    return rows.with_columns(numbers=list_column(values * factor, lengths, pl.Float64))


def _boxes(rows: pl.DataFrame) -> pl.DataFrame:
    return _with_corners(rows, _centred(_matrix(rows, 4)), "box")


def _poses(rows: pl.DataFrame, keypoints: tuple[int, int]) -> pl.DataFrame:
    count, size = keypoints
    numbers = _matrix(rows, 4 + count * size)
    points = numbers[:, 4:].reshape(len(rows), count, size)
    visible = points[:, :, 2] if size == _WITH_VISIBILITY else np.where((points == 0).all(axis=2), 0, 2)
    lengths = np.full(len(rows), count)
    drawn = {
        "points": list_column(points[:, :, :2].ravel(), lengths * 2, pl.Float64),
        "visibility": list_column(np.clip(visible, 0, 2).astype(np.uint8).ravel(), lengths, pl.UInt8),
    }
    return _with_corners(rows, _centred(numbers[:, :4]), "skeleton").with_columns(**drawn)


def _turned(rows: pl.DataFrame) -> pl.DataFrame:
    boxes, degrees = rotated.to_boxes(rotated.from_corners(_matrix(rows, _CORNERS).reshape(-1, 4, 2)))
    return _with_corners(rows, boxes, "box").with_columns(rotation=pl.Series(degrees, dtype=pl.Float64))


def _rings(rows: pl.DataFrame) -> pl.DataFrame:
    values, lengths = flat(rows["numbers"])
    if not len(rows):
        return _with_corners(rows, np.zeros((0, 4)), "polygon")
    points, starts = values.reshape(-1, 2), (np.cumsum(lengths) - lengths) // 2
    corners = np.hstack([np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)])
    return _with_corners(rows, corners, "polygon").with_columns(points=rows["numbers"])


def _matrix(rows: pl.DataFrame, width: int) -> NDArray[np.float64]:
    return flat(rows["numbers"])[0].reshape(-1, width) if len(rows) else np.zeros((0, width))


def _centred(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])


def _with_corners(rows: pl.DataFrame, corners: NDArray[np.float64], kind: str) -> pl.DataFrame:
    sides = {name: pl.Series(corners[:, side].copy(), dtype=pl.Float64) for side, name in enumerate(("x1", "y1", "x2", "y2"))}
    return rows.select("order", "file", "line", "text", "image", "class", "score").with_columns(kind=pl.lit(kind), **sides)
