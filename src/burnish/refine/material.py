"""The pictures of one or several datasets with what is known of each: shapes drawn by hand, and weak ones."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.config import nearest
from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.shown import shown
from burnish.data.splits import column_groups, scene_groups
from burnish.errors import ConfigError, DataError
from burnish.formats.masks.layout import find_pairs, plain_path
from burnish.formats.recognise import load_format, open_dataset
from burnish.refine.shared_classes import require_shared_class
from burnish.refine.unused_masks import told_unused, unused_masks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.refine.settings import PrepareConfig

DRAWN: Final = ("polygon", "mask", "ellipse")
"""Kinds of annotations that follow an object's outline."""

_UNNAMED: Final = "object"
_MIDDLE: Final = 128
_SHAPES: Final = (*DRAWN, "box")
_GROUPS: Final[dict[str, Callable[[Dataset], NDArray[np.int64]]]] = {
    "scene": scene_groups,
    "task": lambda dataset: scene_groups(dataset, whole_tasks=True),
    "subset": lambda dataset: column_groups(dataset, "subset"),
    "none": lambda dataset: np.arange(len(dataset)),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One picture.

    Attributes:
        key: Its path without the folders that say what kind of files they hold, and without ending, or with both where another picture of
            the dataset would have the same; pairs pictures of several datasets.
        path: The file.
        size: Width and height.
        hand: Rows of the annotations table drawn by hand; `class` is the class's name.
        weak: Weak rows, likewise.
        group: Number of the scene (or what else is never divided).
    """

    key: str
    path: Path
    size: tuple[int, int]
    hand: tuple[Mapping[str, Any], ...] = ()
    weak: tuple[Mapping[str, Any], ...] = ()
    group: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All pictures, in order, the names of the classes, their priorities, and what was noticed."""

    items: tuple[Item, ...]
    classes: tuple[str, ...]
    priorities: Mapping[str, int]
    findings: pl.DataFrame = field(repr=False)


def gather(dataset: Dataset, config: PrepareConfig) -> Material:
    """Bring the hand-drawn and the weak labels of each picture together, by the pictures' names.

    Polygons, masks and ellipses of the dataset (or of the one that `masks` names) are drawn by hand; boxes are weak, and so is all that
    `weak` names, or what lies in masks/ beside VIA's labels.csv.

    Raises:
        DataError: A named dataset has no shape of the kind that it is named for, or hand-drawn and weak labels have no class in common.
        ConfigError: A class to leave out is not there.
    """
    weak = _weak_dataset(dataset, config)
    masks = _masks_dataset(dataset, config.masks) if config.masks else _drawn_beside(dataset) if weak is None else None
    found: dict[str, Item] = {}
    told = _add(found, dataset, config.group, weak=_SHAPES if masks else (() if weak else ("box",)), hand=() if masks else DRAWN)
    if weak is not None:
        told += _add(found, weak, "none", weak=_SHAPES)
    if masks is not None:
        told += _add(found, masks, "none", hand=DRAWN)
    datasets = [one for one in (dataset, weak, masks) if one is not None]
    classes = _class_names(datasets)
    notes = [*(one.notes for one in datasets), *([_unused(masks or dataset)] if weak is None or masks else [])]
    items = [_renamed(item, classes) for item in found.values()]
    names = tuple(dict.fromkeys(classes.values()))
    kept, left_out = _without(items, config.without, names)
    require_shared_class(kept)
    priorities = {classes[name]: rank for one in datasets for name, rank in one.classes.select("name", "priority").iter_rows()}
    remaining = tuple(name for name in names if name not in config.without)
    findings = join_findings(_needed(notes, items), *map(_frame_findings, datasets), findings_table([*told, *left_out]))
    return Material(tuple(kept), remaining, priorities, findings)


def _weak_dataset(dataset: Dataset, config: PrepareConfig) -> Dataset | None:
    """The dataset of weak labels, if they are not in the dataset itself."""
    if config.weak is not None:
        found = open_dataset(config.weak)
        if found.annotations.filter(pl.col("kind").cast(pl.String).is_in(_SHAPES)).is_empty() and load_format("masks").recognise(
            Path(config.weak)
        ):
            found = load_format("masks").read(Path(config.weak))
        return found
    beside = dataset.root / "masks"
    if dataset.origin.get("format") == "via_csv" and beside.is_dir() and load_format("masks").recognise(dataset.root):
        # One class in the outlines: the weak masks are black and white, whatever grey JPEG has left at their edges.
        style = {"style": "binary"} if dataset.classes.height <= 1 and not (dataset.root / "classes.txt").is_file() else {}
        return load_format("masks").read(dataset.root, **style)
    return None


def _needed(notes: Sequence[pl.DataFrame], items: Iterable[Item]) -> pl.DataFrame:
    """Notes without those on missing masks of pictures that are labelled all the same, by boxes or by hand."""
    labelled = {item.path.stem for item in items if item.hand or item.weak}
    stems = pl.col("path").map_elements(lambda path: PurePosixPath(path).stem, return_dtype=pl.String)
    return join_findings(*notes).filter(~((pl.col("kind") == "missing_mask") & stems.is_in(list(labelled))).fill_null(value=False))


def _drawn_beside(dataset: Dataset) -> Dataset | None:
    """Of a dataset that has nothing drawn, the masks that lie beside its pictures, as training takes them too."""
    if _has(dataset, DRAWN) or not dataset.root.is_dir():
        return None
    found = _masks_beside(dataset.root) if load_format("masks").recognise(dataset.root) else None
    return found if found is not None and _has(found, DRAWN) else None


def _masks_dataset(dataset: Dataset, path: str) -> Dataset:
    """A dataset of hand-drawn shapes; masks beside pictures are taken where the folder's first format holds boxes only.

    A folder of masks alone belongs to the pictures of the dataset itself.
    """
    if _is_of_masks_alone(Path(path), dataset):
        return _masks_beside(dataset.root, Path(path))
    found = open_dataset(path)
    if not _has(found, DRAWN) or found.origin.get("format") == "masks":
        found = _masks_beside(Path(path)) if load_format("masks").recognise(Path(path)) else found
    if _has(found, DRAWN):
        return found
    unused = told_unused(join_findings(found.notes, _unused(found)))
    raise DataError(
        f"{path} holds no masks, polygons or ellipses (format {found.origin.get('format')}) that can be used, and 'masks' asks for labels "
        f"drawn by hand. Name a dataset with them, for instance the folder above images/ and masks/.{unused}"
    )


def _unused(dataset: Dataset) -> pl.DataFrame:
    """Findings on mask files that give no shape, where the dataset is made of files in a folder."""
    return findings_table(unused_masks(dataset.root, dataset) if dataset.root.is_dir() else [])


def _masks_beside(root: Path, masks_in: Path | None = None) -> Dataset:
    """The mask pictures of a folder that may hold other formats too, or of another folder.

    Values that no file names are black and white with grey between, as after JPEG or smoothing, if there are such beyond the middle.
    """
    form = load_format("masks")
    found = form.read(root, masks_in=masks_in)
    unnamed = not found.notes.filter(pl.col("kind") == "no_names").is_empty()
    return form.read(root, masks_in=masks_in, style="binary") if unnamed and found.classes.height >= _MIDDLE else found


def _is_of_masks_alone(path: Path, dataset: Dataset) -> bool:
    """Whether a folder holds pictures that are masks of the dataset's pictures, and no pictures with labels of their own."""
    if not path.is_dir() or not dataset.root.is_dir() or load_format("masks").recognise(path):
        return False
    found = open_dataset(path)
    if _has(found, _SHAPES) or path.resolve() == dataset.root.resolve():
        return False
    return any(pair.mask for pair in find_pairs(dataset.root, path).pairs)


def _has(dataset: Dataset, kinds: Sequence[str]) -> bool:
    return not dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(kinds)).is_empty()


