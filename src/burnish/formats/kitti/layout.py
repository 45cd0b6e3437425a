"""Where the files of a KITTI dataset lie, which belong to one picture, and what the classes are called."""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from burnish.formats.escapes import unescaped
from burnish.formats.gathering import in_order
from burnish.formats.indexed import packed
from burnish.formats.reading import is_picture, list_files, list_pictures, read_text, walk_some
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PICTURES: Final = "image_2"
LABELS: Final = "label_2"
SEMANTIC: Final = "semantic"
INSTANCES: Final = "instance"
COLOURS: Final = "semantic_rgb"
LABEL_COLOURS: Final = "label_colors.txt"
BACKGROUND: Final = "background"
FOLDERS: Final = {"train": "training", "test": "testing"}
"""The benchmark's own names of splits."""

CITYSCAPES: Final = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road", "sidewalk", "parking"),
    *("rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign"),
    *("vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"),
)
"""Classes of the benchmark's pixels by their numbers, which are those of Cityscapes."""

_PARTS: Final = (PICTURES, LABELS, SEMANTIC, INSTANCES, COLOURS)
_ROW: Final = re.compile(r"(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s+(\S.*)")
_NUMBERS: Final = 14


class Entry(NamedTuple):
    """One picture and what tells about it, relative to the root; None where nothing does.

    Attributes:
        picture: The picture, or where it would lie.
        found: Whether it is there.
        labels: Its text file.
        semantic: The picture of its classes.
        instances: The picture of its objects.
        colours: The picture of its classes in colours.
        folder: The folder of its split, empty for the root itself.
    """

    picture: str
    found: bool
    labels: str | None
    semantic: str | None
    instances: str | None
    colours: str | None
    folder: str


class LabelColours(NamedTuple):
    """Names by number and by colour 0xRRGGBB; `declared` are those of label_colors.txt with their colours, without the background."""

    names: tuple[str, ...]
    colours: Mapping[int, str]
    declared: Mapping[str, int]


def recognise(path: Path) -> bool:
    """Whether a folder holds label_2/ with lines of KITTI, or pictures of objects beside a table of colours or image_2/."""
    if not path.is_dir():
        return False
    folders = [entry for entry in walk_some(path) if entry.is_dir()]
    if any(entry.name == LABELS and any(_is_kitti(file) for file in walk_some(entry, 20) if file.suffix == ".txt") for entry in folders):
        return True
    masks = [entry for entry in folders if entry.name in {SEMANTIC, INSTANCES} and any(is_picture(file) for file in walk_some(entry, 20))]
    return any((path / LABEL_COLOURS).is_file() or (entry.parent / PICTURES).is_dir() for entry in masks)


def find_entries(root: Path) -> list[Entry]:
    """Every picture that lies there or that a file tells about, folder by folder, in natural order of names."""
    found: list[Entry] = []
    for folder in in_order(_homes(root)):
        parts = {part: _files(root, posixpath.join(folder, part)) for part in _PARTS}
        for key in in_order({key for files in parts.values() for key in files}):
            told = [parts[part].get(key) for part in _PARTS]
            picture = told[0] or posixpath.join(folder, PICTURES, f"{key}.png")
            found.append(Entry(picture, told[0] is not None, *told[1:], folder=folder))
    return found


def split_of(folder: str) -> tuple[str | None, str | None]:
    """The split of a folder, and the name as the folder spells it where that is neither the split nor the benchmark's."""
    name = PurePosixPath(folder).name
    split = split_named(name) or name or None
    return split, None if name in {split, FOLDERS.get(split or "")} or split is None else name


def read_label_colours(root: Path) -> LabelColours:
    """Read label_colors.txt (`red green blue name` a line); the benchmark's names where there is none."""
    if not (root / LABEL_COLOURS).is_file():
        return LabelColours(CITYSCAPES, {}, {})
    rows = [match for line in read_text(root / LABEL_COLOURS).split("\n") if (match := _ROW.fullmatch(line.strip()))]
    named = [(unescaped(row[4]), packed([int(row[channel]) for channel in (1, 2, 3)])) for row in rows]
    colours = {colour: name for name, colour in reversed(named)}
    return LabelColours(tuple(name for name, _ in named), colours, {name: colour for name, colour in named if name != BACKGROUND})


def _homes(root: Path) -> Iterator[str]:
    """Folders, relative to the root, that hold one of the format's."""
    seen = {entry.parent for entry in _folders(root) if entry.name in _PARTS}
    for home in seen:
        below = home.relative_to(root).as_posix()
        yield "" if below == "." else below


def _folders(root: Path) -> Iterator[Path]:
    """The folders of the first three levels."""
    level = [root]
    for _ in range(3):
        level = [entry for folder in level for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
        yield from level


def _files(root: Path, folder: str) -> dict[str, str]:
    """Files of a folder by name without ending."""
    if not (root / folder).is_dir():
        return {}
    names = list_files(root / folder, frozenset({".txt"})) if folder.endswith(LABELS) else list_pictures(root / folder)
    return {posixpath.splitext(name)[0]: posixpath.join(folder, name) for name in names}


def _is_kitti(path: Path) -> bool:
    """Whether the first line has a name and then fourteen numbers."""
    with path.open("rb") as stream:
        words = stream.readline(4096).split()
    return not words or (len(words) > _NUMBERS and all(_is_number(word) for word in words[-_NUMBERS:]))


def _is_number(word: bytes) -> bool:
    return re.fullmatch(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word) is not None
