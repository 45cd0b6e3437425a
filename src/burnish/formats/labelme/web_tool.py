"""The XML files of LabelMe's older web tool: polygons, boxes and masks, objects that are parts of others."""

from __future__ import annotations

import posixpath
import warnings
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from burnish.errors import DataError
from burnish.formats.decimals import exact
from burnish.formats.gathering import Gathered, add_annotation, add_attribute, add_extras, note
from burnish.formats.indexed import mask_columns
from burnish.formats.xml_text import child_text, raw_xml
from burnish.geometry import rle

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

_KNOWN_TOP: Final = frozenset({"filename", "folder", "imagesize", "object"})
_KNOWN_OBJECT: Final = frozenset({"name", "deleted", "occluded", "attributes", "parts", "id", "type", "polygon"})
_LEAST_POLYGON: Final = 3


def gather_xml(gathered: Gathered, root: Path, image: int, path: str, element: Element) -> None:
    """Add the objects of one file."""
    annotations: dict[str, int] = {}
    for number, item in enumerate(element.iterfind("object"), start=1):
        where = {"path": path, "position": f"object {number}", "image": image}
        name = child_text(item, "name") or None
        if child_text(item, "deleted") == "1":
            note(gathered, "deleted_object", "The object is marked as deleted and is left out.", is_issue=False, given=name, **where)
            continue
        try:
            columns = _columns(root, path, item)
        except (DataError, OSError, ValueError) as error:
            note(gathered, "broken_shape", f"The object has no shape that can be read: {error}.", given=name, **where)
            continue
        annotation = add_annotation(gathered, image, name, columns.pop("kind"), **columns)
        annotations[child_text(item, "id") or str(number - 1)] = annotation
        _gather_attributes(gathered, annotation, item)
        unknown = [raw_xml(child) for child in item if child.tag not in _KNOWN_OBJECT and _says_something(child)]
        add_extras(gathered, "annotations", annotation, {"elements": unknown} if unknown else {})
    _set_parents(gathered, annotations, element)
    top = [raw_xml(child) for child in element if child.tag not in _KNOWN_TOP]
    add_extras(gathered, "images", image, {"elements": top} if top else {})


def _says_something(element: Element) -> bool:
    return "".join(element.itertext()).strip() not in {"", "0"}


def _columns(root: Path, path: str, item: Element) -> dict[str, Any]:
    occluded = {"occluded": True} if child_text(item, "occluded") == "yes" else {}
    if item.find("segm") is not None:
        return {"kind": "mask", **_mask_columns(root, path, child_text(item, "segm/mask")), **occluded}
    points = [float(exact(child_text(pt, axis))) for pt in item.iterfind("polygon/pt") for axis in ("x", "y")]
    if not points:
        raise DataError("it has no points and no mask")
    around = dict(zip(("x1", "y1", "x2", "y2"), (min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])), strict=True))
    if child_text(item, "type") == "bounding_box":
        return {"kind": "box", **around, **occluded}
    corners = len(points) // 2
    kind = "polygon" if corners >= _LEAST_POLYGON else "points" if corners == 1 else "polyline"
    return {"kind": kind, "points": points, **around, **occluded}


def _mask_columns(root: Path, path: str, name: str) -> dict[str, Any]:
    """Masks lie in Masks/ as the XML files lie in Annotations/."""
    below = posixpath.dirname(path).removeprefix("Annotations").lstrip("/")
    file = root / "Masks" / below / PurePosixPath(name).name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file) as picture:
            mask = _inside(np.asarray(picture), alpha="A" in picture.getbands())
    return mask_columns(rle.encode(mask), mask.shape[0])


def _inside(pixels: NDArray[Any], *, alpha: bool) -> NDArray[np.bool_]:
    """What is not transparent, where transparency says anything; else what is not black."""
    if alpha and pixels[..., -1].min() != pixels[..., -1].max():
        return pixels[..., -1] > 0
    colours = pixels[..., :-1] if alpha else pixels
    return np.asarray(colours.any(axis=-1) if colours.ndim > 2 else colours > 0)  # noqa: PLR2004 - rows, columns and channels


def _gather_attributes(gathered: Gathered, annotation: int, item: Element) -> None:
    for part in (part.strip() for part in child_text(item, "attributes").split(",")):
        name, equals, value = part.partition("=")
        if name:
            add_attribute(gathered, annotation, name.strip(), value.strip() if equals else "true")


def _set_parents(gathered: Gathered, annotations: dict[str, int], element: Element) -> None:
    rows = {row["id"]: row for row in gathered.annotations[-len(annotations) :]} if annotations else {}
    for number, item in enumerate(element.iterfind("object")):
        annotation = annotations.get(child_text(item, "id") or str(number))
        parent = annotations.get(child_text(item, "parts/ispartof"))
        if annotation is not None and parent is not None:
            rows[annotation]["parent"] = parent
