"""Shapes seen through a window on a scaled picture, and back: rows of the annotations table in a sample's pixels or its source's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from burnish.geometry import clipping, ellipses, masks, polygons, polylines, rle, rotated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools, Floats, Rings

BOX: Final = ("x1", "y1", "x2", "y2")
CHANGED: Final = ("kind", *BOX, "rotation", "points", "parts", "visibility", "mask")
"""Columns of an annotation that a window changes."""


class Window(NamedTuple):
    """A sample: its source scaled to another size, and of that a tile.

    Attributes:
        source: Width and height of the source.
        scaled: Width and height of the whole picture at the sample's scale.
        tile: x1, y1, x2, y2 in pixels of the scaled picture; the whole picture where nothing is cut.
    """

    source: tuple[int, int]
    scaled: tuple[int, int]
    tile: tuple[int, int, int, int]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is cut off."""
        return self.tile == (0, 0, *self.scaled)

    @property
    def scale(self) -> Floats:
        """Pixels of the scaled picture in one of the source, across and down: `(2,)`."""
        return np.array(self.scaled, dtype=np.float64) / np.array(self.source, dtype=np.float64)

    @property
    def corner(self) -> Floats:
        """Upper left corner of the tile, `(2,)`."""
        return np.array(self.tile[:2], dtype=np.float64)

    def into(self, points: Floats) -> Floats:
        """Points `(n, 2)` of the source in the sample's pixels."""
        return points * self.scale - self.corner

    def out(self, points: Floats) -> Floats:
        """Points `(n, 2)` of the sample in the source's pixels."""
        return (points + self.corner) / self.scale


def shape_into(row: Mapping[str, Any], window: Window, min_visible: float = 0.5) -> list[dict[str, Any]]:
    """The columns `CHANGED` of an annotation in a sample's pixels: one row, or none where too little of it is seen.

    Whole samples keep every shape as it is, but for its scale. Cut, boxes and polygons are cut exactly; a turned box becomes the box of
    the same turn around what is left of it, an ellipse a polygon, a polyline as many as it falls into; points and keypoints outside are
    left out, or not labelled. Cuboids keep their corners.

    Args:
        row: Of the annotations table.
        window: Which sample.
        min_visible: The share of its area (length, number of points) that the sample must show.
    """
    if row["kind"] == "tag":
        return [_columns(row)]
    if row["kind"] == "mask" and row["mask"] is not None:
        return _mask_into(row, window, min_visible)
    extent = _extent(row)
    if extent is None:
        return [_columns(row)] if window.is_whole else []
    low, high = window.into(extent)
    size = np.array(window.tile[2:]) - window.tile[:2]
    if window.is_whole or ((low >= 0).all() and (high <= size).all()):
        return [_mapped(row, window.into)]
    if (high < 0).any() or (low > size).any():
        return []
    return _CUT[row["kind"]](_mapped(row, window.into), (0.0, 0.0, float(size[0]), float(size[1])), min_visible)


def shape_out(row: Mapping[str, Any], window: Window) -> dict[str, Any]:
    """The columns `CHANGED` of an annotation of a sample in its source's pixels: the way back, exact for all but masks of other scales."""
    if row["kind"] == "mask" and row["mask"] is not None:
        left, top, right, bottom = window.tile
        seen = rle.decode(rle.decompress(row["mask"]), bottom - top, right - left)
        whole = np.zeros((window.scaled[1], window.scaled[0]), dtype=np.bool_)
        whole[top:bottom, left:right] = seen
        return _of_mask(row, resized(whole, window.source))
    return _columns(row) if row["kind"] == "tag" else _mapped(row, window.out)


def resized(mask: Bools, size: tuple[int, int]) -> Bools:
    """A mask at another width and height: each pixel is what its centre falls on."""
    height, width = mask.shape
    if (width, height) == size:
        return mask
    columns = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(np.int64)
    rows = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(np.int64)
    return mask[rows[:, None], columns]


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in CHANGED}


