"""Writing VOC: an XML file for every picture, lists of the splits, palette pictures where there are masks."""

from __future__ import annotations

import posixpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from xml.etree import ElementTree as ET

import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import finding, findings_table, join_findings
from burnish.engine.files import write_bytes, write_text
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.decimals import decimal_text, exact, plus
from burnish.formats.escapes import escaped
from burnish.formats.indexed import colour_channels, paint, voc_colour, write_indexed
from burnish.formats.placing import HowPlaced, place_media, target_paths
from burnish.formats.voc.layout import ANNOTATIONS, CLASS_MASKS, OBJECT_MASKS, PICTURES
from burnish.formats.voc.reading import FLAGS, ROTATION
from burnish.formats.voc.segmentation import BACKGROUND, LABEL_MAP, VOID
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from burnish.data.dataset import Dataset

CARRIES: Final = frozenset({"box", "mask", "occluded", "rotation", "attributes", "split", "colour"})

_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
_HAS_BOX: Final = (pl.col("kind") == "box") & pl.all_horizontal(pl.col("x1", "y1", "x2", "y2").is_finite().fill_null(value=False))
_HAS_MASK: Final = (pl.col("kind") == "mask") & pl.col("mask").is_not_null()


class _Picture(NamedTuple):
    image: int
    target: str
    size: tuple[int | None, int | None]
    boxes: Sequence[dict[str, Any]]
    masks: Sequence[dict[str, Any]]


class _Names(NamedTuple):
    classes: Mapping[int, str]
    places: Mapping[int, int]
    colours: Mapping[int, tuple[int, int, int]]
    attributes: Mapping[int, Sequence[tuple[str, str]]]
    extras: Mapping[int | None, dict[str, Any]]
    image_extras: Mapping[int | None, dict[str, Any]]


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy", count_from: Literal[0, 1] = 1) -> pl.DataFrame:
    """Write boxes as XML and masks as palette pictures.

    Args:
        dataset: What to write.
        folder: The folder to fill.
        media: Whether pictures are copied, linked or left.
        count_from: 1: corners are numbers of pixels from 1, the last included, as in VOC; 0: corners are plain coordinates.

    Returns:
        Findings on what is not carried, for instance pixels of a mask that another covers.
    """
    targets = target_paths(dataset, below=PICTURES, one_stem=True)
    placed = place_media(dataset, folder, targets, media)
    names = _names(dataset)
    rows: list[dict[str, Any]] = []
    for picture in _pictures(dataset, targets):
        write_bytes(folder / ANNOTATIONS / f"{_key(picture.target)}.xml", _xml(picture, names, count_from))
        if picture.masks:
            rows += _write_masks(folder, picture, names)
    _write_lists(dataset, folder, targets)
    write_text(folder / LABEL_MAP, _label_map(dataset))
    return join_findings(placed, findings_table(rows), _not_carried(dataset))


def _names(dataset: Dataset) -> _Names:
    attributes: dict[int, list[tuple[str, str]]] = {}
    for annotation, name, value in dataset.attributes.select("annotation", "name", "value").iter_rows():
        attributes.setdefault(annotation, []).append((name, value))
    classes = dataset.class_names()
    places = {number: place for place, number in enumerate(classes, start=1)}
    return _Names(
        classes=classes,
        places=places,
        colours={places[i]: colour_channels(colour) for i, colour in dataset.classes.select("id", "colour").iter_rows() if colour},
        attributes=attributes,
        extras=extra_fields(dataset, "voc", "annotations"),
        image_extras=extra_fields(dataset, "voc", "images"),
    )


def _pictures(dataset: Dataset, targets: Mapping[int, str]) -> Iterator[_Picture]:
    wanted = dataset.annotations.filter(_HAS_BOX | _HAS_MASK)
    priorities = dict(dataset.classes.select("id", "priority").iter_rows())
    parts = wanted.partition_by("image", as_dict=True, maintain_order=True)
    for image, width, height in dataset.images.select("id", "width", "height").iter_rows():
        rows = parts[image,].to_dicts() if (image,) in parts else []
        masks = [row for row in rows if row["kind"] == "mask"]
        masks.sort(key=lambda row: (row["class"] is None, priorities.get(row["class"], 0), row["z_order"]))
        yield _Picture(image, targets[image], (width, height), [row for row in rows if row["kind"] == "box"], masks)


def _key(target: str) -> str:
    return posixpath.splitext(PurePosixPath(target).relative_to(PICTURES).as_posix())[0]


