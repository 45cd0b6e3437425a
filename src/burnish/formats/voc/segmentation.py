"""The segmentation of VOC: palette pictures of classes and of objects, and the label map that names the numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from burnish.engine.names import natural_key
from burnish.errors import FormatError
from burnish.formats.escapes import unescaped
from burnish.formats.gathering import Gathered, add_annotation, in_order, note
from burnish.formats.indexed import Indexed, colour_text, packed, part_columns, parts_of, read_indexed, voc_colour
from burnish.formats.reading import read_text
from burnish.formats.voc.layout import CLASS_MASKS, OBJECT_MASKS, Entry, mask_paths
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LABEL_MAP: Final = "labelmap.txt"
BACKGROUND: Final = "background"
VOID: Final = 255
"""Value of pixels that belong to nothing for sure; they become a mask without a class."""

_VOC_NAMES: Final = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse", "motorbike"),
    *("person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


class LabelMap(NamedTuple):
    """Class names in the order of their numbers, from 1; the colours that stand for them; further columns of the classes."""

    names: tuple[str, ...]
    numbers: dict[int, int]
    columns: dict[str, dict[str, Any]]


def read_label_map(root: Path) -> LabelMap:
    """Read labelmap.txt (`name:red,green,blue:parts:actions` a line); empty where there is none."""
    path = root / LABEL_MAP
    lines = read_text(path).split("\n") if path.is_file() else []
    rows = [line.strip().split(":") for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if rows and rows[0][0] == BACKGROUND:
        rows = rows[1:]
    numbers = {packed(voc_colour(number)): number for number in range(VOID + 1)}
    columns: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, start=1):
        colour = [int(c) for c in row[1].split(",")] if len(row) > 1 and row[1].strip() else None
        if colour is not None:
            numbers[packed(colour)] = number
            columns[unescaped(row[0])] = {"colour": colour_text(packed(colour))}
    return LabelMap(tuple(unescaped(row[0]) for row in rows), numbers, columns)


def gather_masks(gathered: Gathered, root: Path, entries: Sequence[Entry], label_map: LabelMap) -> list[str]:
    """Add the masks of all pictures; returns the class names in order, those that only masks have included."""
    of_classes, of_objects = mask_paths(root, CLASS_MASKS), mask_paths(root, OBJECT_MASKS)
    boxed = {row["label"] for row in gathered.annotations if row["label"] is not None}
    names = list(label_map.names) or (list(_VOC_NAMES) if of_classes and boxed <= {*_VOC_NAMES} else [])
    for image, entry in enumerate(entries, start=1):
        if entry.key in of_classes:
            paths = of_classes[entry.key], of_objects.get(entry.key)
            _gather_picture(gathered, root, image, paths, label_map._replace(names=tuple(names)))
    lost = sorted(path for key, path in of_classes.items() if key not in {entry.key for entry in entries})
    for path in lost:
        note(gathered, "mask_without_picture", "No picture has the name of this mask.", path=path)
    if label_map.names:
        return names
    return sorted(in_order({row["label"] for row in gathered.annotations if row["label"]}), key=_order(names))


def _order(names: Sequence[str]) -> Any:
    places = {name: place for place, name in enumerate(names)}
    return lambda name: (places.get(name, len(places)), natural_key(name))


def _gather_picture(gathered: Gathered, root: Path, image: int, paths: tuple[str, str | None], label_map: LabelMap) -> None:
    names = label_map.names
    classes = _read(gathered, root, image, paths[0], label_map.numbers)
    objects = _read(gathered, root, image, paths[1], label_map.numbers) if paths[1] else None
    if classes is None:
        return
    if objects is None or objects.shape != classes.shape:
        if objects is not None:
            note(gathered, "size_differs", "The pictures of classes and of objects differ in size; objects are left out.", path=paths[1])
        objects = classes
    unnamed: Counter[int] = Counter()
    for part in parts_of(objects, without=(0, VOID)):
        number = _majority(classes, part.mask)
        unnamed[number] += not 1 <= number <= len(names)
        add_annotation(gathered, image, _name(number, names), "mask", **part_columns(part))
    for part in parts_of(np.where(classes == VOID, VOID, 0)):
        add_annotation(gathered, image, None, "mask", **part_columns(part))
    for number in sorted(+unnamed):
        reason = f"Pixels have the number {number}, and there are names for 1 to {len(names)}; the class is called '{number}'."
        note(gathered, "unknown_value", reason, path=paths[0], image=image, given=str(number))


def _name(number: int, names: Sequence[str]) -> str:
    return names[number - 1] if 1 <= number <= len(names) else str(number)


def _read(gathered: Gathered, root: Path, image: int, path: str, numbers: Mapping[int, int]) -> NDArray[np.int32] | None:
    try:
        indexed = read_indexed(root / path)
    except FormatError as error:
        note(gathered, "unreadable_mask", str(error), path=path, image=image)
        return None
    return _numbered(gathered, image, path, indexed, numbers) if indexed.coloured else indexed.values


def _numbered(gathered: Gathered, image: int, path: str, indexed: Indexed, numbers: Mapping[int, int]) -> NDArray[np.int32]:
    colours, places = np.unique(indexed.values, return_inverse=True)
    unknown = [int(colour) for colour in colours if int(colour) not in numbers]
    if unknown:
        shown = ", ".join(colour_text(colour) for colour in unknown[:5])
        note(gathered, "unknown_colour", f"{len(unknown)} colours stand for nothing: {shown}; they are background.", path=path, image=image)
    table = np.array([numbers.get(int(colour), 0) for colour in colours], dtype=np.int32)
    return table[places].reshape(indexed.values.shape)


def _majority(classes: NDArray[np.int32], mask: bytes) -> int:
    """The class of most of an object's pixels; the void border and background count only where there is nothing else."""
    values, counts = np.unique(classes[rle.decode(rle.decompress(mask), *classes.shape)], return_counts=True)
    weight = np.where(np.isin(values, (0, VOID)), 0, counts)
    return int(values[np.argmax(weight)]) if weight.any() else 0
