"""Sets that the segmentation service's own scripts made, which have no provenance: what it would say is told by names and files.

```
N_BASELINE/images/1.jpg  masks/1.png, 1_aug0 ...     hand-drawn masks, with augmented copies
N_BASELINE_VAL, N_EVAL                               hand-drawn masks
N/images/2.jpg  masks/2.jpg  labels.csv              weak masks, and the polygons of what was drawn by hand
N_H1, N_H1_VAL                                       hybrid masks: whatever is not black lies in a weak box
```
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.engine.map import ordered_map
from burnish.errors import FormatError
from burnish.formats.masks.layout import find_pairs
from burnish.formats.recognise import load_format
from burnish.geometry import masks
from burnish.media.hashing import file_hash
from burnish.media.images import UnreadableImage, probe_image, read_image
from burnish.refine.parts import BASELINE, EVAL, VAL, WEAK
from burnish.refine.prepared import PreparedSets
from burnish.refine.sets import PROVENANCE, find_set, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.refine.weak_boxes import Boxes

_CLASS: Final = "object"
_COPY: Final = re.compile(r"(.+)_aug\d+$")
_HALF: Final = 128
_ANY: Final = 1
_LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class _Source:
    """A folder with weak masks: the least value inside of one."""

    folder: Path
    least: int


def without_provenance(folder: Path, name: str) -> bool:
    """Whether there is a set NAME_BASELINE that no provenance tells of."""
    baseline = folder / f"{name}_{BASELINE}"
    return baseline.is_dir() and not (baseline / PROVENANCE).exists()


def read_seed_sets(folder: Path, name: str) -> PreparedSets:
    """The sets of the service's scripts as prepared sets, of one class.

    Pictures of BASELINE and BASELINE_VAL were labelled by hand. Weakly labelled are those of the dataset NAME itself, or where it is not
    there of the hybrid sets NAME_Hk, that are in none of the hand-labelled sets; those whose file is in EVAL too are in none.

    Raises:
        FormatError: A set is missing, has several classes or no masks, or nothing is labelled weakly.
    """
    folders = {part: find_set(folder, name, part) for part in (BASELINE, VAL)}
    evaluated = _evaluated(folder, name)
    numbers: dict[str, int] = {}
    hand = {part: _hand_rows(found, numbers) for part, found in folders.items()}
    kept = {part: [row for row in rows if row["hash"] not in evaluated.values()] for part, rows in hand.items()}
    drawn = {row["name"] for rows in hand.values() for row in rows} | evaluated.keys()
    sources = _weak_sources(folder, name)
    weak, boxes, left = _weak_rows(sources, drawn | _with_polygons(sources[0].folder), frozenset(evaluated.values()), numbers)
    if not weak:
        raise FormatError(f"all pictures of {sources[0].folder.name} are labelled by hand; there is nothing to refine.", path=folder)
    leaked = sum(len(hand[part]) - len(kept[part]) for part in hand)
    provenances = {part: _provenance(name, rows) for part, rows in {**kept, WEAK: list(weak.values())}.items()}
    told = (_told(name, kept, sources, len(weak)), *_warned(name, leaked, left))
    return PreparedSets(folder, name, {**folders, WEAK: sources[0].folder}, provenances, (_CLASS,), weak, boxes, told)


def weak_pixels(row: Mapping[str, Any]) -> NDArray[np.bool_]:
    """(1, H, W) what the weak mask of a picture covers.

    Raises:
        UnreadableImage: The mask is missing or damaged.
    """
    return np.asarray(read_image(row["mask"], mode="grey8") >= row["least"])[None]


def _evaluated(folder: Path, name: str) -> dict[str, str]:
    """Names and hashes of the pictures of EVAL, if there is such a set."""
    try:
        found = find_set(folder, name, EVAL)
    except FormatError:
        return {}
    return {stem_of(Path(pair.picture).name): file_hash(found / pair.picture) for pair in find_pairs(found).pairs}


def _hand_rows(folder: Path, numbers: dict[str, int]) -> list[dict[str, Any]]:
    """What a provenance would say of the pictures of a hand-labelled set, its augmented copies left out."""
    if (folder / "classes.txt").is_file() and len((folder / "classes.txt").read_text(encoding="utf-8").split()) > 2:  # noqa: PLR2004
        raise FormatError("sets without provenance are read as those of one class; make them with burnish prepare.", path=folder)
    pairs = {stem_of(Path(pair.picture).name): pair for pair in find_pairs(folder).pairs}
    own = {stem: pair for stem, pair in pairs.items() if not ((copy := _COPY.match(stem)) and copy[1] in pairs)}
    lacking = [stem for stem, pair in own.items() if pair.mask != f"masks/{stem}.png"]
    if lacking or not own:
        listed = f" for {len(lacking):,} pictures, such as {lacking[0]}" if lacking else ""
        raise FormatError(f"expected images/NAME and masks/NAME.png; there are none{listed}.", path=folder)
    return [_row(folder / pair.picture, pair.picture, numbers, origin="manual") for pair in own.values()]


def _weak_sources(folder: Path, name: str) -> list[_Source]:
    """The dataset itself, or else the first hybrid sets; their weak masks are all the same."""
    if (folder / name / "images").is_dir() and (folder / name / "masks").is_dir():
        return [_Source(folder / name, _HALF)]
    numbered = ((re.fullmatch(rf"{re.escape(name)}_H(\d+)", one.name), one) for one in folder.glob(f"{name}_H*") if one.is_dir())
    hybrid = sorted((int(match[1]), one) for match, one in numbered if match)
    if not hybrid:
        told = f"there is neither the dataset {name} with images/ and masks/ nor a set {name}_H1 beside {name}_{BASELINE}, so nothing tells"
        raise FormatError(f"{told} the weak labels. Put it there, or make the sets with burnish prepare.", path=folder)
    first = hybrid[0][1]
    both = (first, first.with_name(first.name + "_VAL"))
    return [_Source(one, _ANY) for one in both if one.is_dir()]


def _with_polygons(folder: Path) -> set[str]:
    """Names of the pictures with polygons in the dataset's labels.csv: they were labelled by hand, in whatever set they are."""
    if not (folder / "labels.csv").is_file():
        return set()
    dataset = load_format("via_csv").read(folder)
    files = dict(dataset.image_files().select("image", "path").iter_rows())
    return {stem_of(Path(files[image]).name) for image in dataset.annotations["image"].unique().to_list()}


