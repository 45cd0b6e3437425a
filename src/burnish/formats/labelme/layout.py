"""Which files of a folder are LabelMe's, and which picture each is about."""

from __future__ import annotations

import posixpath
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from burnish.formats.reading import is_picture, list_files, list_pictures, normal_path, walk_some
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Mapping

MASKS: Final = "Masks"

_ANNOTATIONS: Final = "Annotations"
_IMAGES: Final = "Images"
_NO_PICTURES: Final = frozenset({MASKS, "Scribbles"})
_SNIFFED_BYTES: Final = 16384
_LOOKS: Final = 30
_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".JPG", ".JPEG", ".PNG")


class Pictures(NamedTuple):
    """The pictures below a root: all paths, and those that alone have their name or bare name."""

    paths: frozenset[str]
    by_name: Mapping[str, str]
    by_stem: Mapping[str, str]


def recognise(path: Path) -> bool:
    """Whether a file, or one of the first JSON and XML files of a folder, is LabelMe's."""
    if path.is_file():
        return is_labelme(path)
    files = [entry for entry in walk_some(path) if entry.suffix.lower() in {".json", ".xml"} and entry.is_file()]
    return any(is_labelme(file) for file in files[:_LOOKS])


def is_labelme(path: Path) -> bool:
    """Whether a file has the marks of LabelMe's JSON or XML; between them may lie megabytes of picture."""
    with path.open("rb") as stream:
        seen = stream.read(_SNIFFED_BYTES)
        size = stream.seek(0, 2)
        stream.seek(max(size - _SNIFFED_BYTES, 0))
        seen += stream.read()
    if path.suffix.lower() == ".json":
        return b'"shapes"' in seen and any(mark in seen for mark in (b'"imagePath"', b'"imageData"', b'"shape_type"'))
    marks = (b"<polygon>", b"<segm>", b"<imagesize>", b"<sourceImage>")
    return path.suffix.lower() == ".xml" and b"<annotation>" in seen and b"<bndbox" not in seen and any(mark in seen for mark in marks)


def root_of(path: Path) -> Path:
    """The dataset's folder: the web tool keeps Annotations, Images and Masks side by side."""
    folder = path.parent if path.is_file() else path
    return next((p.parent for p in (folder, *folder.parents[:2]) if p.name == _ANNOTATIONS and (p.parent / _IMAGES).is_dir()), folder)


def find_files(path: Path, root: Path) -> list[str]:
    """LabelMe's files relative to the root, in natural order."""
    if path.is_file():
        return [path.relative_to(root).as_posix()]
    below = path.relative_to(root).as_posix()
    prefix = "" if below == "." else below + "/"
    return [prefix + f for f in list_files(path, frozenset({".json", ".xml"})) if is_labelme(path / f)]


def list_all(root: Path) -> Pictures:
    """The pictures below a root, without the masks and scribbles of the web tool."""
    paths = [p for p in list_pictures(root) if not _NO_PICTURES.intersection(PurePosixPath(p).parts[:-1])]
    return Pictures(frozenset(paths), _only(paths, stem=False), _only(paths, stem=True))


def picture_of(file: str, told: str, pictures: Pictures) -> str:
    """The picture that a file is about: the one it names, else the one with its own name, else the only one of the name told."""
    folder = posixpath.dirname(file)
    told = "" if "\0" in told else told  # no file has such a name
    named = normal_path(posixpath.join(folder, told.replace("\\", "/"))) if told else ""
    apart = _IMAGES + named.removeprefix(_ANNOTATIONS) if named.startswith(_ANNOTATIONS + "/") else named
    if named in pictures.paths or apart in pictures.paths:
        return named if named in pictures.paths else apart
    stem = posixpath.splitext(file)[0]
    twin = next((p for p in (stem + ending for ending in _ENDINGS) if p in pictures.paths), None)
    name = PurePosixPath(told.replace("\\", "/")).name
    other = pictures.by_name.get(name) or pictures.by_stem.get(PurePosixPath(name).stem) or pictures.by_stem.get(PurePosixPath(file).stem)
    return twin or other or (apart if is_picture(apart) else stem + ".jpg")


def split_of(file: str) -> tuple[str | None, str | None]:
    """The split that a folder above a file is named as, and the folder's own name where it spells it otherwise."""
    name = next((part for part in PurePosixPath(file).parts[:-1] if split_named(part)), None)
    split = None if name is None else split_named(name)
    return split, None if name == split else name


def _only(paths: list[str], *, stem: bool) -> dict[str, str]:
    keys = [PurePosixPath(path).stem if stem else PurePosixPath(path).name for path in paths]
    counts = Counter(keys)
    return {key: path for key, path in zip(keys, paths, strict=True) if counts[key] == 1}