def _extent(row: Mapping[str, Any]) -> Floats | None:
    """Upper left and lower right corner `(2, 2)` of all that belongs to a shape, or None where it has no finite place."""
    found: list[Floats] = []
    corners = [row[name] for name in BOX]
    if None not in corners:
        box = rotated.from_boxes([corners], row["rotation"] or 0.0)
        found.append(rotated.bounds(box).reshape(2, 2))
    points = _points(row)
    if len(points):
        found.append(points[_labelled(row, len(points))])
    places = np.concatenate([np.zeros((0, 2)), *found])
    if len(places) == 0 or not np.isfinite(places).all():
        return None
    return np.stack([places.min(axis=0), places.max(axis=0)])


def _points(row: Mapping[str, Any]) -> Floats:
    return np.asarray(row["points"] or [], dtype=np.float64).reshape(-1, 2)


def _labelled(row: Mapping[str, Any], count: int) -> Bools:
    """Which points have a place: those of a skeleton that are not labelled stand at 0, 0."""
    return np.ones(count, dtype=np.bool_) if row["visibility"] is None else np.asarray(row["visibility"])[:count] > 0


def _mapped(row: Mapping[str, Any], place: Callable[[Floats], Floats]) -> dict[str, Any]:
    """A shape with all of its points at their new place."""
    made = _columns(row)
    corners = np.array([[np.nan if row[name] is None else row[name] for name in BOX]], dtype=np.float64).reshape(2, 2)
    made |= {name: None if row[name] is None else value for name, value in zip(BOX, place(corners).ravel().tolist(), strict=True)}
    points = _points(row)
    if len(points):
        labelled = _labelled(row, len(points))
        points = np.where(labelled[:, None], place(points), points)
        made["points"] = points.ravel().tolist()
    return made


def _mask_into(row: Mapping[str, Any], window: Window, min_visible: float) -> list[dict[str, Any]]:
    width, height = window.source
    whole = resized(rle.decode(rle.decompress(row["mask"]), height, width), window.scaled)
    left, top, right, bottom = window.tile
    seen = whole[top:bottom, left:right]
    count = np.count_nonzero(seen)
    if not window.is_whole and (count == 0 or count < min_visible * np.count_nonzero(whole)):
        return []
    return [_of_mask(row, seen)]


def _of_mask(row: Mapping[str, Any], mask: Bools) -> dict[str, Any]:
    around = masks.box(mask)
    corners = around[0].tolist() if len(around) else [None] * 4
    return {**_columns(row), **dict(zip(BOX, corners, strict=True)), "mask": rle.compress(rle.encode(mask))}


_Frame = tuple[float, float, float, float]


def _cut_box(row: dict[str, Any], frame: _Frame, min_visible: float) -> list[dict[str, Any]]:
    box = np.array([[row[name] for name in BOX]])
    degrees = row["rotation"] or 0.0
    corners = rotated.corners(rotated.from_boxes(box, degrees))[0]
    shown, share = _shown([corners], frame)
    if not shown or share < min_visible:
        return []
    left = rotated_extent(np.concatenate(shown), degrees)
    return [{**row, **dict(zip(BOX, left, strict=True))}]


def rotated_extent(points: Floats, degrees: float) -> list[float]:
    """The box of a given turn around points `(n, 2)`, as it is before the turn: x1, y1, x2, y2."""
    if degrees % 360.0 == 0:
        return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]
    turn = np.radians(degrees)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned = points @ axes
    low, high = turned.min(axis=0), turned.max(axis=0)
    centre = axes @ ((low + high) / 2)
    half = (high - low) / 2
    return [*(centre - half).tolist(), *(centre + half).tolist()]