def _xml(picture: _Picture, names: _Names, count_from: int) -> bytes:
    kept = names.image_extras.get(picture.image, {})
    root = ET.Element("annotation")
    _add(root, "folder", kept.get("folder", PurePosixPath(picture.target).parent.name))
    _add(root, "filename", PurePosixPath(picture.target).name)
    root.extend(ET.fromstring(text) for text in kept.get("elements", []))
    size = ET.SubElement(root, "size")
    for tag, value in zip(("width", "height"), picture.size, strict=True):
        _add(size, tag, str(value or 0))
    _add(size, "depth", kept.get("depth", "3"))
    _add(root, "segmented", kept.get("segmented", "1" if picture.masks else "0"))
    for row in picture.boxes:
        root.append(_object(row, names, count_from))
    root.extend(ET.fromstring(text) for text in kept.get("objects", []))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _object(row: Mapping[str, Any], names: _Names, count_from: int) -> ET.Element:
    element = ET.Element("object")
    if row["class"] is not None:
        _add(element, "name", escaped(names.classes[row["class"]]))
    attributes = names.attributes.get(row["id"], [])
    flags = {name: value for name, value in attributes if name in FLAGS and value}
    for flag in FLAGS:
        if flag in flags:
            _add(element, flag, escaped(flags[flag]))
    if row["occluded"]:
        _add(element, "occluded", "1")
    box = ET.SubElement(element, "bndbox")
    for corner, side in zip(_CORNERS, ("x1", "y1", "x2", "y2"), strict=True):
        value = exact(row[side])
        _add(box, corner, decimal_text(plus(value, count_from) if corner.endswith("min") else value))
    others = [pair for pair in attributes if pair[0] not in flags]
    others += [(ROTATION, decimal_text(exact(row["rotation"])))] if row["rotation"] else []
    if others:
        _add_attributes(element, others)
    element.extend(ET.fromstring(text) for text in names.extras.get(row["id"], {}).get("elements", []))
    return element


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _add_attributes(element: ET.Element, pairs: Sequence[tuple[str, str]]) -> None:
    above = ET.SubElement(element, "attributes")
    for name, value in pairs:
        attribute = ET.SubElement(above, "attribute")
        _add(attribute, "name", escaped(name))
        _add(attribute, "value", escaped(value))


def _write_masks(folder: Path, picture: _Picture, names: _Names) -> Iterator[dict[str, Any]]:
    width, height = picture.size
    if width is None or height is None:
        reason = "The size of the picture is not known, so its mask cannot be painted."
        yield from (finding("not_carried", reason, image=picture.image, annotation=row["id"]) for row in picture.masks)
        return
    rows = [row for row in picture.masks if row["class"] is None or names.places[row["class"]] < VOID]
    objects = [row for row in rows if row["class"] is not None][: VOID - 1]
    painted = [*objects, *(row for row in rows if row["class"] is None)]
    kept = {row["id"] for row in painted}
    for row in picture.masks:
        if row["id"] not in kept:
            reason = f"A picture holds {VOID - 1} objects and {VOID - 1} classes at most; this one is left out."
            yield finding("not_carried", reason, image=picture.image, annotation=row["id"])
    masks = [rle.decode(rle.decompress(row["mask"]), height, width) for row in painted]
    owners, covered = paint(masks, (width, height))
    for row, mask, pixels in zip(painted, masks, covered.tolist(), strict=True):
        if not mask.any():
            yield finding("not_carried", "The mask holds no pixels.", image=picture.image, annotation=row["id"])
        if pixels:
            reason = f"{pixels} of its pixels are covered by another mask; a pixel belongs to one object only."
            yield finding("not_carried", reason, image=picture.image, annotation=row["id"])
    palette = [voc_colour(number) for number in range(VOID + 1)]
    coloured = [names.colours.get(number, colour) for number, colour in enumerate(palette)]
    for name, values, shown in ((CLASS_MASKS, _class_values(painted, names), coloured), (OBJECT_MASKS, _object_values(painted), palette)):
        write_indexed(folder / name / f"{_key(picture.target)}.png", pl.Series(values, dtype=pl.Int32).to_numpy()[owners], shown)


def _class_values(painted: Sequence[Mapping[str, Any]], names: _Names) -> list[int]:
    return [0, *(VOID if row["class"] is None else names.places[row["class"]] for row in painted)]


def _object_values(painted: Sequence[Mapping[str, Any]]) -> list[int]:
    """Objects are numbered in the order of the table, however they were painted."""
    order = sorted(row["id"] for row in painted if row["class"] is not None)
    numbers = {annotation: number for number, annotation in enumerate(order, start=1)}
    return [0, *(numbers.get(row["id"], VOID) for row in painted)]


def _write_lists(dataset: Dataset, folder: Path, targets: Mapping[int, str]) -> None:
    lists: dict[str, list[str]] = {}
    for image, split in dataset.scan("images", "id", "split").collect().iter_rows():
        if split is not None:
            lists.setdefault(split, []).append(_key(targets[image]))
    for split, keys in lists.items():
        write_text(folder / "ImageSets" / "Main" / f"{split}.txt", "".join(key + "\n" for key in keys))


def _label_map(dataset: Dataset) -> str:
    lines = ["# label:color_rgb:parts:actions", f"{BACKGROUND}:0,0,0::"]
    for name, colour in dataset.classes.select("name", "colour").iter_rows():
        channels = ",".join(str(c) for c in colour_channels(colour)) if colour else ""
        lines.append(f"{escaped(name, also=':#')}:{channels}::")
    return "\n".join(lines) + "\n"


def _not_carried(dataset: Dataset) -> pl.DataFrame:
    """What boxes carry in XML (attributes, occluded), masks have no place for."""
    masks = dataset.annotations.filter(pl.col("kind") == "mask")
    boxes = dataset.with_tables(annotations=dataset.annotations.filter(pl.col("kind") != "mask"))
    nothing = {name: dataset.table(name).clear() for name in ("images", "classes", "extras")}
    shapeless = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(["box", "mask"]) & ~_HAS_BOX & ~_HAS_MASK)
    return join_findings(
        not_carried(boxes, "voc", CARRIES),
        not_carried(dataset.with_tables(annotations=masks, **nothing), "voc", {"mask"}),
        lost_annotations(shapeless, "It has no box or mask to write: a corner is missing or not finite."),
    )
