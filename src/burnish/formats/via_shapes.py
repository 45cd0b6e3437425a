"""The shapes of the VGG Image Annotator and the columns of the annotations table, exact to the last digit both ways."""

from __future__ import annotations

import json
import math
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import DataError
from burnish.formats.decimals import EXACT, decimal_text, exact, half, minus, plus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS: Final = ("box", "polygon", "ellipse", "polyline", "points")

_SIDES: Final = ("x1", "y1", "x2", "y2")
_LEAST: Final = {"polygon": 3, "polyline": 2, "points": 1}
# Angles are radians there and degrees here: with this many digits the way there and back ends at the same double.
_PI: Final = Decimal("3.14159265358979323846264338327950288419716939937511")
_ANGLES: Final = Context(prec=25)


def shape_columns(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of the annotations table, `kind` among them, from region_shape_attributes read with `Decimal` numbers.

    Raises:
        DataError: The shape is unknown, has too few points, or a number is none.
        KeyError: A field is missing.
    """
    name = shape.get("name")
    if name == "rect":
        x, y = exact(shape["x"]), exact(shape["y"])
        return _boxed("box", [x, y, plus(x, exact(shape["width"])), plus(y, exact(shape["height"]))])
    if name in {"circle", "ellipse"}:
        return _ellipse(shape)
    if name == "point":
        return _pointed("points", [exact(shape["cx"])], [exact(shape["cy"])])
    if name in {"polygon", "polyline"}:
        return _pointed(name, [exact(x) for x in shape["all_points_x"]], [exact(y) for y in shape["all_points_y"]])
    raise DataError(f"the shape '{name}' is unknown; expected rect, circle, ellipse, polygon, polyline or point")


def writable(row: Mapping[str, Any]) -> bool:
    """Whether VIA has a shape for an annotation of one of `KINDS`; a point stands alone there, and a polygon has one ring."""
    if row["kind"] in {"box", "ellipse"}:
        turned = row["kind"] == "box" and bool(row["rotation"])
        return not turned and all(row[side] is not None and math.isfinite(row[side]) for side in _SIDES)
    points = row["points"] or []
    alone = row["kind"] != "points" or len(points) == 2  # noqa: PLR2004 - one point: x and y
    enough = len(points) >= 2 * _LEAST[row["kind"]] and all(math.isfinite(value) for value in points)
    return alone and enough and len(row["parts"] or [0]) == 1


def shape_text(row: Mapping[str, Any]) -> str:
    """region_shape_attributes of an annotation that is `writable`."""
    if row["kind"] in {"box", "ellipse"}:
        return _extent_text(row)
    x, y = [decimal_text(exact(v)) for v in row["points"][0::2]], [decimal_text(exact(v)) for v in row["points"][1::2]]
    if row["kind"] == "points":
        return _text("point", {"cx": x[0], "cy": y[0]})
    return _text(row["kind"], {"all_points_x": f"[{','.join(x)}]", "all_points_y": f"[{','.join(y)}]"})


def _extent_text(row: Mapping[str, Any]) -> str:
    x1, y1, x2, y2 = (exact(row[side]) for side in _SIDES)
    width, height = minus(x2, x1), minus(y2, y1)
    if row["kind"] == "box":
        return _numbers_text("rect", {"x": x1, "y": y1, "width": width, "height": height})
    centre = {"cx": half(plus(x1, x2)), "cy": half(plus(y1, y2))}
    turn = exact(row["rotation"] or 0.0)
    if width == height and turn == 0:
        return _numbers_text("circle", {**centre, "r": half(width)})
    theta = {"theta": _ANGLES.divide(EXACT.multiply(turn, _PI), Decimal(180))} if turn else {}
    return _numbers_text("ellipse", {**centre, "rx": half(width), "ry": half(height), **theta})


def _ellipse(shape: Mapping[str, Any]) -> dict[str, Any]:
    cx, cy = exact(shape["cx"]), exact(shape["cy"])
    rx, ry = (exact(shape["r"]),) * 2 if shape["name"] == "circle" else (exact(shape["rx"]), exact(shape["ry"]))
    columns = _boxed("ellipse", [minus(cx, rx), minus(cy, ry), plus(cx, rx), plus(cy, ry)])
    theta = exact(shape.get("theta", 0))
    return {**columns, "rotation": float(_ANGLES.divide(EXACT.multiply(theta, Decimal(180)), _PI))} if theta else columns


def _boxed(kind: str, corners: Sequence[Decimal]) -> dict[str, Any]:
    return {"kind": kind, **dict(zip(_SIDES, (float(c) for c in corners), strict=True))}


def _pointed(kind: str, x: Sequence[Decimal], y: Sequence[Decimal]) -> dict[str, Any]:
    if len(x) != len(y) or len(x) < _LEAST[kind]:
        raise DataError(f"the {kind} has {len(x)} x and {len(y)} y; expected as many of both and at least {_LEAST[kind]}")
    points = [float(value) for pair in zip(x, y, strict=True) for value in pair]
    around = (min(points[0::2]), min(points[1::2]), max(points[0::2]), max(points[1::2]))
    return {"kind": kind, "points": points, **dict(zip(_SIDES, around, strict=True))}


def _numbers_text(name: str, numbers: Mapping[str, Decimal]) -> str:
    return _text(name, {key: decimal_text(number) for key, number in numbers.items()})


def _text(name: str, fields: Mapping[str, str]) -> str:
    """JSON with the numbers' own digits, which json.dumps would turn into doubles."""
    return f'{{"name":{json.dumps(name)},{",".join(f"{json.dumps(key)}:{value}" for key, value in fields.items())}}}'
