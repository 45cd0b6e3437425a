"""Where the files of a VOC dataset lie, and which picture belongs to which XML file."""

from __future__ import annotations

import posixpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from burnish.engine.names import natural_key
from burnish.errors import FormatError
from burnish.formats.gathering import in_order
from burnish.formats.reading import list_files, list_pictures, read_text
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANNOTATIONS: Final = "Annotations"
PICTURES: Final = "JPEGImages"
CLASS_MASKS: Final = "SegmentationClass"
OBJECT_MASKS: Final = "SegmentationObject"

_XML_FOLDERS: Final = frozenset({"annotations", "annotation", "xml", "xmls", "labels"})
_PICTURE_FOLDERS: Final = frozenset({"jpegimages", "pngimages", "images", "image", "imgs", "img"})
_MASK_FOLDERS: Final = frozenset({"segmentationclass", "segmentationobject", "masks"})
_PRESENCE: Final = frozenset({"-1", "0", "1"})
_LOOKS: Final = 20
_SNIFFED_BYTES: Final = 16384


class Entry(NamedTuple):
    """One picture of the dataset: its name without folders of the format and ending, its file, and what tells about it, None where nothing.

    `classes` and `objects` are the pictures of its segmentation; `found` says whether the picture itself is there.
    """

    key: str
    picture: str
    xml: str | None
    split: str | None
    found: bool
    classes: str | None = None
    objects: str | None = None


class Lists(NamedTuple):
    """Split of each listed name; names that stand in two splits; lists that say which class is on which picture; names of no file."""

    splits: dict[str, str]
    doubled: tuple[tuple[str, str, str], ...]
    of_classes: tuple[str, ...]
    impossible: tuple[tuple[str, str], ...]


def recognise(path: Path) -> bool:
    """Whether there are XML files with <annotation> at the top and what VOC has in it, rather than LabelMe, or a segmentation."""
    if path.is_file():
        return path.suffix.lower() == ".xml" and _sniff(path) is True
    try:
        root = root_of(path)
    except FormatError:
        return False
    if mask_paths(root, CLASS_MASKS):
        return True
    verdicts = [_sniff(file) for file in _some_xml(path) or _some_xml(root)]
    return True in verdicts or (bool(verdicts) and False not in verdicts and (root / "ImageSets").is_dir())


def root_of(path: Path) -> Path:
    """The dataset's folder: the one given, the one above Annotations, or the only VOC folder inside (VOCdevkit/VOC2007).

    Raises:
        FormatError: Several folders inside are VOC datasets.
    """
    if path.is_file():
        path = path.parent
    if path.name.lower() in _XML_FOLDERS or (_holds_xml(path) and not list_pictures(path) and _picture_folder(path.parent)):
        return path.parent
    if (path / ANNOTATIONS).is_dir() or (path / CLASS_MASKS).is_dir() or _holds_xml(path):
        return path
    inner = sorted({p.parent for name in (ANNOTATIONS, CLASS_MASKS) for p in path.glob(f"*/{name}")})
    if len(inner) > 1 and not all(split_named(p.name) for p in inner):
        names = ", ".join(p.name for p in inner)
        raise FormatError(f"several VOC datasets lie in here ({names}); name one of them.", path=path)
    return inner[0] if len(inner) == 1 else path


def find_entries(root: Path, lists: Lists) -> list[Entry]:
    """Every picture that has an XML file or a segmentation, stands in a list, or merely lies there, in natural order of names."""
    pictures: dict[str, str] = {}
    for picture in list_pictures(root):
        if not _MASK_FOLDERS.intersection(part.lower() for part in PurePosixPath(picture).parts):
            key = _key(picture, _PICTURE_FOLDERS)
            pictures[key if key not in pictures else picture] = picture
    by_stem = _unique_stems(pictures)
    xmls: dict[str, str] = {}
    for xml in list_files(root, frozenset({".xml"})):
        key = _known_key(_key(xml, _XML_FOLDERS), pictures, by_stem)
        xmls[key if key not in xmls else posixpath.splitext(xml)[0]] = xml
    listed = {_known_key(name, pictures, by_stem) for name in lists.splits}
    masks = [
        {_known_key(key, pictures, by_stem): file for key, file in mask_paths(root, folder).items()}
        for folder in (CLASS_MASKS, OBJECT_MASKS)
    ]
    keys = in_order({*xmls, *listed, *pictures, *masks[0]})
    return [
        _entry(key, pictures.get(key), xmls.get(key), lists)._replace(classes=masks[0].get(key), objects=masks[1].get(key)) for key in keys
    ]