def _shown(rings: Rings, frame: _Frame) -> tuple[Rings, float]:
    """What a frame shows of a polygon, and which share of its area that is; 0 of what has no area."""
    shown = clipping.clip(rings, frame)
    whole = polygons.area(rings)
    return shown, polygons.area(shown) / whole if whole > 0 else 0.0


def _cut_polygon(row: dict[str, Any], frame: _Frame, min_visible: float) -> list[dict[str, Any]]:
    shown, share = _shown(polygons.from_flat(row["points"], row["parts"]), frame) if row["points"] else ([], 0.0)
    return [_of_rings(row, shown)] if shown and share >= min_visible else []


def _of_rings(row: dict[str, Any], rings: Rings) -> dict[str, Any]:
    flat, counts = polygons.to_flat(rings)
    corners = dict(zip(BOX, polygons.bounds(rings)[0].tolist(), strict=True))
    return {**row, **corners, "points": flat.tolist(), "parts": counts if len(counts) > 1 else None}


def _cut_ellipse(row: dict[str, Any], frame: _Frame, min_visible: float) -> list[dict[str, Any]]:
    box = rotated.from_boxes([[row[name] for name in BOX]], row["rotation"] or 0.0)
    ring = ellipses.to_rings(box * [1.0, 1.0, 0.5, 0.5, 1.0])[0]
    return _cut_polygon({**row, "kind": "polygon", "rotation": 0.0, "points": ring.ravel().tolist(), "parts": None}, frame, min_visible)


def _cut_polyline(row: dict[str, Any], frame: _Frame, min_visible: float) -> list[dict[str, Any]]:
    line = _points(row)
    pieces = polylines.clip(line, frame)
    whole = polylines.length(line)
    if whole <= 0 or sum(map(polylines.length, pieces)) < min_visible * whole:
        return []
    return [{**_of_rings(row, [piece]), "parts": None} for piece in pieces]


def _cut_points(row: dict[str, Any], frame: _Frame, min_visible: float) -> list[dict[str, Any]]:
    points = _points(row)
    inside = points[_inside(points, frame)]
    if len(inside) == 0 or len(inside) < min_visible * len(points):
        return []
    return [{**_of_rings(row, [inside]), "parts": None}]


def _cut_skeleton(row: dict[str, Any], frame: _Frame, min_visible: float) -> list[dict[str, Any]]:
    points = _points(row)
    labelled = _labelled(row, len(points))
    inside = labelled & _inside(points, frame)
    if not inside.any() or np.count_nonzero(inside) < min_visible * np.count_nonzero(labelled):
        return []
    told: NDArray[np.integer[Any]] = np.full(len(points), 2) if row["visibility"] is None else np.asarray(row["visibility"])
    box = None if None in (row[name] for name in BOX) else np.array([row[name] for name in BOX])
    corners = [None] * 4 if box is None else np.clip(box, 0.0, np.array(frame)[[2, 3, 2, 3]]).tolist()
    seen = {"points": np.where(inside[:, None], points, 0.0).ravel().tolist(), "visibility": np.where(inside, told, 0).tolist()}
    return [{**row, **seen, **dict(zip(BOX, corners, strict=True))}]


def _cut_cuboid(row: dict[str, Any], frame: _Frame, min_visible: float) -> list[dict[str, Any]]:
    cut = _cut_box({**row, "rotation": 0.0}, frame, min_visible)
    return [{**row, **{name: cut[0][name] for name in BOX}}] if cut else []


def _inside(points: Floats, frame: _Frame) -> Bools:
    return np.all((points >= frame[:2]) & (points < frame[2:]), axis=1)


_CUT: Final[Mapping[str, Callable[[dict[str, Any], _Frame, float], list[dict[str, Any]]]]] = {
    "box": _cut_box,
    "mask": _cut_box,
    "polygon": _cut_polygon,
    "ellipse": _cut_ellipse,
    "polyline": _cut_polyline,
    "points": _cut_points,
    "skeleton": _cut_skeleton,
    "cuboid": _cut_cuboid,
}
