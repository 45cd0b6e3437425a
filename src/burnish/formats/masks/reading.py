"""Reading mask pictures: what their values stand for is told by the files beside them, or seen from the values themselves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burnish.engine.map import ordered_map
from burnish.errors import FormatError
from burnish.formats.gathering import Gathered, add_annotation, note, to_dataset
from burnish.formats.indexed import colour_text, mask_columns, packed, part_columns, parts_of, read_indexed, voc_colour
from burnish.formats.masks.encoding import IGNORED, OBJECT, Taken, find_encoding, in_grey, inside_from, stands_for
from burnish.formats.masks.layout import Pairs, find_pairs
from burnish.formats.masks.tables import meaning_of, read_meaning
from burnish.formats.reading import picture_tables
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.formats.masks.encoding import Encoding, Style


def read(
    path: Path,
    *,
    names: Sequence[str] | None = None,
    style: Style | None = None,
    background: bool = True,
    threshold: int = 128,
    masks_in: Path | None = None,
) -> Dataset:
    """Read pictures and their masks, one annotation for each class in a picture or, where there are instances, for each object.

    Args:
        path: The folder above pictures and masks.
        names: The classes in the order of their values; else those of the files beside. A first name "background" is value 0.
        style: What values are; else colours where there are any, binary where all are 0 or one other value, else classes.
        background: Whether value 0 is background; if not, it is the first class.
        threshold: The least value inside of a binary mask.
        masks_in: The folder of the masks, where they are not below `path`; they belong to pictures by name.

    Raises:
        FormatError: There are no pictures.
    """
    found, place = find_pairs(path, masks_in), masks_in or path
    if not found.pairs:
        raise FormatError("there are no pictures here. Expected images/ and masks/, or NAME.jpg and NAME_mask.png.", path=path)
    gathered = Gathered("masks")
    meaning = read_meaning(place) if names is None else meaning_of(names, read_meaning(place).colours)
    shift = 0 if background else 1
    masks = _take_all(place, [pair.mask for pair in found.pairs], shift)
    objects = _take_all(place, [pair.instances for pair in found.pairs], 0)
    pictures = picture_tables(path, [pair.picture for pair in found.pairs], columns={"split": [pair.split for pair in found.pairs]})
    sizes = list(pictures.images.select("width", "height").iter_rows())
    if not meaning.colours and style != "colour":
        masks = [None if mask is None else in_grey(mask) for mask in masks]
    usable = {pair.mask: mask for pair, mask in zip(found.pairs, masks, strict=True) if pair.mask and mask is not None and not mask.error}
    known = find_encoding(gathered, usable, meaning, style, threshold)
    for image, (pair, size) in enumerate(zip(found.pairs, sizes, strict=True), start=1):
        mask = _usable(gathered, image, pair.mask, masks[image - 1], size)
        instances = _usable(gathered, image, pair.instances, objects[image - 1], size)
        _gather(gathered, image, mask, instances, known)
    _note_strays(gathered, found)
    declared = known.names if known.style != "binary" else known.names[:1]
    return to_dataset(gathered, path, pictures, path=path, declared=declared, class_columns=_colours(gathered, masks, known))


def _take_all(root: Path, files: Sequence[str | None], shift: int) -> list[Taken | None]:
    taken = ordered_map(partial(_take, root, shift), [file for file in files if file is not None])
    return [None if file is None else next(taken) for file in files]


def _take(root: Path, shift: int, file: str) -> Taken:
    try:
        indexed = read_indexed(root / file)
    except FormatError as error:
        return Taken((), (0, 0), coloured=False, palette={}, error=str(error).split(": ", 1)[1])
    height, width = indexed.values.shape
    values = indexed.values
    if shift and not indexed.coloured:
        values = np.where(np.isin(values, list(IGNORED)), values, values + shift).astype(np.int32)
    return Taken(tuple(parts_of(values)), (width, height), indexed.coloured, indexed.palette)


def _usable(gathered: Gathered, image: int, file: str | None, taken: Taken | None, size: tuple[int | None, int | None]) -> Taken | None:
    if taken is None or file is None:
        return None
    if taken.error:
        note(gathered, "unreadable_mask", taken.error, path=file, image=image)
        return None
    if None not in size and taken.size != size:
        given, held = (f"{w} x {h}" for w, h in (taken.size, size))
        reason = f"The mask is {given} pixels and the picture {held}; the mask is left out."
        note(gathered, "size_differs", reason, path=file, image=image, given=given, suggestion=held)
        return None
    return taken


def _gather(gathered: Gathered, image: int, mask: Taken | None, instances: Taken | None, known: Encoding) -> None:
    classes = _classes(gathered, image, mask, known) if mask is not None else {}
    if instances is None:
        for name, counts in classes.items():
            _add(gathered, image, name, counts, mask)
        return
    counted = {name: rle.decompress(part) for name, part in classes.items()}
    whole = [rle.decompress(part.mask) for part in instances.parts]
    for part, counts in zip(instances.parts, whole, strict=True):
        add_annotation(gathered, image, _class_of(counts, counted), "mask", **part_columns(part))
    for name, counts in counted.items():
        rest = rle.difference(counts, rle.union(whole)) if whole else counts
        if rle.area(rest):
            add_annotation(gathered, image, name, "mask", **mask_columns(rest, instances.size[1]))


def _add(gathered: Gathered, image: int, name: str | None, mask: bytes, taken: Taken | None) -> None:
    height = taken.size[1] if taken is not None else 0
    add_annotation(gathered, image, name, "mask", **mask_columns(rle.decompress(mask), height))


def _classes(gathered: Gathered, image: int, mask: Taken, known: Encoding) -> dict[str | None, bytes]:
    """The mask of each class of one picture, in the order of their values; None is what counts for nothing."""
    if known.style == "binary":
        least = inside_from(mask, known)
        inside = [rle.decompress(part.mask) for part in mask.parts if part.value >= least]
        return {known.names[0]: rle.compress(rle.union(inside))} if inside else {}
    found: dict[str | None, list[bytes]] = {}
    values = {part.value: stands_for(part.value, mask, known) for part in mask.parts}
    for part in sorted(mask.parts, key=lambda part: _rank(values[part.value], known)):
        name = _name(gathered, image, values[part.value], known)
        if name != "":
            found.setdefault(name, []).append(part.mask)
    return {name: _joined(masks) for name, masks in found.items()}


def _joined(masks: Sequence[bytes]) -> bytes:
    return masks[0] if len(masks) == 1 else rle.compress(rle.union([rle.decompress(mask) for mask in masks]))


def _rank(value: int, known: Encoding) -> int:
    return known.colours.get(value, value) if known.style == "colour" else value


def _name(gathered: Gathered, image: int, value: int, known: Encoding) -> str | None:
    """The class of a value; None for what counts for nothing, the empty text for background."""
    if known.style == "colour":
        number = known.colours.get(value)
        if number is None:
            reason = "The colour stands in no table (label_colors.txt, labelmap.txt); the class is called by the colour."
            note(gathered, "unknown_colour", reason, image=image, given=colour_text(value))
            return colour_text(value)
        return known.names[number - 1] if number else ""
    if 1 <= value <= len(known.names):
        return known.names[value - 1]
    if value in IGNORED:
        return None
    reason = f"Pixels have the value {value}, and there are names for 1 to {len(known.names)}; the class is called by the value."
    note(gathered, "unknown_value", reason, image=image, given=str(value))
    return str(value)


def _class_of(counts: rle.Counts, classes: Mapping[str | None, rle.Counts]) -> str | None:
    """The class that holds most of an object's pixels; an object outside of all classes is just an object."""
    if len(classes) == 1:
        return next(iter(classes))
    shares = {name: rle.area(rle.intersection([counts, held])) for name, held in classes.items()}
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best is not None and shares[best] else OBJECT


