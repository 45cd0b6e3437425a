"""Which files of a folder are COCO's, what part of the dataset each one holds, and where its pictures lie."""

from __future__ import annotations

import mmap
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from burnish.engine.names import original_name
from burnish.errors import FormatError
from burnish.formats.reading import existing_paths, natural_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TASKS: Final = ("instances", "person_keypoints", "captions", "labels", "stuff", "panoptic", "image_info")
"""What the files of COCO's own layout begin with, before the name of the split."""

_SPLITS: Final = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_ROBOFLOW: Final = "_annotations.coco.json"
_SAMPLE: Final = 50
_HEAD: Final = 4096


class Source(NamedTuple):
    """One JSON file.

    Attributes:
        path: The file.
        task: One of `TASKS`, or "" where the name does not say.
        split: train, val, test, another name, or None.
        subset: The split as the file spells it, where that is not `split` itself (train2017, valid).
    """

    path: Path
    task: str
    split: str | None
    subset: str | None


def recognise(path: Path) -> bool:
    """Whether a file is COCO JSON, or a folder holds one where COCO, Roboflow or mmdetection put it."""
    if path.is_file():
        return path.suffix.lower() == ".json" and looks_like_coco(path)
    return any(looks_like_coco(file) for file in _candidates(path)[:20])


def looks_like_coco(path: Path) -> bool:
    """Whether a JSON file has COCO's keys, or is a list of results; the file is searched, not decoded."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
            if head.startswith(b"["):
                return b'"image_id"' in head and (b'"category_id"' in head or b'"caption"' in head)
            if not head.startswith(b"{"):
                return False
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                return whole.find(b'"images"') >= 0 and (whole.find(b'"annotations"') >= 0 or whole.find(b'"categories"') >= 0)
    except (OSError, ValueError):
        return False


def sources(path: Path) -> tuple[Path, list[Source]]:
    """The dataset's root and its files, in natural order.

    Raises:
        FormatError: There is none.
    """
    if path.is_file():
        root = path.parent.parent if path.parent.name.lower() == "annotations" else path.parent
        return root, [source_of(path)]
    found = [source_of(file) for file in _candidates(path) if looks_like_coco(file)]
    if not found:
        raise FormatError("No COCO JSON here; expected annotations/*.json, */_annotations.coco.json or *.json.", path=path)
    return path, found


def source_of(path: Path) -> Source:
    """What a file's name says: instances_train2017.json is the task instances of the split train."""
    if path.name == _ROBOFLOW:
        return Source(path, "instances", *_split(path.parent.name, known_only=True))
    task = next((t for t in TASKS if path.stem == t or path.stem.startswith(t + "_")), "")
    rest = path.stem[len(task) + 1 :] if task else re.split(r"[_.\-]", path.stem)[-1]
    return Source(path, task, *_split(original_name(rest), known_only=not task))


def picture_folder(root: Path, source: Source, names: Sequence[str]) -> str:
    """The folder, relative to the root and ending with '/' unless it is the root, below which most of the pictures exist.

    Where none exists, the folder that COCO's own layout has for them, or the root.
    """
    split, subset = source.split or "", source.subset or source.split or ""
    beside = source.path.parent.relative_to(root).as_posix() if source.path.parent != root else ""
    tried = dict.fromkeys(
        ["", beside, "images", f"images/{subset}", f"images/{split}", subset, split, "train2017", "val2017", "JPEGImages", "data", "img"]
    )
    sample = names[:: max(1, len(names) // _SAMPLE)]
    hits = {folder: _hits(root, folder, sample) for folder in tried}
    best = max(hits, key=lambda folder: hits[folder])
    if hits[best]:
        return best + "/" if best else ""
    return "images/" if (root / "images").is_dir() and not any("/" in name for name in sample) else ""


def _hits(root: Path, folder: str, names: Sequence[str]) -> int:
    if folder and not (root / folder).is_dir():
        return 0
    prefix = folder + "/" if folder else ""
    return sum(path is not None for path in existing_paths(root, [prefix + name for name in names]))


def _candidates(folder: Path) -> list[Path]:
    found = [*folder.glob("annotations/*.json"), *folder.glob(f"*/{_ROBOFLOW}"), *folder.glob("*.json")]
    return sorted((p for p in found if p.is_file() and not p.name.startswith(".")), key=lambda p: natural_key(p.as_posix()))


def _split(name: str, *, known_only: bool) -> tuple[str | None, str | None]:
    match = re.match(r"[A-Za-z]+", name)
    known = _SPLITS.get(match[0].lower()) if match else None
    if known is not None:
        return known, (None if name == known else name)
    return (None, None) if known_only or not name else (name, None)