def _weak_rows(
    sources: Sequence[_Source], drawn: set[str], evaluated: frozenset[str], numbers: dict[str, int]
) -> tuple[dict[str, dict[str, Any]], dict[str, Boxes], dict[str, list[str]]]:
    """Rows and boxes of weakly labelled pictures by name, and the names of those that are left out, by the reason."""
    wanted = [(source, pair) for source in sources for pair in find_pairs(source.folder).pairs]
    named = {stem_of(Path(pair.picture).name): (source, pair) for source, pair in wanted}
    own = {
        stem: one for stem, one in named.items() if stem not in drawn and not ((c := _COPY.match(stem)) and c[1] in named.keys() | drawn)
    }
    rows: dict[str, dict[str, Any]] = {}
    boxes: dict[str, Boxes] = {}
    left: dict[str, list[str]] = {}
    for stem, (source, pair) in own.items():
        path = (source.folder / pair.picture).absolute()
        row = _row(path, str(path), numbers, origin="weak", weak="masks", least=source.least)
        if row["hash"] in evaluated:
            left.setdefault("are in the evaluation set too", []).append(stem)
        elif pair.mask is None:
            left.setdefault("have no weak mask", []).append(stem)
        else:
            rows[stem] = {**row, "mask": str((source.folder / pair.mask).absolute())}
    for stem, found in zip(list(rows), ordered_map(_boxes, list(rows.values())), strict=True):
        if isinstance(found, str):
            left.setdefault(found, []).append(stem)
            del rows[stem]
        else:
            boxes[stem] = found
    return rows, boxes, left


def _boxes(row: Mapping[str, Any]) -> Boxes | str:
    """The boxes around the parts of a weak mask, or why it is of no use."""
    try:
        (inside,) = weak_pixels(row)
        info = probe_image(row["file"])
    except UnreadableImage:
        return "or their weak masks cannot be read"
    if inside.shape != (info.height, info.width):
        return "have a weak mask of another size"
    corners = np.concatenate([np.zeros((0, 4)), *map(masks.box, masks.components(inside))])
    return (corners, np.zeros(len(corners), np.int64)) if len(corners) else "have an empty weak mask"


def _row(path: Path, file: str, numbers: dict[str, int], **more: Any) -> dict[str, Any]:
    """A row of a provenance; equal files are of one group."""
    mark = file_hash(path)
    return {
        "name": stem_of(path.name),
        "file": file,
        "copy_of": None,
        "group": numbers.setdefault(mark, len(numbers)),
        "hash": mark,
        **more,
    }


def _provenance(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "classes": [_CLASS], "soft": False, "pictures": rows}


def _told(name: str, kept: Mapping[str, Sequence[Any]], sources: Sequence[_Source], weak: int) -> str:
    counts = f"{len(kept[BASELINE]):,} pictures of {name}_{BASELINE} and {len(kept[VAL]):,} of {name}_{VAL} are taken as labelled by hand"
    where = " and ".join(source.folder.name for source in sources)
    told = f"The sets of {name} have no provenance: by their names {counts}, {weak:,} others of {where} as weakly labelled."
    return f"{told} Only equal files are known as copies; burnish prepare finds near ones too."


def _warned(name: str, leaked: int, left: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if leaked:
        yield f"{leaked:,} hand-labelled pictures are in {name}_{EVAL} too and are left out: evaluation would leak into training."
    for reason, names in left.items():
        more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
        yield f"{len(names):,} pictures {reason} and are left out: {', '.join(names[:_LISTED])}{more}."