def _add(
    found: dict[str, Item], dataset: Dataset, group: str, *, weak: Sequence[str] = (), hand: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Add a dataset's pictures and the shapes of these kinds, to the pictures of the same name where they are there already.

    Shapes in pixels of another size than the picture that is there say nothing of it: the findings name them.
    """
    told: list[dict[str, Any]] = []
    view = shown(dataset)
    names = view.class_names()
    rows = view.annotations.filter(pl.col("class").is_not_null()).partition_by("image", as_dict=True, maintain_order=True)
    sizes = {image: (width, height) for image, width, height in view.images.select("id", "width", "height").iter_rows()}
    groups = _GROUPS[group](view)
    shift = 1 + max((item.group for item in found.values()), default=-1)
    files = view.image_files().select("image", "path", "kind")
    keys = _keys(files.filter(pl.col("kind") == "image")["path"].unique(maintain_order=True).to_list(), found)
    for (image, path, kind), number in zip(files.iter_rows(), groups.tolist(), strict=True):
        if kind != "image" or None in sizes[image]:
            continue
        shapes = [{**row, "class": names[row["class"]]} for row in (rows[image,].to_dicts() if (image,) in rows else [])]
        key = keys[path]
        known = found.get(key) or Item(key, dataset.root / path, sizes[image], group=shift + number)
        if shapes and known.size != sizes[image]:
            told.append(_of_another_size(path, sizes[image], known))
            continue
        found[key] = replace(
            known,
            hand=known.hand + tuple(row for row in shapes if row["kind"] in hand),
            weak=known.weak + tuple(row for row in shapes if row["kind"] in weak),
        )
    return told


def _of_another_size(path: str, size: tuple[int, int], item: Item) -> dict[str, Any]:
    given, held = (f"{width} x {height}" for width, height in (size, item.size))
    reason = f"Its labels are for {given} pixels and {item.path.name} has {held}; they are not used."
    return finding("size_differs", reason, path=path, given=given, suggestion=held)


def _keys(paths: Sequence[str], found: Mapping[str, Item]) -> dict[str, str]:
    """The key of each picture of a dataset: that of the picture of the same name that is there already, else its own.

    Pictures of one dataset are never taken for one another: those that differ only in their endings keep these.
    """
    own = {path: _key(path) for path in paths}
    shared = Counter(own.values())
    keys = {path: key if shared[key] == 1 else unicodedata.normalize("NFC", path) for path, key in own.items()}
    there, here = _by_stem(found), _by_stem(keys.values())
    return {
        path: key if key in found or (name := posixpath.basename(key)) not in here else there.get(name, key) for path, key in keys.items()
    }


def _key(path: str) -> str:
    """What pairs pictures: NFC, for names from macOS are decomposed."""
    return unicodedata.normalize("NFC", posixpath.splitext(plain_path(path))[0])


def _by_stem(keys: Iterable[str]) -> dict[str, str]:
    """The key of each bare name that only one picture has."""
    listed = list(keys)
    counts = Counter(posixpath.basename(key) for key in listed)
    return {posixpath.basename(key): key for key in listed if counts[posixpath.basename(key)] == 1}


def _class_names(datasets: Sequence[Dataset]) -> dict[str, str]:
    """What each class is called: where every dataset has one class it is the same one, whatever its name, else names decide."""
    names = [list(dataset.class_names().values()) for dataset in datasets]
    flat = list(dict.fromkeys(name for some in names for name in some))
    if all(len(some) <= 1 for some in names) and flat:
        chosen = next((name for name in flat if name != _UNNAMED), flat[0])
        return dict.fromkeys(flat, chosen)
    return {name: name for name in flat}


def _renamed(item: Item, names: Mapping[str, str]) -> Item:
    hand, weak = (tuple({**row, "class": names[row["class"]]} for row in rows) for rows in (item.hand, item.weak))
    return replace(item, hand=hand, weak=weak)


def _without(items: Sequence[Item], gone: Sequence[str], known: Sequence[str]) -> tuple[list[Item], list[dict[str, Any]]]:
    """Leave classes out; a picture that showed only those is told and goes, for it would be background with an object on it."""
    unknown = [name for name in gone if name not in known]
    if unknown:
        raise ConfigError(f"'without' names {unknown}, which the dataset does not have. {nearest(unknown[0], known)}")
    kept: list[Item] = []
    told: list[dict[str, Any]] = []
    for item in items:
        hand, weak = (tuple(row for row in rows if row["class"] not in gone) for rows in (item.hand, item.weak))
        if (item.hand or item.weak) and not (hand or weak):
            reason = f"It shows nothing but classes that are left out ({', '.join(gone)})."
            told.append(finding("left_out", reason, is_issue=False, path=PurePosixPath(item.path.as_posix()).name))
        else:
            kept.append(replace(item, hand=hand, weak=weak))
    return kept, told


def _frame_findings(dataset: Dataset) -> pl.DataFrame:
    """Frames of videos have no files of their own."""
    frames = dataset.image_files().filter(pl.col("kind").cast(pl.String) != "image").height
    reason = f"{frames} frames of videos have no picture files and are left out; burnish convert makes pictures of them."
    return findings_table([finding("not_carried", reason)] if frames else [])