def read_lists(root: Path) -> Lists:
    """The splits of ImageSets; a name that stands in trainval and in train has the split train."""
    splits: dict[str, str] = {}
    doubled: list[tuple[str, str, str]] = []
    of_classes: list[str] = []
    impossible: list[tuple[str, str]] = []
    files = [f for f in list_files(root / "ImageSets", frozenset({".txt"})) if (root / "ImageSets").is_dir()]
    for file in sorted(files, key=_importance):
        lines = [line.strip() for line in read_text(root / "ImageSets" / file).split("\n") if line.strip() and not line.startswith("#")]
        if _is_class_list(lines):
            of_classes.append(file)
            continue
        split = PurePosixPath(file).stem
        impossible += [(file, line) for line in lines if "\0" in line]
        for name in (_unquoted(line) for line in lines if "\0" not in line):
            before = splits.setdefault(name, split)
            if before != split and "trainval" not in {split, before}:
                doubled.append((name, before, split))
    return Lists(splits, tuple(doubled), tuple(of_classes), tuple(impossible))


def mask_paths(root: Path, folder: str) -> dict[str, str]:
    """Pictures of a segmentation folder by key, relative to the root."""
    return {posixpath.splitext(f)[0]: f"{folder}/{f}" for f in list_pictures(root / folder)} if (root / folder).is_dir() else {}


def _entry(key: str, picture: str | None, xml: str | None, lists: Lists) -> Entry:
    stem = posixpath.basename(key)
    split = lists.splits.get(key) or lists.splits.get(stem)
    if split is None:
        split = next((s for part in PurePosixPath(key).parts[:-1] if (s := split_named(part))), None)
    return Entry(key, picture or f"{PICTURES}/{key}.jpg", xml, split, picture is not None)


def _key(path: str, folders: frozenset[str]) -> str:
    """A path without its ending and without the folder that only says what kind of files are in it."""
    parts = PurePosixPath(posixpath.splitext(path)[0]).parts
    place = next((i for i, part in enumerate(parts[:-1]) if part.lower() in folders), None)
    return "/".join(part for i, part in enumerate(parts) if i != place)


def _unique_stems(pictures: Mapping[str, str]) -> dict[str, str]:
    """The key of each picture by its bare name, where no other has that name."""
    found: dict[str, str | None] = {}
    for key in pictures:
        stem = posixpath.basename(key)
        found[stem] = None if stem in found else key
    return {stem: key for stem, key in found.items() if key is not None}


def _known_key(key: str, pictures: Mapping[str, str], by_stem: Mapping[str, str]) -> str:
    """The key of the picture that is meant: the same one, or the only one of that bare name in any folder."""
    return key if key in pictures else by_stem.get(posixpath.basename(key), key)


def _importance(file: str) -> tuple[bool, bool, tuple[tuple[int, int, str], ...]]:
    """Main comes before the lists of other tasks, and trainval after the splits that it is made of."""
    return PurePosixPath(file).stem == "trainval", not file.startswith("Main/"), natural_key(file)


def _is_class_list(lines: Sequence[str]) -> bool:
    """Lists such as aeroplane_train.txt hold -1, 0 or 1 after each name; a name may end in such a number, but not all of them."""
    return bool(lines) and all(len(pair := line.rsplit(maxsplit=1)) > 1 and pair[1] in _PRESENCE for line in lines)


def _unquoted(line: str) -> str:
    return line[1:-1] if len(line) > 1 and line[0] == line[-1] == '"' else line


def _holds_xml(folder: Path) -> bool:
    return any(entry.suffix.lower() == ".xml" for entry in folder.iterdir()) if folder.is_dir() else False


def _picture_folder(folder: Path) -> bool:
    return any(entry.is_dir() and entry.name.lower() in _PICTURE_FOLDERS for entry in folder.iterdir())


def _some_xml(root: Path) -> list[Path]:
    folders = [root / ANNOTATIONS, root, *(p for p in root.iterdir() if p.is_dir() and split_named(p.name))] if root.is_dir() else []
    found: list[Path] = []
    for folder in folders:
        for place in (folder, folder / ANNOTATIONS):
            found += sorted(place.glob("*.xml"))[:_LOOKS] if place.is_dir() else []
    return found or sorted((root / ANNOTATIONS).rglob("*.xml"))[:_LOOKS]


def _sniff(path: Path) -> bool | None:
    """True for VOC, False for something else (LabelMe, CVAT, not XML of ours), None where the file does not say."""
    with path.open("rb") as stream:
        head = stream.read(_SNIFFED_BYTES)
    if b"<annotation>" not in head:
        return False
    if any(mark in head for mark in (b"<polygon>", b"<segm>", b"<imagesize>", b"<sourceImage>")) and b"<bndbox" not in head:
        return False
    return True if any(mark in head for mark in (b"<bndbox", b"<segmented", b"<size>")) else None
