"""The XML files of LabelMe's older web tool: polygons, boxes and masks, objects that are parts of others."""

from __future__ import annotations

import posixpath
import re
import warnings
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from burnish.errors import DataError
from burnish.formats.decimals import exact
from burnish.formats.gathering import Gathered, add_annotation, add_attribute, add_extras, note
from burnish.formats.indexed import mask_columns
from burnish.formats.labelme.layout import MASKS
from burnish.formats.reading import is_outside, normal_path
from burnish.formats.xml_text import child_text, raw_xml
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

_KNOWN_TOP: Final = frozenset({"filename", "folder", "imagesize", "object"})
_KNOWN_OBJECT: Final = frozenset({"name", "deleted", "occluded", "attributes", "parts", "id", "type", "polygon"})
_LEAST_POLYGON: Final = 3
_DATUMARO: Final = "Datumaro"
_ATTRIBUTE_END: Final = re.compile(r"(?<!\\)((?:\\\\)*),")
_NAME_END: Final = re.compile(r"(?<!\\)((?:\\\\)*)=")
_ESCAPED: Final = re.compile(r'\\([\\=",])')
_QUOTED: Final = re.compile(r'"([-+.\deE]+)"')


def gather_xml(gathered: Gathered, root: Path, image: int, path: str, element: Element) -> None:
    """Add the objects of one file; in those that CVAT exports through Datumaro, parts are the members of a group."""
    annotations: dict[str, int] = {}
    exported = child_text(element, "source/sourceAnnotation") == _DATUMARO
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
        _gather_attributes(gathered, annotation, item, exported=exported)
        known = _KNOWN_OBJECT | ({"segm"} if exported else set[str]())  # the mask and the box around it, and nothing else
        unknown = [raw_xml(child) for child in item if child.tag not in known and _says_something(child)]
        add_extras(gathered, "annotations", annotation, {"elements": unknown} if unknown else {})
    _set_parents(gathered, annotations, element, exported=exported)
    top = [raw_xml(child) for child in element if child.tag not in _KNOWN_TOP and not (exported and child.tag == "source")]
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
    """Masks lie in Masks/ as the XML files lie in Annotations/, or in Masks/ beside the XML file or above it."""
    folder = posixpath.dirname(path)
    usual = root / "Masks" / folder.removeprefix("Annotations").lstrip("/") / PurePosixPath(name).name
    near = [root / above / MASKS / kind for above in (PurePosixPath(folder), *PurePosixPath(folder).parents) for kind in _inner(name)]
    file = next((file for file in (usual, *near) if file.is_file()), usual)
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


def _inner(name: str) -> tuple[str, ...]:
    """A mask's path below Masks/ as the file says it, unless it leads out, and its bare name."""
    path = normal_path(name)
    return (PurePosixPath(path).name,) if is_outside(path) else (path, PurePosixPath(path).name)


def _gather_attributes(gathered: Gathered, annotation: int, item: Element, *, exported: bool) -> None:
    row = gathered.annotations[annotation - 1]
    for name, value in _attributes(child_text(item, "attributes"), exported=exported):
        if exported and name == "rotation" and row["kind"] == "box" and (degrees := _number(value)) is not None:
            row["rotation"] = degrees
        elif name:
            add_attribute(gathered, annotation, name, value)


def _attributes(text: str, *, exported: bool) -> Iterator[tuple[str, str]]:
    """Names and values between commas; Datumaro puts a backslash before separators within, and quotes texts that look like numbers."""
    if not exported:
        pairs = (part.strip().partition("=") for part in text.split(","))
        yield from ((name.strip(), value.strip() if equals else "true") for name, equals, value in pairs)
        return
    for part in _cut(_ATTRIBUTE_END, text):
        name, *rest = _cut(_NAME_END, part.strip(), most=1)
        value = _QUOTED.sub(r"\1", rest[0].strip()) if rest else "true"
        yield _ESCAPED.sub(r"\1", name.strip()), _ESCAPED.sub(r"\1", value)


def _cut(separator: re.Pattern[str], text: str, most: int = 0) -> list[str]:
    """Split a text where a separator stands that no backslash takes away."""
    pieces, start = list[str](), 0
    for match in separator.finditer(text):
        pieces.append(text[start : match.end() - 1])
        start = match.end()
        if most and len(pieces) == most:
            break
    return [*pieces, text[start:]]


def _number(text: str) -> float | None:
    try:
        return float(exact(text))
    except DataError:
        return None


def _set_parents(gathered: Gathered, annotations: dict[str, int], element: Element, *, exported: bool) -> None:
    rows = {row["id"]: row for row in gathered.annotations[-len(annotations) :]} if annotations else {}
    groups: dict[int, int] = {}
    for number, item in enumerate(element.iterfind("object")):
        annotation = annotations.get(child_text(item, "id") or str(number))
        parent = annotations.get(child_text(item, "parts/ispartof"))
        if annotation is None or parent is None:
            continue
        if exported:
            rows[annotation]["group"] = rows[parent]["group"] = groups.setdefault(parent, len(groups) + 1)
        else:
            rows[annotation]["parent"] = parent
