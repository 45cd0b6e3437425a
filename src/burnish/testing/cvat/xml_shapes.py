"""Single shapes as elements of CVAT's XML, with numbers in two decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.testing.cvat.calls import Json

_CUBOID: Final = (
    "xtl1",
    "ytl1",
    "xbl1",
    "ybl1",
    "xtr1",
    "ytr1",
    "xbr1",
    "ybr1",
    "xtl2",
    "ytl2",
    "xbl2",
    "ybl2",
    "xtr2",
    "ytr2",
    "xbr2",
    "ybr2",
)
_TURNING: Final = frozenset({"rectangle", "ellipse"})


def add_shape(parent: ET.Element, shape: Json, names: Mapping[int, str], about: Mapping[str, Any]) -> ET.Element:
    """Add a shape under an image or a track.

    Args:
        parent: Where it goes.
        shape: As the API spells it, attributes complete.
        names: Names of attributes by number.
        about: What comes first: the label and source, or the frame and its flags.
    """
    kind = shape["type"]
    place = {} if kind == "skeleton" else {"occluded": _flag(shape["occluded"]), **_place(kind, shape["points"])}
    turn = {"rotation": _number(shape["rotation"])} if kind in _TURNING and shape["rotation"] else {}
    drawn = {**{name: str(value) for name, value in about.items()}, **place, **turn}
    element = ET.SubElement(
        parent, "box" if kind == "rectangle" else kind, {name: value for name, value in drawn.items() if name != "group_id"}
    )
    if about.get("is_part") is None:
        element.set("z_order", str(shape["z_order"]))
    element.attrib.pop("is_part", None)
    if "group_id" in drawn:
        element.set("group_id", drawn["group_id"])
    if kind != "skeleton":
        add_attributes(element, shape["attributes"], names)
    return element


def add_attributes(parent: ET.Element, attributes: list[Json], names: Mapping[int, str]) -> None:
    """Add the values of attributes by name."""
    for each in attributes:
        ET.SubElement(parent, "attribute", {"name": names[each["spec_id"]]}).text = each["value"]


def _place(kind: str, points: list[float]) -> dict[str, str]:
    if kind == "rectangle":
        return dict(zip(("xtl", "ytl", "xbr", "ybr"), map(_number, points), strict=True))
    if kind == "ellipse":
        x, y, right, top = points
        return {"cx": _number(x), "cy": _number(y), "rx": _number(right - x), "ry": _number(y - top)}
    if kind == "cuboid":
        return dict(zip(_CUBOID, map(_number, points), strict=True))
    if kind == "mask":
        *runs, left, top, right, bottom = (int(value) for value in points)
        size = {"width": str(right - left + 1), "height": str(bottom - top + 1)}
        return {"rle": ", ".join(map(str, runs)), "left": str(left), "top": str(top), **size}
    pairs = zip(points[::2], points[1::2], strict=True)
    return {"points": ";".join(f"{_number(x)},{_number(y)}" for x, y in pairs)}


def _number(value: float) -> str:
    return f"{value:.2f}"


def _flag(value: object) -> str:
    return str(int(bool(value)))
