"""One shape of CVAT as attributes of an element, and back: the same in both flavours."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import DataError
from burnish.formats.cvat.xml.markup import Node
from burnish.formats.decimals import decimal_text, exact, minus, plus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

ELEMENTS: Final = {
    "rectangle": "box",
    **{name: name for name in ("polygon", "polyline", "points", "ellipse", "mask", "cuboid", "skeleton")},
}
"""The element of each of CVAT's types of shapes."""

SHAPES: Final = {element: shape for shape, element in ELEMENTS.items()}

TURNED: Final = frozenset({"rectangle", "ellipse"})
"""Types that CVAT can turn."""

_BOX: Final = ("xtl", "ytl", "xbr", "ybr")
_ELLIPSE: Final = ("cx", "cy", "rx", "ry")
CUBOID: Final = tuple(f"{axis}{corner}{face}" for face in (1, 2) for corner in ("tl", "bl", "tr", "br") for axis in "xy")
"""Names of a cuboid's numbers in CVAT's order: the face in front, then the one behind."""


def number_text(value: float | Decimal, decimals: int | None) -> str:
    """A number with so many decimals, rounded from its binary value, or with all its digits."""
    if decimals is None:
        return decimal_text(value) if isinstance(value, Decimal) else repr(float(value))
    return f"{float(value):.{decimals}f}"


def place_attributes(shape: Mapping[str, Any], decimals: int | None) -> list[tuple[str, str]]:
    """Where a shape lies, as attributes of its element."""
    kind, points = shape["type"], shape["points"]
    match kind:
        case "rectangle":
            placed = _named(_BOX, points, decimals)
        case "ellipse":
            placed = _named(_ELLIPSE, _ellipse(points, decimals), decimals)
        case "cuboid":
            placed = _named(CUBOID, points, decimals)
        case "mask":
            placed = _mask(points)
        case "skeleton":
            placed = []
        case _:
            pairs = zip(points[::2], points[1::2], strict=True)
            told = ";".join(f"{number_text(x, decimals)},{number_text(y, decimals)}" for x, y in pairs)
            placed = [("points", told)]
    turned = [("rotation", number_text(shape["rotation"], decimals))] if kind in TURNED and shape["rotation"] else []
    return [*placed, *turned]


def _named(names: Sequence[str], numbers: Sequence[float | Decimal], decimals: int | None) -> list[tuple[str, str]]:
    return [(name, number_text(value, decimals)) for name, value in zip(names, numbers, strict=True)]


def _ellipse(points: Sequence[float], decimals: int | None) -> list[float | Decimal]:
    """Centre and radii; the server subtracts doubles, and in full the difference is exact."""
    cx, cy, right, top = points
    if decimals is not None:
        return [cx, cy, right - cx, cy - top]
    return [cx, cy, minus(exact(right), exact(cx)), minus(exact(cy), exact(top))]


def _mask(points: Sequence[float]) -> list[tuple[str, str]]:
    left, top, right, bottom = (int(value) for value in points[-4:])
    runs = ", ".join(str(int(value)) for value in points[:-4])
    size = [("width", str(right - left + 1)), ("height", str(bottom - top + 1))]
    return [("rle", runs), ("left", str(left)), ("top", str(top)), *size]


def attribute_nodes(attributes: Sequence[Mapping[str, str]]) -> list[Node]:
    """The <attribute> elements of an object."""
    return [Node("attribute", attribute["value"], (("name", attribute["name"]),)) for attribute in attributes]


def shape_of(element: Element) -> dict[str, Any]:
    """Type, points, rotation and flags of a shape's element, and its attributes; without its frame.

    Raises:
        DataError: A number is missing or none, or the element is no shape.
    """
    kind = SHAPES.get(element.tag)
    if kind is None:
        raise DataError(f"<{element.tag}> is no shape of CVAT; expected one of {', '.join(SHAPES)}.")
    return {
        "type": kind,
        "occluded": element.get("occluded") == "1",
        "outside": element.get("outside") == "1",
        "z_order": _whole(element, "z_order", "0"),
        "rotation": float(exact(element.get("rotation") or "0")),
        "points": _points(element, kind),
        "attributes": attributes_of(element),
    }


def attributes_of(element: Element) -> list[dict[str, str]]:
    """Names and values of the attributes of an object."""
    return [{"name": found.get("name", ""), "value": found.text or ""} for found in element.findall("attribute")]


def _points(element: Element, kind: str) -> list[float]:
    match kind:
        case "rectangle":
            return [_number(element, name) for name in _BOX]
        case "cuboid":
            return [_number(element, name) for name in CUBOID]
        case "ellipse":
            cx, cy, rx, ry = (exact(_told(element, name)) for name in _ELLIPSE)
            return [float(value) for value in (cx, cy, plus(cx, rx), minus(cy, ry))]
        case "mask":
            return _mask_points(element)
        case "skeleton":
            return []
        case _:
            return _pairs(element)


def _mask_points(element: Element) -> list[float]:
    runs = [exact(text) for text in _told(element, "rle").split(",")]
    left, top, width, height = (_whole(element, name) for name in ("left", "top", "width", "height"))
    if width < 1 or height < 1 or sum(runs) != width * height:
        raise DataError(f"A mask of {width} x {height} pixels has runs of {sum(runs)} pixels; they must be as many as its box.")
    return [*(float(run) for run in runs), left, top, left + width - 1, top + height - 1]


def _pairs(element: Element) -> list[float]:
    numbers: list[float] = []
    for pair in filter(None, _told(element, "points").split(";")):
        x, comma, y = pair.partition(",")
        if not comma:
            raise DataError(f"The point '{pair}' of a <{element.tag}> is not 'x,y'.")
        numbers += [float(exact(x)), float(exact(y))]
    return numbers


def _told(element: Element, name: str) -> str:
    text = element.get(name)
    if text is None:
        raise DataError(f"A <{element.tag}> has no '{name}'.")
    return text


def _number(element: Element, name: str) -> float:
    return float(exact(_told(element, name)))


def _whole(element: Element, name: str, otherwise: str | None = None) -> int:
    text = _told(element, name) if otherwise is None else element.get(name, otherwise)
    try:
        return int(text)
    except ValueError as error:
        raise DataError(f"'{name}' of a <{element.tag}> is '{text}'; expected a whole number.") from error
