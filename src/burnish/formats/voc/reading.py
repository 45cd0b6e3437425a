"""Reading VOC: boxes out of XML files, masks out of palette pictures, splits out of lists."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from burnish.errors import DataError, FormatError
from burnish.formats.decimals import exact, minus
from burnish.formats.escapes import unescaped
from burnish.formats.gathering import Gathered, add_annotation, add_attribute, add_extras, note, to_dataset
from burnish.formats.reading import measured_size, picture_tables
from burnish.formats.splits import split_named
from burnish.formats.voc.layout import Entry, find_entries, read_lists, root_of
from burnish.formats.voc.segmentation import gather_masks, read_label_map
from burnish.formats.xml_text import child_text, parse_xml, raw_xml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from burnish.data.dataset import Dataset

FLAGS: Final = ("pose", "truncated", "difficult")
"""Elements of an object that become attributes of the same name."""

ROTATION: Final = "rotation"
"""An attribute of this name, as CVAT writes it, is the turn of the box in degrees."""

_KNOWN_TOP: Final = frozenset({"folder", "filename", "size", "segmented", "object"})
_KNOWN_OBJECT: Final = frozenset({"name", "bndbox", "occluded", "attributes", *FLAGS})
_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")


class _File(NamedTuple):
    """One XML file: its root (None where it cannot be read) and the entry that it belongs to."""

    entry: Entry
    root: Element | None


def read(path: Path, *, names: Sequence[str] | None = None, count_from: Literal[0, 1] | None = None) -> Dataset:
    """Read a VOC dataset: boxes, segmentation, or both.

    Args:
        path: Its folder, its folder of XML files, or one XML file.
        names: The classes in their order; else those of labelmap.txt without the background, else all names in natural order.
        count_from: 1: corners are numbers of pixels from 1, the last included, as in VOC; 0: corners are plain coordinates; None: 0 for
            files that CVAT exported (they name an unknown source), else 1.

    Raises:
        FormatError: No XML file can be read, or several datasets lie in the folder.
    """
    root = root_of(path)
    gathered = Gathered("voc")
    lists = read_lists(root)
    for name, first, second in lists.doubled:
        note(gathered, "two_splits", f"The picture stands in the lists of {first} and of {second}; it is read as {first}.", given=name)
    for file, name in lists.impossible:
        note(gathered, "broken_line", "No file can have this name; it is left out.", path=f"ImageSets/{file}", given=name)
    if lists.of_classes:
        reason = f"{len(lists.of_classes)} lists of single classes, such as {lists.of_classes[0]}, are left out: the XML files say it too."
        note(gathered, "class_lists", reason, is_issue=False, path=f"ImageSets/{lists.of_classes[0]}")
    entries = find_entries(root, lists)
    if path.is_file():
        entries = [e for e in entries if e.xml is not None and (root / e.xml).samefile(path)]
    files = _parsed(root, entries, gathered)
    entries = [_with_file_name(root, file, gathered, image) for image, file in enumerate(files, start=1)]
    plain = {image for image, file in enumerate(files, start=1) if count_from == 0 or (count_from is None and _is_exported(file.root))}
    for image, file in enumerate(files, start=1):
        _gather(gathered, image, file, 0 if image in plain else 1)
    if count_from is None and plain:
        reason = f"{len(plain)} files are as CVAT exports them: their corners are plain coordinates and are read so (count_from=0)."
        note(gathered, "plain_corners", reason, is_issue=False, path=files[min(plain) - 1].entry.xml)
    _note_zero(gathered, plain)
    label_map = read_label_map(root)
    declared = list(names) if names is not None else list(label_map.names)
    classes = gather_masks(gathered, root, entries, label_map._replace(names=tuple(declared)))
    pictures = picture_tables(root, [e.picture for e in entries], sizes=[_size(root, file) for file in files], columns=_splits(entries))
    return to_dataset(gathered, root, pictures, path=path, declared=classes, class_columns=label_map.columns)


def _parsed(root: Path, entries: Sequence[Entry], gathered: Gathered) -> list[_File]:
    files = [_File(entry, _root_element(root, entry, gathered, image)) for image, entry in enumerate(entries, start=1)]
    with_xml = [file for file in files if file.entry.xml is not None]
    if with_xml and all(file.root is None for file in with_xml):
        reason = next(row["reason"] for row in gathered.findings if row["kind"] == "broken_file")
        raise FormatError(f"none of the {len(with_xml)} XML files can be read; {with_xml[0].entry.xml}: {reason}", path=root)
    return files


def _root_element(root: Path, entry: Entry, gathered: Gathered, image: int) -> Element | None:
    if entry.xml is None:
        if entry.classes is None:
            reason = "The picture has no XML file; it is read as unlabelled."
            note(gathered, "no_annotation_file", reason, is_issue=False, path=entry.picture, image=image)
        return None
    try:
        element = parse_xml(root / entry.xml)
    except FormatError as error:
        position = None if error.position is None else f"line {error.position}"
        reason = f"{str(error).split(': ', 1)[1]} The picture is read as unlabelled."
        note(gathered, "broken_file", reason, path=entry.xml, position=position, image=image)
        return None
    if element.tag != "annotation":
        note(gathered, "broken_file", f"Its top element is <{element.tag}>, expected <annotation>.", path=entry.xml, image=image)
        return None
    return element


def _with_file_name(root: Path, file: _File, gathered: Gathered, image: int) -> Entry:
    """A file is matched by its stem; the <filename> counts where nothing has that stem, and a difference is told."""
    entry = file.entry
    told = PurePosixPath(child_text(file.root, "filename").replace("\\", "/")).name if file.root is not None else ""
    if not told or told == PurePosixPath(entry.picture).name:
        return entry
    if not entry.found:
        named = PurePosixPath(entry.picture).with_name(told).as_posix()
        beside = PurePosixPath(entry.xml or "").with_name(told).as_posix()
        return entry._replace(picture=beside if (root / beside).is_file() else named)
    if PurePosixPath(told).stem != PurePosixPath(entry.picture).stem:
        reason = f"Its <filename> is {told}; the picture with the XML file's own name is taken."
        note(gathered, "other_filename", reason, path=entry.xml, image=image, given=told, suggestion=PurePosixPath(entry.picture).name)
    return entry


def _splits(entries: Sequence[Entry]) -> dict[str, list[str | None]]:
    """Splits by their usual names, and as their lists spell them where that differs (Train, Validation)."""
    usual = [None if e.split is None else split_named(e.split) or e.split for e in entries]
    return {"split": usual, "subset": [None if e.split == split else e.split for e, split in zip(entries, usual, strict=True)]}


def _size(root: Path, file: _File) -> tuple[int, int] | None:
    """The declared size; None where it is missing or no size, so that the picture is asked, or its mask where it is not there."""
    entry, element = file
    try:
        width, height = (0, 0) if element is None else (int(Decimal(child_text(element, f"size/{side}"))) for side in ("width", "height"))
    except (ArithmeticError, ValueError):
        width, height = 0, 0
    if width > 0 and height > 0:
        return width, height
    return None if entry.found or entry.classes is None else measured_size(root / entry.classes)


def _gather(gathered: Gathered, image: int, file: _File, count_from: int) -> None:
    if file.root is None:
        return
    kept: dict[str, Any] = {}
    for number, element in enumerate(file.root.iterfind("object"), start=1):
        where = {"path": file.entry.xml, "position": f"object {number}", "image": image}
        if not _gather_object(gathered, element, where, count_from):
            kept.setdefault("objects", []).append(raw_xml(element))
    kept |= _usual_differs(file)
    known = _KNOWN_TOP | ({"source"} if _is_exported(file.root) else set[str]())  # ours say of themselves that they count from 1
    unknown = [raw_xml(element) for element in file.root if element.tag not in known]
    add_extras(gathered, "images", image, {**kept, "elements": unknown} if unknown else kept)


def _is_exported(root: Element | None) -> bool:
    """Whether CVAT, or Datumaro which it exports with, wrote the file: nobody else names a source of which it knows nothing."""
    return root is not None and all(child_text(root, f"source/{name}") == "Unknown" for name in ("database", "annotation", "image"))


def _usual_differs(file: _File) -> dict[str, str]:
    """What a file says otherwise than every writer does, so that it is kept."""
    root = file.root
    if root is None:
        return {}
    folder = PurePosixPath(file.entry.picture).parent.name
    told = {"folder": child_text(root, "folder"), "depth": child_text(root, "size/depth"), "segmented": child_text(root, "segmented")}
    usual = {"folder": {"", folder}, "depth": {"", "3"}, "segmented": {"", "0", "1"}}
    return {key: value for key, value in told.items() if value not in usual[key]}


def _gather_object(gathered: Gathered, element: Element, where: dict[str, Any], count_from: int) -> bool:
    """Add an object; False where it has no box that can be read."""
    name = unescaped(child_text(element, "name")) or None
    try:
        corners = [exact(child_text(element, f"bndbox/{corner}")) for corner in _CORNERS]
    except DataError as error:
        given = {corner: child_text(element, f"bndbox/{corner}") for corner in _CORNERS}
        note(gathered, "no_box", f"The object has no box that can be read ({error}); its XML is kept.", given=f"{name}: {given}", **where)
        return False
    x1, y1, x2, y2 = _edges(gathered, corners, count_from, where)
    occluded = child_text(element, "occluded") in {"1", "true", "yes"}
    annotation = add_annotation(gathered, where["image"], name, "box", x1=x1, y1=y1, x2=x2, y2=y2, occluded=occluded)
    if name is None:
        note(gathered, "no_label", "The object has no <name>.", annotation=annotation, **where)
    _gather_attributes(gathered, annotation, element)
    unknown = [raw_xml(child) for child in element if child.tag not in _KNOWN_OBJECT]
    add_extras(gathered, "annotations", annotation, {"elements": unknown} if unknown else {})
    return True


def _edges(gathered: Gathered, corners: list[Decimal], count_from: int, where: dict[str, Any]) -> list[float]:
    """x1, y1, x2, y2; corners that stand on the wrong side are exchanged (a box narrower than a pixel only looks so)."""
    xmin, ymin, xmax, ymax = corners
    given = ", ".join(str(c) for c in corners)
    if xmax < minus(xmin, count_from) or ymax < minus(ymin, count_from):
        xmin, ymin, xmax, ymax = min(xmin, xmax), min(ymin, ymax), max(xmin, xmax), max(ymin, ymax)
        turned = f"{xmin}, {ymin}, {xmax}, {ymax}"
        note(gathered, "swapped_corners", "A corner stands on the wrong side; they are exchanged.", given=given, suggestion=turned, **where)
    edges = [float(v) for v in (minus(xmin, count_from), minus(ymin, count_from), xmax, ymax)]
    if xmax == xmin or ymax == ymin or edges[0] == edges[2] or edges[1] == edges[3]:
        note(gathered, "zero_area", "Two corners of the box coincide; it is a pixel wide or high at most.", given=given, **where)
    return edges


def _gather_attributes(gathered: Gathered, annotation: int, element: Element) -> None:
    for flag in FLAGS:
        if child_text(element, flag):
            add_attribute(gathered, annotation, flag, unescaped(child_text(element, flag)))
    for attribute in element.iterfind("attributes/attribute"):
        name, value = unescaped(child_text(attribute, "name")), unescaped(child_text(attribute, "value"))
        if name == ROTATION and (degrees := _number(value)) is not None:
            gathered.annotations[annotation - 1]["rotation"] = degrees
        else:
            add_attribute(gathered, annotation, name, value)


def _number(text: str) -> float | None:
    try:
        return float(exact(text))
    except DataError:
        return None


def _note_zero(gathered: Gathered, plain: set[int]) -> None:
    """A corner at 0 cannot be where pixels are counted from 1; told once, since all boxes then lie a pixel off."""
    low = [row for row in gathered.annotations if row["image"] not in plain and (row["x1"] < 0 or row["y1"] < 0)]
    if low:
        reason = (
            f"{len(low)} boxes have a corner below 1, and VOC counts pixels from 1. "
            "If the tool that wrote them counts from 0, read with count_from=0; else these lie outside."
        )
        note(gathered, "counts_from_zero", reason, annotation=low[0]["id"], image=low[0]["image"])
