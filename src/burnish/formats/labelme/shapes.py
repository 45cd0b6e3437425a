"""LabelMe's shapes and the columns of the annotations table, exact to the last digit both ways."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from burnish.errors import DataError
from burnish.formats.decimals import decimal_text, exact, half, minus, plus
from burnish.formats.indexed import mask_columns
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

KINDS: Final = ("box", "polygon", "ellipse", "polyline", "points", "mask")

_SIDES: Final = ("x1", "y1", "x2", "y2")
_KIND_OF: Final = {
    "polygon": "polygon",
    "rotation": "polygon",
    "quadrilateral": "polygon",
    "line": "polyline",
    "linestrip": "polyline",
    "point": "points",
    "points": "points",
}
_LEAST: Final = {"polygon": 3, "polyline": 2, "points": 1}
_PAIR: Final = 2


def shape_columns(shape: Mapping[str, Any], size: tuple[int, int] | None) -> dict[str, Any]:
    """Columns of the annotations table, `kind` among them, of a shape read with `Decimal` numbers.

    Args:
        shape: One of "shapes".
        size: Width and height of the picture, which a mask needs.

    Raises:
        DataError: The shape is unknown, has too few points, or its mask cannot be read.
        KeyError, TypeError, ValueError: A field is missing or of another type.
    """
    form = shape.get("shape_type") or "polygon"
    points = [(exact(x), exact(y)) for x, y in shape["points"]]
    if form == "rectangle":
        return _rectangle(points)
    if form == "circle" and len(points) == _PAIR:
        return _circle(*points)
    if form == "mask":
        return _mask(shape["mask"], points, size)
    kind = _KIND_OF.get(form)
    if kind is None or len(points) < _LEAST[kind]:
        raise DataError(f"the shape '{form}' with {len(points)} points is unknown")
    return _pointed(kind, points)


def usual_type(columns: Mapping[str, Any]) -> str:
    """The shape type under which an annotation is written when nothing else is known."""
    if columns["kind"] == "points":
        return "point" if len(columns["points"]) == _PAIR else "points"
    kind = str(columns["kind"])
    return {"box": "rectangle", "ellipse": "circle", "polyline": "linestrip"}.get(kind, kind)


def writable(row: Mapping[str, Any]) -> bool:
    """Whether LabelMe has a shape for an annotation of one of `KINDS`: ellipses must be circles, polygons have one ring."""
    kind = row["kind"]
    if kind == "mask":
        return row["mask"] is not None and rle.area(rle.decompress(row["mask"])) > 0
    if kind in {"box", "ellipse"}:
        if row["rotation"] or not all(row[side] is not None and math.isfinite(row[side]) for side in _SIDES):
            return False
        x1, y1, x2, y2 = (exact(row[side]) for side in _SIDES)
        return kind == "box" or (minus(x2, x1) == minus(y2, y1) and x2 > x1)
    points = row["points"] or []
    enough = len(points) >= _PAIR * _LEAST[kind] and all(math.isfinite(value) for value in points)
    return enough and len(row["parts"] or [0]) == 1


def points_text(row: Mapping[str, Any], size: tuple[int | None, int | None]) -> tuple[str, str | None]:
    """The JSON text of "points" of an annotation that is `writable`, and its "mask" (base64 of a PNG), if it is one."""
    if row["kind"] == "mask":
        return _mask_text(row["mask"], size)
    if row["kind"] in {"box", "ellipse"}:
        x1, y1, x2, y2 = (exact(row[side]) for side in _SIDES)
        if row["kind"] == "box":
            return _pairs_text([x1, y1, x2, y2]), None
        return _pairs_text([half(plus(x1, x2)), half(plus(y1, y2)), x2, half(plus(y1, y2))]), None
    return _pairs_text([exact(value) for value in row["points"]]), None


def _rectangle(points: Sequence[tuple[Decimal, Decimal]]) -> dict[str, Any]:
    x, y = [p[0] for p in points], [p[1] for p in points]
    straight = len(points) == _PAIR or (len(points) == 2 * _PAIR and len({*x}) <= _PAIR and len({*y}) <= _PAIR)
    if not straight:
        raise DataError(f"the rectangle has {len(points)} points that are not two corners or four straight ones")
    return {"kind": "box", **dict(zip(_SIDES, (float(v) for v in (min(x), min(y), max(x), max(y))), strict=True))}


def _circle(centre: tuple[Decimal, Decimal], edge: tuple[Decimal, Decimal]) -> dict[str, Any]:
    dx, dy = abs(minus(edge[0], centre[0])), abs(minus(edge[1], centre[1]))
    radius = max(dx, dy) if not dx or not dy else exact(math.hypot(dx, dy))
    corners = [minus(centre[0], radius), minus(centre[1], radius), plus(centre[0], radius), plus(centre[1], radius)]
    return {"kind": "ellipse", **dict(zip(_SIDES, (float(c) for c in corners), strict=True))}


def _pointed(kind: str, points: Sequence[tuple[Decimal, Decimal]]) -> dict[str, Any]:
    flat = [float(value) for point in points for value in point]
    around = (min(flat[0::2]), min(flat[1::2]), max(flat[0::2]), max(flat[1::2]))
    return {"kind": kind, "points": flat, **dict(zip(_SIDES, around, strict=True))}


def _mask(text: str, points: Sequence[tuple[Decimal, Decimal]], size: tuple[int, int] | None) -> dict[str, Any]:
    """A mask is a PNG of the part of the picture between two corners, the last of which belongs to it."""
    if size is None:
        raise DataError("the size of the picture is not known, so its mask has no place")
    try:
        with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
            part = np.asarray(picture.convert("L") if picture.mode not in {"1", "L"} else picture) > 0
    except (OSError, ValueError) as error:
        raise DataError(f"its mask is no picture: {error}") from error
    left, top = round(points[0][0]), round(points[0][1])
    width, height = size
    if left < 0 or top < 0 or left + part.shape[1] > width or top + part.shape[0] > height:
        raise DataError(f"its mask of {part.shape[1]} x {part.shape[0]} pixels at {left}, {top} does not lie in the picture")
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[top : top + part.shape[0], left : left + part.shape[1]] = part
    return {"kind": "mask", **mask_columns(rle.encode(mask), height)}


def _mask_text(mask: bytes, size: tuple[int | None, int | None]) -> tuple[str, str]:
    width, height = size[0] or 0, size[1] or 0
    counts = rle.decompress(mask)
    left, top, right, bottom = (int(v) for v in rle.bounds(counts, height)[0])
    stream = io.BytesIO()
    Image.fromarray(rle.decode(counts, height, width)[top:bottom, left:right]).save(stream, format="PNG")
    return f"[[{left},{top}],[{right - 1},{bottom - 1}]]", base64.b64encode(stream.getvalue()).decode("ascii")


def _pairs_text(values: Sequence[Decimal]) -> str:
    texts = [decimal_text(value) for value in values]
    return f"[{','.join(f'[{x},{y}]' for x, y in zip(texts[0::2], texts[1::2], strict=True))}]"
