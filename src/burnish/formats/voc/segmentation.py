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
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.formats.voc.layout import Entry

LABEL_MAP: Final = "labelmap.txt"
BACKGROUND: Final = "background"
VOID: Final = 255
"""Value of pixels that belong to nothing for sure; they become a mask without a class."""

_CHANNELS: Final = 3
_SIDES: Final = ("x1", "y1", "x2", "y2")
_NEAR: Final = 2.0
_VOC_NAMES: Final = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse", "motorbike"),
    *("person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


class LabelMap(NamedTuple):
    """What numbers and colours of the pictures of classes stand for.

    Attributes:
        names: Class names in the order of the file.
        places: The place of the class in `names`, from 1, by the value of a pixel; 0 is the background.
        numbers: The same by colour 0xRRGGBB.
        columns: Further columns of the classes, by name.
        shared: Names whose colour another has too, so that colours tell them not apart.
    """

    names: tuple[str, ...]
    places: dict[int, int]
    numbers: dict[int, int]
    columns: dict[str, dict[str, Any]]
    shared: tuple[str, ...] = ()


def read_label_map(root: Path) -> LabelMap:
    """Read labelmap.txt (`name:red,green,blue:parts:actions` a line); names empty where there is none.

    The first line called background, wherever it stands, is no class. Values of pixels are then the places of lines from 0, else from
    1; a line without a colour has that of VOC's palette.

    Raises:
        FormatError: A colour is not three numbers from 0 to 255.
    """
    rows = list(_lines(root / LABEL_MAP)) if (root / LABEL_MAP).is_file() else []
    if not rows:
        everything = range(VOID + 1)
        return LabelMap((), {n: n for n in everything}, {packed(voc_colour(n)): n for n in everything}, {})
    nothing = next((place for place, (name, _) in enumerate(rows) if name == BACKGROUND), None)
    named = [row for place, row in enumerate(rows) if place != nothing]
    classes = list(dict.fromkeys(name for name, _ in named))
    first = 0 if nothing is not None else 1
    places, numbers, shared = {0: 0, VOID: VOID}, dict[int, int](), list[str]()
    for value, (name, colour) in enumerate(rows, start=first):
        places[value] = 0 if value == nothing else classes.index(name) + 1
        shown = packed(voc_colour(value)) if colour is None else colour
        shared += [name] if numbers.setdefault(shown, places[value]) != places[value] else []
    numbers = {0: 0, packed(voc_colour(VOID)): VOID} | numbers
    columns = {name: {"colour": colour_text(colour)} for name, colour in named if colour is not None}
    return LabelMap(tuple(classes), places, numbers, columns, tuple(shared))


def gather_masks(gathered: Gathered, root: Path, entries: Sequence[Entry], label_map: LabelMap) -> list[str]:
    """Add the masks of all pictures; returns the class names in order, those that only masks have included."""
    boxed = {row["label"] for row in gathered.annotations if row["label"] is not None}
    masked = any(entry.classes is not None for entry in entries)
    names = list(label_map.names) or (list(_VOC_NAMES) if masked and boxed <= {*_VOC_NAMES} else [])
    if masked and label_map.shared:
        reason = f"Classes have the colour of another, so that colours do not tell them apart: {', '.join(label_map.shared)}."
        note(gathered, "shared_colour", reason, path=LABEL_MAP)
    for image, entry in enumerate(entries, start=1):
        if entry.classes is not None:
            _gather_picture(gathered, root, image, (entry.classes, entry.objects), label_map._replace(names=tuple(names)))
    _note_twice(gathered)
    if label_map.names:
        return names
    return sorted(in_order({row["label"] for row in gathered.annotations if row["label"]}), key=_order(names))


def _note_twice(gathered: Gathered) -> None:
    """Tell how many objects stand twice, as the benchmark has them: as a box of an XML file and as a mask that fills it."""
    boxes: dict[tuple[int, str | None], list[list[float]]] = {}
    for row in gathered.annotations:
        if row["kind"] == "box":
            boxes.setdefault((row["image"], row["label"]), []).append([row[side] for side in _SIDES])
    masks = [row for row in gathered.annotations if row["kind"] == "mask" and row["label"] is not None]
    twice = [
        row
        for row in masks
        if any(
            max(abs(side - row[name]) for side, name in zip(box, _SIDES, strict=True)) <= _NEAR
            for box in boxes.get((row["image"], row["label"]), [])
        )
    ]
    if twice:
        reason = (
            f"{len(twice)} of {len(masks)} masks fill the box of an object of their class: these objects stand twice, as a box and as a "
            "mask. Leave out one kind before counting or training."
        )
        note(gathered, "box_and_mask", reason, is_issue=False, annotation=twice[0]["id"], image=twice[0]["image"])


def _lines(path: Path) -> Iterator[tuple[str, int | None]]:
    """Name and colour of each line."""
    for position, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        told = rest.partition(":")[0].strip()
        channels = [int(c) for c in told.split(",") if c.strip().isdecimal()]
        if told and (len(channels) != len(told.split(",")) or len(channels) != _CHANNELS or max(channels) > VOID):
            raise FormatError(f"The colour is '{told}'; expected red,green,blue from 0 to 255.", path=path, position=position)
        yield unescaped(name), packed(channels) if told else None


def _order(names: Sequence[str]) -> Any:
    places = {name: place for place, name in enumerate(names)}
    return lambda name: (places.get(name, len(places)), natural_key(name))


def _gather_picture(gathered: Gathered, root: Path, image: int, paths: tuple[str, str | None], label_map: LabelMap) -> None:
    shown = _read(gathered, root, image, paths[0])
    if shown is None:
        return
    classes = _classes(gathered, image, paths[0], shown, label_map)
    told = _read(gathered, root, image, paths[1]) if paths[1] else None
    if told is not None and told.values.shape != classes.shape:
        note(gathered, "size_differs", "The pictures of classes and of objects differ in size; objects are left out.", path=paths[1])
        told = None
    objects = classes if told is None else _objects(told)
    if told is not None:
        _note_unowned(gathered, image, paths[0], classes, objects)
    unnamed: Counter[int] = Counter()
    for part in parts_of(objects, without=(0, VOID)):
        number = _majority(classes, part.mask)
        unnamed[number] += not 1 <= number <= len(label_map.names)
        add_annotation(gathered, image, _name(number, label_map.names), "mask", **part_columns(part))
    for part in parts_of(np.where(classes == VOID, VOID, 0)):
        add_annotation(gathered, image, None, "mask", **part_columns(part))
    for number in sorted(+unnamed):
        reason = f"Pixels have the number {number}, and there are names for 1 to {len(label_map.names)}; the class is called '{number}'."
        note(gathered, "unknown_value", reason, path=paths[0], image=image, given=str(number))


def _name(number: int, names: Sequence[str]) -> str:
    return names[number - 1] if 1 <= number <= len(names) else str(number)


def _read(gathered: Gathered, root: Path, image: int, path: str) -> Indexed | None:
    try:
        return read_indexed(root / path)
    except FormatError as error:
        note(gathered, "unreadable_mask", str(error).removeprefix(f"{root / path}: "), path=path, image=image)
        return None


def _classes(gathered: Gathered, image: int, path: str, shown: Indexed, label_map: LabelMap) -> NDArray[np.int32]:
    """The place of the class of every pixel: by its colour, or by its value where palettes do not say or not tell apart."""
    values, places = np.unique(shown.values, return_inverse=True)
    colours = {int(v): int(v) if shown.coloured else int(shown.palette.get(int(v), "-1").removeprefix("#"), 16) for v in values}
    by_colour = shown.coloured or (
        bool(shown.palette) and not label_map.shared and all(colour in label_map.numbers for colour in colours.values())
    )
    numbers = (
        {v: label_map.numbers.get(colour) for v, colour in colours.items()}
        if by_colour
        else {v: label_map.places.get(v, v) for v in colours}
    )
    unknown = [v for v, number in numbers.items() if number is None]
    if unknown:
        named = ", ".join(colour_text(v) for v in unknown[:5])
        note(gathered, "unknown_colour", f"{len(unknown)} colours stand for nothing: {named}; they are background.", path=path, image=image)
    table = np.array([numbers[int(v)] or 0 for v in values], dtype=np.int32)
    return table[places].reshape(shown.values.shape)


def _objects(told: Indexed) -> NDArray[np.int32]:
    """Numbers of objects; colours beyond VOC's palette are objects too, numbered after its last."""
    if not told.coloured:
        return told.values
    palette = {packed(voc_colour(number)): number for number in range(VOID + 1)}
    colours, places = np.unique(told.values, return_inverse=True)
    table = np.array([palette.get(int(c), VOID + place) for place, c in enumerate(colours, start=1)], dtype=np.int32)
    return table[places].reshape(told.values.shape)


def _note_unowned(gathered: Gathered, image: int, path: str, classes: NDArray[np.int32], objects: NDArray[np.int32]) -> None:
    """Pixels of a class that no object has: some tools paint all of the background in the colour of the first class."""
    unowned = int(np.count_nonzero((classes > 0) & (classes != VOID) & (objects == 0)))
    if unowned:
        reason = f"{unowned} pixels have a class and belong to no object; they are read as background."
        note(gathered, "pixels_without_object", reason, is_issue=False, path=path, image=image)


def _majority(classes: NDArray[np.int32], mask: bytes) -> int:
    """The class of most of an object's pixels; the void border and background count only where there is nothing else."""
    values, counts = np.unique(classes[rle.decode(rle.decompress(mask), *classes.shape)], return_counts=True)
    weight = np.where(np.isin(values, (0, VOID)), 0, counts)
    return int(values[np.argmax(weight)]) if weight.any() else 0
