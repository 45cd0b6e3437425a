"""Reading KITTI: boxes out of text files, masks out of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.errors import DataError, FormatError
from burnish.formats.gathering import Gathered, add_annotation, add_attribute, note, to_dataset
from burnish.formats.indexed import colour_text
from burnish.formats.kitti.layout import find_entries, read_label_colours, split_of
from burnish.formats.kitti.lines import parse_line
from burnish.formats.kitti.segmentation import gather_masks
from burnish.formats.reading import measured_size, picture_tables, read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.formats.kitti.layout import Entry, LabelColours


def read(path: Path, *, names: Sequence[str] | None = None) -> Dataset:
    """Read a KITTI dataset: boxes, masks, or both.

    Args:
        path: Its folder.
        names: The classes in their order; else those of label_colors.txt without the background, else the names found.

    Raises:
        FormatError: There is no folder of the format.
    """
    entries = find_entries(path)
    if not entries:
        raise FormatError("there is no label_2/, image_2/, semantic/ or instance/ with files here.", path=path)
    gathered = Gathered("kitti")
    known = read_label_colours(path)
    for image, entry in enumerate(entries, start=1):
        if entry.labels is not None:
            _gather_boxes(gathered, path, image, entry.labels)
        gather_masks(gathered, path, image, entry, known)
    splits = [split_of(entry.folder) for entry in entries]
    columns = {"split": [split for split, _ in splits], "subset": [subset for _, subset in splits]}
    pictures = picture_tables(path, [entry.picture for entry in entries], sizes=[_size(path, entry) for entry in entries], columns=columns)
    declared = list(names) if names is not None else list(known.declared)
    return to_dataset(gathered, path, pictures, path=path, declared=declared, class_columns=_columns(known))


def _gather_boxes(gathered: Gathered, root: Path, image: int, file: str) -> None:
    try:
        lines = read_text(root / file).split("\n")
    except FormatError as error:
        note(gathered, "broken_file", str(error).removeprefix(f"{root / file}: "), path=file, image=image)
        return
    for number, text in enumerate(lines, start=1):
        if text.strip():
            _gather_box(gathered, text, {"path": file, "position": f"line {number}", "image": image})


def _gather_box(gathered: Gathered, text: str, where: dict[str, Any]) -> None:
    try:
        line = parse_line(text)
    except DataError as error:
        reason = f"Expected a type and 14 numbers, or 15 with a score: {error}; the line is left out."
        note(gathered, "unreadable_line", reason, given=text[:100], **where)
        return
    x1, y1, x2, y2 = line.corners
    if x2 < x1 or y2 < y1:
        x1, x2, y1, y2 = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
        note(gathered, "swapped_corners", "A corner stands on the wrong side; they are exchanged.", given=text[:100], **where)
    box = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
    annotation = add_annotation(gathered, where["image"], line.name, "box", **box, occluded=line.occluded, score=line.score)
    for name, value in line.attributes.items():
        add_attribute(gathered, annotation, name, value)


def _size(root: Path, entry: Entry) -> tuple[int, int] | None:
    """The size of a mask where the picture itself is not there."""
    mask = entry.instances or entry.semantic or entry.colours
    return None if entry.found or mask is None else measured_size(root / mask)


def _columns(known: LabelColours) -> dict[str, dict[str, Any]]:
    return {name: {"colour": colour_text(colour)} for name, colour in known.declared.items()}
