"""Folders of pictures and masks with a provenance: written whole, read back by name.

```
NAME_BASELINE/images/1.jpg  masks/1.png  classes.txt  provenance.json
```

Masks of one class hold 0 to 255, black and white or soft. Of several classes masks/ holds the number of each pixel's class, and a soft set
has a folder of soft masks a class beside it, beliefs/CLASS/1.png.
"""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.engine.files import write_bytes, write_text
from burnish.engine.map import Engine, ordered_map
from burnish.engine.names import safe_name
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError, FormatError
from burnish.formats.escapes import write_names
from burnish.formats.indexed import write_indexed
from burnish.formats.masks.tables import BACKGROUND
from burnish.formats.placing import HowPlaced, place_files
from burnish.media.hashing import file_hash
from burnish.media.images import encode_jpeg, encode_png, probe_image, read_image
from burnish.refine.augmenting import changed, drawn_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

PROVENANCE: Final = "provenance.json"
MASKS: Final = "masks"
BELIEFS: Final = "beliefs"
MOST_CLASSES: Final = 254

_IMAGES: Final = "images"
_SCHEMA: Final = 1
_FULL, _HALF = 255, 128
_JPEG: Final = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One picture that goes into a set.

    Attributes:
        name: File name of the picture in the set, with ending.
        path: The picture's file.
        origin: manual, hybrid or weak: where its mask comes from.
        paint: Gives the mask: (H, W) uint8 as it is written, or (K, H, W) beliefs of a soft set.
        about: More for the provenance.
    """

    name: str
    path: Path
    origin: str
    paint: Callable[[], NDArray[np.uint8]]
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class SetFolder:
    """What all pictures of a set share.

    Attributes:
        folder: Where it is written.
        classes: Names.
        copies: Augmented copies of each picture.
        seed: Of the copies.
        soft: Whether masks are beliefs.
        media: How pictures are placed.
        made_by: For the provenance: verb, source, settings.
    """

    folder: Path
    classes: tuple[str, ...]
    copies: int = 0
    seed: int = 0
    soft: bool = False
    media: HowPlaced = "copy"
    made_by: Mapping[str, Any] = field(default_factory=dict[str, Any])


def write_set(place: SetFolder, entries: Sequence[Entry], *, engine: Engine | None = None, progress: Progress = silent) -> None:
    """Write pictures, masks, augmented copies, classes.txt and the provenance into a folder.

    Raises:
        DataError: Two pictures have one name, or there are more classes than a mask has values.
    """
    label = f"writing {place.made_by.get('set', place.folder.name)}"
    names = [stem_of(entry.name) for entry in entries]
    write_sets([place], ((0, entry) for entry in entries), [names], label=label, engine=engine, progress=progress)


def write_sets(
    places: Sequence[SetFolder],
    arriving: Iterable[tuple[int, Entry]],
    names: Sequence[Sequence[str]],
    *,
    label: str,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> None:
    """Write several sets while their pictures arrive: workers write what has come, and this thread goes on making what comes next.

    Args:
        places: The sets.
        arriving: Pictures, each with the place of its set.
        names: Of each set, names without endings of all pictures that may arrive, in the order of the provenance.
        label: What the work is called.
        engine: Where pictures are written.
        progress: Where to report.

    Raises:
        DataError: Two pictures of a set have one name, or there are more classes than a mask has values.
    """
    for place, own in zip(places, names, strict=True):
        _begin(place, own)
    write = partial(_write_arrived, places, [frozenset(own) for own in names])
    total = sum(len(own) for own in names)
    found: list[list[list[dict[str, Any]]]] = [[] for _ in places]
    for number, rows in ordered_map(write, arriving, engine=engine, progress=progress, label=label, total=total, ahead=True):
        found[number].append(rows)
    for place, own, pictures in zip(places, names, found, strict=True):
        order = {name: number for number, name in enumerate(own)}
        _end(place, sorted(pictures, key=lambda rows: order[rows[0]["name"]]))


def _begin(place: SetFolder, names: Sequence[str]) -> None:
    if len(place.classes) > MOST_CLASSES:
        raise DataError(f"There are {len(place.classes)} classes and a mask of 8 bits has room for {MOST_CLASSES}; leave some out.")
    if len(set(names)) != len(names):
        raise DataError("Two pictures of a set have one name but for the ending; their masks would meet.")
    for folder in (_IMAGES, MASKS):
        (place.folder / folder).mkdir(parents=True, exist_ok=True)
    write_names(place.folder / "classes.txt", [BACKGROUND, *place.classes])


def _write_arrived(
    places: Sequence[SetFolder], taken: Sequence[frozenset[str]], arrived: tuple[int, Entry]
) -> tuple[int, list[dict[str, Any]]]:
    number, entry = arrived
    return number, _write_entry(places[number], taken[number], entry)


def _end(place: SetFolder, written: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    pictures = [row for rows in written for row in rows]
    head = {"schema": _SCHEMA, **place.made_by, "classes": list(place.classes), "soft": place.soft}
    write_text(place.folder / PROVENANCE, json.dumps({**head, "pictures": pictures}, ensure_ascii=False, indent=1, default=str) + "\n")


def read_provenance(folder: Path) -> dict[str, Any]:
    """What made a set, and its pictures.

    Raises:
        FormatError: There is no such file, or it is none of ours.
    """
    path = folder / PROVENANCE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FormatError("the set has no provenance.json; make it with burnish prepare.", path=folder) from error
    except (OSError, ValueError) as error:
        raise FormatError(f"this is no provenance of a set ({error}).", path=path) from error
    if not isinstance(found, dict) or not {"classes", "pictures"} <= found.keys():
        raise FormatError("this is no provenance of a set; expected the keys classes and pictures.", path=path)
    return found


def find_set(folder: Path, name: str, part: str) -> Path:
    """The folder of one set; NAME_VAL is taken for NAME_BASELINE_VAL too.

    Raises:
        FormatError: It is not there.
    """
    names = [f"{name}_{part}", *([f"{name}_VAL"] if part == "BASELINE_VAL" else [])]
    for one in names:
        if (folder / one).is_dir():
            return folder / one
    raise FormatError(f"there is no set {' or '.join(names)}; make the sets with burnish prepare.", path=folder)


def read_mask(folder: Path, name: str, classes: Sequence[str], *, soft: bool = False) -> NDArray[np.uint8]:
    """(K, H, W) beliefs of a picture of a set, by its name without ending; masks that are not soft become 0 and 255.

    Raises:
        UnreadableImage: A mask is missing or damaged.
    """
    if soft and len(classes) > 1:
        return np.stack([read_image(folder / BELIEFS / safe_name(c) / f"{name}.png", mode="unchanged") for c in classes])
    mask = np.asarray(read_image(folder / MASKS / f"{name}.png", mode="unchanged"))
    if len(classes) == 1:
        return (mask if soft else np.where(mask >= _HALF, _FULL, 0).astype(np.uint8))[None]
    return np.stack([np.where(mask == value, _FULL, 0).astype(np.uint8) for value in range(1, len(classes) + 1)])


def stem_of(name: str) -> str:
    """A file name without its ending."""
    return posixpath.splitext(name)[0]


def _write_entry(place: SetFolder, taken: frozenset[str], entry: Entry) -> list[dict[str, Any]]:
    """Place one picture, write its mask and copies; the rows of the provenance."""
    place_files(Path("/"), place.folder, {str(entry.path.absolute()): f"{_IMAGES}/{entry.name}"}, place.media)
    stem, mask = stem_of(entry.name), entry.paint()
    info = probe_image(entry.path)
    if mask.shape[-2:] != (info.height, info.width):
        raise DataError(f"The mask of {entry.path} is {mask.shape[-1]} x {mask.shape[-2]} and the picture {info.width} x {info.height}.")
    row = {"name": stem, "file": f"{_IMAGES}/{entry.name}", "origin": entry.origin, "copy_of": None, "source": str(entry.path)}
    row["group"] = entry.about.get("group")
    rows = [{**row, **entry.about, **_write_mask(place, stem, mask)}]
    if not place.copies:
        return rows
    picture = read_image(entry.path)
    ending = ".jpg" if posixpath.splitext(entry.name)[1].lower() in _JPEG else ".png"
    for number in range(place.copies):
        name = _free_name(f"{stem}_aug{number}", taken)
        change = drawn_change(place.seed, stem, number)
        pixels = changed(picture, change)
        write_bytes(place.folder / _IMAGES / (name + ending), encode_jpeg(pixels, 95) if ending == ".jpg" else encode_png(pixels))
        moved = np.stack([changed(one, change) for one in mask]) if place.soft else changed(mask, change, smooth=False)
        told = {"copy_of": stem, "change": change.kind, "degrees": round(change.degrees, 4)}
        rows.append({**row, "name": name, "file": f"{_IMAGES}/{name}{ending}", **told, **_write_mask(place, name, moved)})
    return rows


def _free_name(name: str, taken: frozenset[str]) -> str:
    """A name that no picture of the source bears already."""
    return name if name not in taken else _free_name(name + "_copy", taken)


def _write_mask(place: SetFolder, stem: str, mask: NDArray[np.uint8]) -> dict[str, Any]:
    path = place.folder / MASKS / f"{stem}.png"
    if not place.soft:
        write_indexed(path, mask.astype(np.int32))
    elif len(place.classes) == 1:
        write_bytes(path, encode_png(mask[0]))
    else:
        write_indexed(path, np.where(mask.max(axis=0) >= _HALF, mask.argmax(axis=0) + 1, 0).astype(np.int32))
        for name, one in zip(place.classes, mask, strict=True):
            write_bytes(place.folder / BELIEFS / safe_name(name) / f"{stem}.png", encode_png(one))
    return {"mask_hash": file_hash(path)}
