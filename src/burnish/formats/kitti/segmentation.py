"""The masks of KITTI: numbers of classes and of objects in one value, or of classes alone, or their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.errors import FormatError
from burnish.formats.gathering import Gathered, add_annotation, note
from burnish.formats.indexed import colour_text, part_columns, parts_of, read_indexed
from burnish.formats.kitti.layout import BACKGROUND

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.formats.indexed import Indexed
    from burnish.formats.kitti.layout import Entry, LabelColours

_OBJECTS: Final = 256
"""A value is the number of the class times this, plus the number of the object within the picture."""


def gather_masks(gathered: Gathered, root: Path, image: int, entry: Entry, known: LabelColours) -> None:
    """Add the masks of a picture: its objects, and what has a class and belongs to none; colours count where there is nothing else."""
    objects = _values(gathered, root, image, entry.instances)
    classes = _values(gathered, root, image, entry.semantic)
    if objects is not None and classes is not None and objects.shape != classes.shape:
        note(gathered, "size_differs", "The pictures of classes and of objects differ in size; classes are left out.", path=entry.semantic)
        classes = None
    if objects is None and classes is None:
        _gather_colours(gathered, root, image, entry.colours, known)
        return
    if objects is not None:
        _gather(gathered, objects, _OBJECTS, known, {"path": entry.instances, "image": image})
        classes = None if classes is None else np.where(objects > 0, 0, classes).astype(np.int32)
    if classes is not None:
        _gather(gathered, classes, 1, known, {"path": entry.semantic, "image": image})


def _gather(gathered: Gathered, values: NDArray[np.int32], step: int, known: LabelColours, where: dict[str, Any]) -> None:
    unknown: set[int] = set()
    for part in parts_of(values):
        number = part.value // step
        name = known.names[number] if number < len(known.names) else str(number)
        unknown |= {number} if number >= len(known.names) else set()
        if name != BACKGROUND:
            add_annotation(gathered, where["image"], name, "mask", **part_columns(part))
    for number in sorted(unknown):
        reason = f"Pixels have the number {number}, and there are names for 0 to {len(known.names) - 1}; the class is called '{number}'."
        note(gathered, "unknown_value", reason, given=str(number), **where)


def _gather_colours(gathered: Gathered, root: Path, image: int, path: str | None, known: LabelColours) -> None:
    shown = None if path is None else _read(gathered, root, image, path)
    if shown is None:
        return
    unknown: list[int] = []
    for part in parts_of(shown.values, without=()):
        name = known.colours.get(part.value)
        if name is not None and name != BACKGROUND:
            add_annotation(gathered, image, name, "mask", **part_columns(part))
        elif name is None and part.value:
            unknown.append(part.value)
    if unknown:
        named = ", ".join(colour_text(colour) for colour in unknown[:5])
        note(gathered, "unknown_colour", f"{len(unknown)} colours stand for nothing: {named}; they are background.", path=path, image=image)


def _values(gathered: Gathered, root: Path, image: int, path: str | None) -> NDArray[np.int32] | None:
    shown = None if path is None else _read(gathered, root, image, path)
    if shown is not None and shown.coloured:
        note(gathered, "unreadable_mask", "It holds colours; expected numbers of classes or objects.", path=path, image=image)
        return None
    return None if shown is None else shown.values


def _read(gathered: Gathered, root: Path, image: int, path: str) -> Indexed | None:
    try:
        return read_indexed(root / path)
    except FormatError as error:
        note(gathered, "unreadable_mask", str(error).removeprefix(f"{root / path}: "), path=path, image=image)
        return None