def _colours(gathered: Gathered, masks: Sequence[Taken | None], known: Encoding) -> dict[str, dict[str, str]]:
    """The colours of classes, out of a table of colours or a palette; VOC's palette is what writers take who choose none."""
    if known.style == "colour":
        unnamed = {row["given"]: row["given"] for row in gathered.findings if row["kind"] == "unknown_colour"}
        named = {known.names[value - 1]: colour_text(colour) for colour, value in known.colours.items() if value}
        return {name: {"colour": colour} for name, colour in {**unnamed, **named}.items()}
    palette = next((mask.palette for mask in masks if mask and mask.palette), {})
    if all(colour == colour_text(packed(voc_colour(value))) for value, colour in palette.items()):
        return {}
    return {name: {"colour": palette[value]} for value, name in enumerate(known.names, start=1) if value in palette}


def _note_strays(gathered: Gathered, found: Pairs) -> None:
    for file in found.strays:
        note(gathered, "mask_without_picture", "No picture has the name of this mask.", path=file)
    for image, pair in enumerate(found.pairs, start=1):
        if pair.mask is None and pair.instances is None:
            note(gathered, "missing_mask", "The picture has no mask; it is read as unlabelled.", path=pair.picture, image=image)
    if found.others:
        reason = f"{len(found.others)} pictures lie in no folder of pictures or masks and are left out, such as {found.others[0]}."
        note(gathered, "left_out", reason, is_issue=False, path=found.others[0])
