"""Which mask belongs to which picture."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from burnish.formats.gathering import in_order
from burnish.formats.reading import PICTURE_SUFFIXES, is_picture, list_files, list_pictures, walk_some
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Role: TypeAlias = Literal["picture", "mask", "instances", "unknown"]

_FOLDERS: Final[Mapping[str, Role]] = {
    **dict.fromkeys(("images", "image", "imgs", "img", "inp", "input", "pictures", "jpegimages"), "picture"),
    **dict.fromkeys(("masks", "mask", "out", "gt", "groundtruth", "ground_truth", "segmentation", "annotations", "labels"), "mask"),
    **dict.fromkeys(("instances", "instance"), "instances"),
}
_CAMVID: Final = "annot"
_NAMED_MASK: Final = re.compile(r"(.+)[_-](?:masks?|labels?|gt|seg|segmentation)$", re.IGNORECASE)
_LOOKS: Final = 100
_FOREIGN: Final = frozenset({".dcm", ".exr", ".gz", ".h5", ".hdf5", ".mat", ".nii", ".npy", ".npz", ".psd", ".svg", ".tga", ".xcf"})


class Pair(NamedTuple):
    """A picture and the mask files that belong to it, all relative to the root."""

    picture: str
    mask: str | None
    instances: str | None
    split: str | None


class Pairs(NamedTuple):
    """All pictures in natural order, the masks that belong to none, and pictures that lie in no folder of pictures."""

    pairs: list[Pair]
    strays: list[str]
    others: list[str]


def recognise(path: Path) -> bool:
    """Whether a folder holds folders of pictures and of masks, or pictures NAME beside NAME_mask."""
    if not path.is_dir():
        return False
    entries = list(walk_some(path))
    folders = [entry for entry in entries if entry.is_dir()]
    roles = {_FOLDERS.get(entry.name.lower()) for entry in folders if _holds_pictures(entry)}
    if {"picture", "mask"} <= roles or {"picture", "instances"} <= roles:
        return True
    if any(entry.with_name(entry.name + _CAMVID) in folders and _holds_pictures(entry) for entry in folders):
        return True
    stems = {entry.with_suffix("") for entry in entries if is_picture(entry)}
    return any((named := _NAMED_MASK.match(stem.name)) and stem.with_name(named[1]) in stems for stem in stems)


def find_pairs(root: Path, masks_in: Path | None = None) -> Pairs:
    """Match every mask below a root with its picture.

    Args:
        root: The folder of the pictures.
        masks_in: The folder of the masks, where it is another one; paths of masks are relative to it.
    """
    if masks_in is not None:
        return _pairs_of_two(root, masks_in)
    sorted_out: dict[Role, list[tuple[str, str]]] = {"picture": [], "mask": [], "instances": [], "unknown": []}
    for path in list_pictures(root):
        role, key = _role(path)
        sorted_out[role].append((key, path))
    _tell_by_name(sorted_out)
    pictures: dict[str, str] = {}
    for key, path in sorted_out["picture"]:
        pictures[key if key not in pictures else path] = path
    masks, stray_masks = _matched(sorted_out["mask"], pictures)
    instances, stray_instances = _matched(sorted_out["instances"], pictures)
    pairs = [Pair(pictures[key], masks.get(key), instances.get(key), _split(key)) for key in in_order(pictures)]
    return Pairs(pairs, [*stray_masks, *stray_instances], [path for _, path in sorted_out["unknown"]])


def _pairs_of_two(root: Path, masks_in: Path) -> Pairs:
    """Pictures of one folder with masks of another: by their paths, else by bare names that only one picture has."""
    pictures: dict[str, str] = {}
    for path in list_pictures(root):
        role, key = _role(path)
        if role in {"picture", "unknown"}:
            pictures[key if key not in pictures else path] = path
    stems = Counter(posixpath.basename(key) for key in pictures)
    by_name = {name: key for key in pictures if stems[name := posixpath.basename(key)] == 1}
    named = [(key, path) for path in list_pictures(masks_in) for role, key in [_role(path)] if role != "picture"]
    keys = [next((by_name[name] for one in _choices(key) if (name := posixpath.basename(one)) in by_name), key) for key, _ in named]
    masks, strays = _matched([(key, path) for key, (_, path) in zip(keys, named, strict=True)], pictures)
    return Pairs([Pair(pictures[key], masks.get(key), None, _split(key)) for key in in_order(pictures)], strays, [])


def foreign_masks(root: Path) -> list[str]:
    """Files in folders of masks that hold arrays or drawings as other programs save them, which are not read."""
    return [path for path in list_files(root, _FOREIGN) if _role(path)[0] in {"mask", "instances"}]


def plain_path(path: str) -> str:
    """A path without the folders that only say what kind of files are in them."""
    stem, ending = posixpath.splitext(path)
    while (key := _role(stem + ".png")[1]) != stem:
        stem = key
    return stem + ending


def _role(path: str) -> tuple[Role, str]:
    """What a file is by its folders, and its path without ending and the folder that told."""
    parts = PurePosixPath(posixpath.splitext(path)[0]).parts
    for place in range(len(parts) - 2, -1, -1):
        name = parts[place].lower()
        if name in _FOLDERS:
            return _FOLDERS[name], "/".join((*parts[:place], *parts[place + 1 :]))
        if name.endswith(_CAMVID) and len(name) > len(_CAMVID):
            return "mask", "/".join((*parts[:place], parts[place][: -len(_CAMVID)], *parts[place + 1 :]))
    return "unknown", "/".join(parts)


def _tell_by_name(sorted_out: dict[Role, list[tuple[str, str]]]) -> None:
    """Where no folder holds pictures by its name, all others are pictures, but for those named as the mask of another."""
    if sorted_out["picture"]:
        return
    keys = {key for key, _ in sorted_out["unknown"]}
    for key, path in sorted_out["unknown"]:
        named = _NAMED_MASK.match(key)
        if named and named[1] in keys:
            sorted_out["mask"].append((named[1], path))
        else:
            sorted_out["picture"].append((key, path))
    sorted_out["unknown"] = []


def _matched(files: Iterable[tuple[str, str]], pictures: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    strays: list[str] = []
    for key, path in files:
        named = next((choice for choice in _choices(key) if choice in pictures and choice not in found), None)
        if named is None:
            strays.append(path)
        else:
            found[named] = path
    return found, strays


def _choices(key: str) -> Iterable[str]:
    """The keys that a mask's picture may have: the same, without a picture's own ending (1.jpg.png), without _mask."""
    stem, ending = posixpath.splitext(key)
    bare = stem if ending.lower() in PICTURE_SUFFIXES else key
    named = _NAMED_MASK.match(bare)
    return (key, bare, *((named[1],) if named else ()))


def _split(key: str) -> str | None:
    return next((split for part in PurePosixPath(key).parts[:-1] if (split := split_named(part))), None)


def _holds_pictures(folder: Path, depth: int = 5) -> bool:
    """Whether a folder holds pictures, perhaps below train, val and test and the folders of tasks."""
    with os.scandir(folder) as entries:
        some = [entry for _, entry in zip(range(_LOOKS), entries, strict=False)]
    if any(is_picture(entry.name) and entry.is_file() for entry in some):
        return True
    return depth > 1 and any(_holds_pictures(Path(entry.path), depth - 1) for entry in some if entry.is_dir())
