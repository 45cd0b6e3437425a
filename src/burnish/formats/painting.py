"""Which object a pixel belongs to, where masks and polygons overlap and a picture has room for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from burnish.data.findings import finding, findings_table
from burnish.formats.indexed import paint
from burnish.geometry import ellipses, polygons, rasters, rle, rotated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Floats

PAINTED: Final = ("mask", "polygon", "ellipse", "box")
"""Kinds of annotations that have pixels."""

_HALF: Final = np.array([1.0, 1.0, 0.5, 0.5, 1.0])  # sides of a box are twice the half-axes of its ellipse

PaintOrder: TypeAlias = Literal["priority", "z"]
"""What decides first where objects overlap: the priority of their classes, or their own drawing order."""


class Layers(NamedTuple):
    """What lies over what.

    Attributes:
        places: Place of each class from 1; of equal objects the class that comes first lies on top.
        priorities: Priority of each class, larger on top.
        by: What decides first.
    """

    places: Mapping[int, int]
    priorities: Mapping[int, int]
    by: PaintOrder = "priority"


class Painted(NamedTuple):
    """One picture, painted.

    Attributes:
        rows: Annotations in the order of painting, the lowest first.
        owners: `(height, width)`, 0 where there is none and otherwise 1 + the place of the uppermost of the rows.
        areas: Pixels of each row, covered or not.
        covered: How many of them lie below another.
    """

    rows: list[dict[str, Any]]
    owners: NDArray[np.int32]
    areas: NDArray[np.int64]
    covered: NDArray[np.int64]


def layers_of(dataset: Dataset, by: PaintOrder = "priority") -> Layers:
    """The order of a dataset's classes."""
    places = {number: place for place, number in enumerate(dataset.classes["id"].to_list(), start=1)}
    return Layers(places, dict(dataset.classes.select("id", "priority").iter_rows()), by)


def paint_objects(rows: Sequence[dict[str, Any]], size: tuple[int, int], layers: Layers) -> Painted:
    """Paint the shapes of one picture over one another; what has no class, and so counts for nothing, lies on top, boxes below the rest.

    Args:
        rows: Of the annotations table, of the kinds `PAINTED`.
        size: Width and height.
        layers: What lies over what.
    """
    ordered = sorted(rows, key=lambda row: _height(row, layers))
    masks = [object_pixels(row, *size) for row in ordered]
    owners, covered = paint(masks, size)
    areas = np.array([np.count_nonzero(mask) for mask in masks], dtype=np.int64)
    return Painted(ordered, owners, areas, covered)


def object_pixels(row: Mapping[str, Any], width: int, height: int) -> NDArray[np.bool_]:
    """The pixels `(height, width)` of a mask, a polygon, an ellipse or a whole box, turned or not; none where it has no shape."""
    rings = _rings(row)
    if rings is not None:
        return rasters.fill(rings, height, width)
    return rle.decode(rle.decompress(row["mask"]), height, width) if row["mask"] is not None else np.zeros((height, width), dtype=np.bool_)


def _rings(row: Mapping[str, Any]) -> list[Floats] | None:
    """The outline of what has one."""
    if row["kind"] == "polygon":
        return polygons.from_flat(row["points"], row["parts"]) if np.isfinite(row["points"] or [np.nan]).all() else None
    sides = [row[side] for side in ("x1", "y1", "x2", "y2")]
    if row["kind"] not in {"ellipse", "box"} or None in sides or not np.isfinite(sides).all():
        return None
    turned = rotated.from_boxes([sides], [row["rotation"] or 0.0])
    return [rotated.corners(turned)[0] if row["kind"] == "box" else ellipses.to_rings(turned * _HALF)[0]]


def rasterised_findings(dataset: Dataset) -> pl.DataFrame:
    """What became of outlines: one finding for all polygons, one for each ellipse and box."""
    kinds = dataset.annotations.with_columns(pl.col("kind").cast(pl.String)).partition_by("kind", as_dict=True)
    told: list[dict[str, Any]] = []
    if ("polygon",) in kinds:
        reason = f"{kinds['polygon',].height} polygons are painted as pixels; their corners are not written."
        told.append(finding("rasterised", reason, is_issue=False))
    reasons = {"ellipse": "An ellipse is painted as pixels.", "box": "A box is painted whole, with the background that it holds."}
    for kind, reason in reasons.items():
        rows = kinds[kind,].select("image", "id").iter_rows() if (kind,) in kinds else ()
        told += [finding("rasterised", reason, is_issue=kind == "box", image=image, annotation=row) for image, row in rows]
    return findings_table(told)


def covered_findings(painted: Painted) -> Iterator[dict[str, Any]]:
    """What painting lost: objects without a pixel, and pixels below others."""
    for row, area, hidden in zip(painted.rows, painted.areas.tolist(), painted.covered.tolist(), strict=True):
        where = {"image": row["image"], "annotation": row["id"]}
        if not area:
            yield finding("not_carried", "It has no pixels inside the picture.", **where)
        if hidden:
            yield finding("not_carried", f"{hidden} of its {area} pixels are covered by another; a pixel has one value.", **where)


def _height(row: Mapping[str, Any], layers: Layers) -> tuple[bool, int, int, bool, int]:
    """Later ones are painted over earlier ones."""
    number = row["class"]
    priority, order = layers.priorities.get(number, 0), row["z_order"]
    first, second = (order, priority) if layers.by == "z" else (priority, order)
    return number is None, first, second, row["kind"] != "box", -layers.places.get(number, 0)
