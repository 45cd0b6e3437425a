"""One CVAT shape as columns of the annotations table, and back: type, points, rotation, flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.data.schema import SOURCES
from burnish.errors import DataError
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS: Final = {
    "rectangle": "box",
    "polygon": "polygon",
    "polyline": "polyline",
    "points": "points",
    "ellipse": "ellipse",
    "mask": "mask",
    "skeleton": "skeleton",
    "cuboid": "cuboid",
}
"""CVAT's types of shapes, and the kinds of annotations that they are."""

TYPES: Final = {kind: shape for shape, kind in KINDS.items()}

_KNOWN: Final = frozenset(
    {"type", "occluded", "outside", "z_order", "rotation", "points", "group", "source", "frame", "attributes", "elements", "label", "score"}
)
_FLAT: Final = ("polygon", "polyline", "points", "cuboid")


class Size(NamedTuple):
    """Width and height of a picture in pixels."""

    width: int
    height: int


def shape_columns(shape: Mapping[str, Any], size: Size | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns of a shape, and the fields that the tables have no column for.

    Args:
        shape: As in a backup or an answer of the server.
        size: Of the picture, which masks need.

    Raises:
        DataError: A mask does not fit its picture.
        KeyError: Its type is none of `KINDS`.
    """
    kind = KINDS[shape["type"]]
    columns: dict[str, Any] = {"kind": kind}
    extras = {key: value for key, value in shape.items() if key not in _KNOWN}
    points = shape.get("points") or []
    if kind == "mask":
        columns |= _mask_columns(points, size)
    elif kind == "box":
        columns |= dict(zip(("x1", "y1", "x2", "y2"), map(float, points), strict=True))
    elif kind == "ellipse":
        columns |= _ellipse_columns(points)
        if ellipse_points(columns) != list(points):
            extras["points"] = list(points)
    elif kind in _FLAT:
        columns |= point_columns(points)
    if shape.get("rotation"):
        columns["rotation"] = float(shape["rotation"])
    for flag in ("occluded", "outside"):
        if shape.get(flag):
            columns[flag] = True
    if shape.get("z_order"):
        columns["z_order"] = int(shape["z_order"])
    return columns, extras


def point_columns(points: Sequence[float]) -> dict[str, Any]:
    """Points and the box around them."""
    flat = [float(value) for value in points]
    if not flat:
        return {"points": flat}
    x, y = flat[::2], flat[1::2]
    return {"points": flat, "x1": min(x), "y1": min(y), "x2": max(x), "y2": max(y)}


def _ellipse_columns(points: Sequence[float]) -> dict[str, Any]:
    """CVAT tells the centre, the rightmost x and the topmost y; the tables hold the box around the ellipse before its turn."""
    cx, cy, right, top = map(float, points)
    return {"x1": 2 * cx - right, "y1": top, "x2": right, "y2": 2 * cy - top}


def ellipse_points(row: Mapping[str, Any]) -> list[float]:
    """CVAT's four numbers of an ellipse; see `_ellipse_columns`."""
    return [(row["x1"] + row["x2"]) / 2, (row["y1"] + row["y2"]) / 2, row["x2"], row["y1"]]


def _mask_columns(points: Sequence[float], size: Size | None) -> dict[str, Any]:
    numbers = [int(value) for value in points]
    left, top, right, bottom = numbers[-4:]
    if size is None:
        size = Size(right + 1, bottom + 1)
    mask = rle.compress(rle.counts_from_cvat(numbers, size.height, size.width))
    return {"mask": mask, "x1": float(left), "y1": float(top), "x2": float(right + 1), "y2": float(bottom + 1)}


def shape_points(row: Mapping[str, Any], size: Size | None, extras: Mapping[str, Any]) -> list[float]:
    """CVAT's points of a row of the annotations table.

    Raises:
        DataError: A mask is empty, or its picture's size is not known.
    """
    kind = row["kind"]
    if kind == "box":
        return [row["x1"], row["y1"], row["x2"], row["y2"]]
    if kind == "ellipse":
        kept = extras.get("points")
        # Kept only where the box gave other digits; a box that was changed since counts more.
        if kept is not None and _ellipse_columns(kept) == {name: row[name] for name in ("x1", "y1", "x2", "y2")}:
            return list(kept)
        return ellipse_points(row)
    if kind == "mask":
        return _mask_points(row["mask"], size, (row["x1"], row["y1"], row["x2"], row["y2"]))
    return list(row["points"] or []) if kind in _FLAT else []


def _mask_points(mask: bytes, size: Size | None, box: tuple[float | None, ...]) -> list[float]:
    if size is None:
        raise DataError("CVAT mask: the size of its picture is not known, which its runs are counted by.")
    told = [value for value in box if value is not None]
    return [float(value) for value in rle.cvat_from_counts(rle.decompress(mask), size.height, told if len(told) == len(box) else None)]


def source_columns(found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns source, group and score of a shape, tag or track, and a source that the tables do not know."""
    columns: dict[str, Any] = {}
    extras: dict[str, Any] = {}
    source = found.get("source")
    if source in SOURCES:
        columns["source"] = source
    elif source is not None:
        extras["source"] = source
    if found.get("group"):
        columns["group"] = int(found["group"])
    score = found.get("score")
    # CVAT says 1.0 of everything that people drew.
    if score is not None and not (score == 1 and source in (None, "manual")):
        columns["score"] = float(score)
    return columns, extras
