"""What a network is shown: the pictures of a dataset that a task can use, with their targets, divided into parts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.config import nearest
from burnish.data.skeletons import in_one_row
from burnish.data.splits import class_counts, divide, scene_groups
from burnish.engine.names import safe_name
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.formats.masks.layout import find_pairs
from burnish.formats.painting import PAINTED
from burnish.formats.recognise import load_format, open_dataset
from burnish.train.policies.absent import absent_classes, unlearnt_note, unscored_note
from burnish.train.policies.usable import complete_only, labelled_only, readable_only, why_none, with_usable_masks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.train.policies.settings import DataConfig, Mode, Task

PARTS: Final = ("train", "val", "test")
"""Names of the parts, in the order of their numbers."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "classification": ("tag",),
    "segmentation": PAINTED,
    "detection": ("box", "ellipse", "polygon", "mask"),
    "keypoints": ("skeleton",),
}
"""Kinds of annotations that each task learns from."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pictures with what is to be learnt of them.

    Attributes:
        dataset: What they come from.
        task: What is learnt.
        mode: How classes go together.
        classes: Names of the classes, in the order of the outputs.
        numbers: Place in `classes` of each class id of the dataset that is learnt.
        images: (N,) ids of the pictures.
        paths: N files.
        sizes: (N, 2) width and height.
        parts: (N,) place in `PARTS`.
        rows: Of each picture id, the rows of the annotations table that the task learns from.
        beliefs: Of each picture, the files of its soft masks, one a class; empty where it has none.
        notes: What the user should know, one sentence each.
        crops: Whether the parts around single objects are shown; None leaves it to the task.
        margin: How far such a part reaches beyond the box of its object, as a share of its longer side.
        windows: (N, 4) x1, y1, x2, y2 of these parts in whole pixels; None where whole pictures are shown.
        boxed: Whether masks are learnt from the boxes of the training part alone.
    """

    dataset: Dataset
    task: Task
    mode: Mode
    classes: tuple[str, ...]
    numbers: Mapping[int, int]
    images: NDArray[np.int64]
    paths: tuple[Path, ...]
    sizes: NDArray[np.int64]
    parts: NDArray[np.int64]
    rows: Mapping[int, Sequence[dict[str, Any]]]
    beliefs: tuple[tuple[Path, ...], ...]
    notes: tuple[str, ...] = ()
    crops: bool | None = None
    margin: float = 0.25
    windows: NDArray[np.int64] | None = None
    boxed: bool = False

    def __len__(self) -> int:
        return len(self.images)

    @property
    def is_soft(self) -> bool:
        """Whether any mask is a share of belief."""
        return any(self.beliefs)

    def part(self, name: str) -> NDArray[np.int64]:
        """Rows of one of `PARTS`."""
        return np.flatnonzero(self.parts == PARTS.index(name))

    def rows_of(self, row: int) -> Sequence[dict[str, Any]]:
        """The annotations of one picture."""
        return self.rows.get(int(self.images[row]), ())

    def told_path(self, row: int) -> str:
        """The path of a picture as the reader knows it: below the dataset's root where it lies there."""
        path, root = self.paths[row], self.dataset.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def task_of(dataset: Dataset) -> Task:
    """What the labels of a dataset are for: skeletons before tags, tags before masks and polygons, boxes last.

    Raises:
        DataError: It has none that anything can be learnt from.
    """
    kinds = set(dataset.scan("annotations", "kind").select(pl.col("kind").cast(pl.String).unique()).collect()["kind"])
    order: tuple[tuple[Task, set[str]], ...] = (
        ("keypoints", {"skeleton"}),
        ("classification", {"tag"}),
        ("segmentation", {"mask", "polygon"}),
        ("detection", {"box", "ellipse"}),
    )
    found: Task | None = next((task for task, wanted in order if kinds & wanted), None)
    if found is None:
        lacking = "it has no labels of pictures, masks, boxes or skeletons."
        raise DataError(f"Nothing can be learnt from {dataset}: {lacking}{_noticed(dataset)}")
    return found


def in_words(kinds: Iterable[str], last: str = "and") -> str:
    """Kinds of annotations in the plural, for messages."""
    *first, final = sorted("boxes" if kind == "box" else f"{kind}s" for kind in kinds)
    return f"{', '.join(first)} {last} {final}" if first else final


def suited(dataset: Dataset, task: Task | None, config: DataConfig) -> tuple[Dataset, tuple[str, ...]]:
    """The dataset as the task needs it: read as mask pictures, where these lie beside labels that the task cannot learn from.

    Args:
        dataset: As it was opened.
        task: What is to be learnt.
        config: `format` says what to read it as, `soft` that masks are shares; where they do not, it is looked.

    Returns:
        The dataset, and what to tell of it.
    """
    source, form = dataset.origin.get("path"), config.format
    if source is not None and holds_soft_masks(dataset, wanted=config.soft) and not (dataset.root / "beliefs").is_dir():
        return open_dataset(dataset.root, "masks", style="binary", threshold=1), ()  # values between black and white are no classes
    if form is not None and source is not None and dataset.origin.get("format") != form:
        return open_dataset(str(source), form), ()
    kinds = set(dataset.annotations["kind"].cast(pl.String).unique())
    if task != "segmentation" or config.boxes or kinds & {"mask", "polygon"} or source is None:
        return dataset, ()
    folder = Path(str(source)) if Path(str(source)).is_dir() else Path(str(source)).parent
    if not load_format("masks").recognise(folder):
        return dataset, ("There are no masks, so whole boxes are learnt.",) if "box" in kinds else ()
    other = f", not its {in_words(kinds)}" if kinds else ""
    told = f"The masks beside {Path(str(source)).name} are learnt{other}; data.format decides otherwise."
    return open_dataset(folder, "masks"), (told,)


def gather(
    dataset: Dataset, task: Task | None, config: DataConfig, *, seed: int = 0, to_learn: bool = True, progress: Progress = silent
) -> Examples:
    """The pictures that can be learnt from, with the parts that they are in.

    Args:
        dataset: What to learn from.
        task: What to learn; when None by the labels, or masks where they are to be learnt from boxes.
        config: Classes, splits and mode.
        seed: Of the division, where there is no validation split.
        to_learn: Whether there must be a training part, of files that are whole; who only measures needs none, and looks at each anyhow.
        progress: Where to report.

    Raises:
        DataError: There is no picture to train on, no such class, or pictures are frames of videos.
    """
    task = task or ("segmentation" if config.boxes else None)
    config = config if to_learn else config.model_copy(update={"boxes": False})
    examples = replace(_gathered(dataset, task, config, seed=seed), boxed=config.boxes)
    own = {"train": (), "validation": (), "test": ()}
    for part, path in (("val", config.validation_dataset), ("test", config.test_dataset)):
        if path is not None:
            other = suited(open_dataset(path), examples.task, config)[0]
            # Masks in black and white have no names: one class is the other, whatever each is called.
            named = () if len(examples.classes) == other.classes.height == 1 else examples.classes
            alone = config.model_copy(update={**own, "soft": None, "boxes": False, "mode": examples.mode, "classes": named})
            more = _gathered(other, examples.task, alone, seed=seed, is_whole=True)
            examples = _joined(examples, more, PARTS.index(part))
    return _checked(complete_only(examples, progress), config.train) if to_learn else examples


def _gathered(dataset: Dataset, task: Task | None, config: DataConfig, *, seed: int, is_whole: bool = False) -> Examples:
    """The examples of one dataset; of a whole one all are in the first part, whatever its splits say."""
    dataset, notes = suited(dataset, task, config)
    task = task or task_of(dataset)
    dataset = in_one_row(dataset) if task == "keypoints" else dataset
    numbers, classes = _classes(dataset, config.classes or _with_skeletons(dataset, task))
    files = dataset.image_files().join(dataset.images.select("id", "width", "height"), left_on="image", right_on="id", how="left")
    _refuse_frames(files)
    labelled = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(KINDS[task]))
    labelled = labelled.filter(~pl.col("outside")) if task in {"detection", "keypoints"} else labelled
    usable = labelled.filter(pl.col("class").is_in(list(numbers)) | (pl.col("class").is_null() & (task == "segmentation")))
    if usable.is_empty():
        named = f" of the classes {', '.join(classes)}" if classes else ""
        raise DataError(f"No picture has a {' or '.join(KINDS[task])}{named}; nothing can be learnt.{_noticed(dataset)}")
    rows = {key[0]: part.to_dicts() for key, part in usable.partition_by("image", as_dict=True, maintain_order=True).items()}
    parts, told = (np.zeros(files.height, np.int64), ()) if is_whole else divided(dataset, config, seed=seed)
    beliefs = soft_masks(dataset, classes, wanted=config.soft) if task == "segmentation" else ((),) * files.height
    examples = Examples(
        dataset=dataset,
        task=task,
        mode=config.mode
        or ("multilabel" if (config.boxes or any(map(len, beliefs))) and len(classes) > 1 else _mode(task, usable, len(classes))),
        classes=classes,
        numbers=numbers,
        images=files["image"].to_numpy(),
        paths=tuple(dataset.root / path for path in files["path"]),
        sizes=files.select(pl.col("width").fill_null(0), pl.col("height").fill_null(0)).to_numpy(),
        parts=parts,
        rows=rows,
        beliefs=beliefs,
        notes=(*notes, *told),
        crops=config.crops,
        margin=config.margin,
    )
    sized = readable_only(examples)
    sized = with_usable_masks(sized) if task == "segmentation" else sized
    return labelled_only(sized) if task == "classification" else sized


def divided(dataset: Dataset, config: DataConfig, *, seed: int = 0) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The part of each picture, -1 for none, by its split; a share of the training part validates where no split does."""
    named = {name: place for place, names in enumerate((config.train, config.validation, config.test)) for name in names}
    splits = dataset.images["split"].to_list()
    known = any(split in named for split in splits)
    parts = np.array([named.get(split, -1 if known else 0) for split in splits], dtype=np.int64)
    if (parts == 1).any() or config.validation_dataset is not None:
        return parts, ()
    own = np.flatnonzero(parts == 0)
    if len(own) < 2:  # noqa: PLR2004 - one picture cannot be divided
        return parts, ()
    groups = scene_groups(dataset)[own]
    inner = divide((class_counts(dataset)[own] > 0).astype(np.float64), groups, (1 - config.share, config.share), seed=seed) == 1
    parts[own[inner]] = 1
    return parts, (f"There is no validation split: {int(inner.sum()):,} of {len(own):,} training pictures validate.",)


def holds_soft_masks(dataset: Dataset, *, wanted: bool | None) -> bool:
    """Whether the masks of a dataset are shares of belief: as is `wanted`, or where that is None, as the provenance of a set says."""
    told = dataset.root / "provenance.json"
    if wanted is not None or not told.is_file():
        return bool(wanted)
    return bool(json.loads(told.read_text(encoding="utf-8")).get("soft"))


def soft_masks(dataset: Dataset, classes: Sequence[str], *, wanted: bool | None) -> tuple[tuple[Path, ...], ...]:
    """The files of each picture's soft masks, one a class.

    Args:
        dataset: Read as mask pictures.
        classes: Their names; of several, each has its masks in beliefs/CLASS/.
        wanted: Whether masks are soft; None believes the provenance that refined sets hold.

    Raises:
        DataError: Soft masks are asked for, and a picture has none.
    """
    paths = dataset.image_files()["path"].to_list()
    if not holds_soft_masks(dataset, wanted=wanted):
        return ((),) * len(paths)
    masks = {pair.picture: pair.mask for pair in find_pairs(dataset.root).pairs}
    lacking = [path for path in paths if masks.get(path) is None]
    if lacking:
        raise DataError(f"{len(lacking):,} pictures have no mask, for instance {lacking[0]}; soft masks are files beside their pictures.")
    if len(classes) == 1:
        return tuple((dataset.root / str(masks[path]),) for path in paths)
    return tuple(tuple(dataset.root / "beliefs" / safe_name(name) / f"{Path(path).stem}.png" for name in classes) for path in paths)


def _joined(examples: Examples, more: Examples, part: int) -> Examples:
    """With the pictures of another dataset in one part, in which nothing else stays."""
    shift = int(max(examples.images.max(), 0)) + 1
    known = {place: number for number, place in examples.numbers.items()}
    places = {number: known[place] for number, place in more.numbers.items()}
    rows = {
        image + shift: [{**row, "image": image + shift, "class": places.get(row["class"])} for row in some]
        for image, some in more.rows.items()
    }
    kept = np.where(examples.parts == part, -1, examples.parts)
    return replace(
        examples,
        images=np.concatenate([examples.images, more.images + shift]),
        paths=(*examples.paths, *more.paths),
        sizes=np.concatenate([examples.sizes, more.sizes]),
        parts=np.concatenate([kept, np.where(more.parts >= 0, part, -1)]),
        rows={**examples.rows, **rows},
        beliefs=(*examples.beliefs, *more.beliefs),
        notes=(*examples.notes, *(note for note in more.notes if note not in examples.notes)),
    )


def _noticed(dataset: Dataset) -> str:
    """What was wrong with the files of labels, which is often why there are none."""
    wrong = dataset.notes.filter(pl.col("is_issue"))
    if wrong.is_empty():
        return ""
    path, reason = wrong.select("path", "reason").row(0)
    return f" {wrong.height:,} problems were noticed while reading it, the first in {path}: {reason}"


def _classes(dataset: Dataset, wanted: Sequence[str]) -> tuple[dict[int, int], tuple[str, ...]]:
    used = dataset.classes.filter(pl.col("status").cast(pl.String) == "used")
    names = dict(used.select("name", "id").iter_rows())
    for name in wanted:
        if name not in names:
            raise DataError(f"The dataset has no class '{name}'. {nearest(name, names)}", table="classes")
    chosen = tuple(wanted) or tuple(names)
    return {names[name]: place for place, name in enumerate(chosen)}, chosen


def _with_skeletons(dataset: Dataset, task: Task) -> tuple[str, ...]:
    """For key points the used classes of which there are skeletons, the others having boxes or masks only; else none."""
    if task != "keypoints":
        return ()
    seen = dataset.annotations.filter(pl.col("kind").cast(pl.String) == "skeleton")["class"].unique()
    used = dataset.classes.filter((pl.col("status").cast(pl.String) == "used") & pl.col("id").is_in(seen.implode()))
    return tuple(used["name"].to_list())


def _mode(task: Task, rows: pl.DataFrame, classes: int) -> Mode:
    if task == "classification":
        several = rows.group_by("image").len()["len"].max()
        return "multilabel" if isinstance(several, int) and several > 1 else "multiclass"
    return "binary" if classes == 1 and task == "segmentation" else "multiclass"


def _checked(examples: Examples, splits: Sequence[str]) -> Examples:
    """Tell of classes that nothing can be learnt of, or that a part cannot measure.

    Args:
        examples: What was found.
        splits: Names of the splits that were to be trained on.

    Raises:
        DataError: There is nothing to train on.
    """
    own = examples.part("train")
    if not len(own):
        raise DataError(f"There is no picture to train on{why_none(examples, splits)}")
    absent = absent_classes(examples, own)
    if len(absent) == len(examples.classes):
        raise DataError(f"No training picture has a label of {', '.join(absent)}; nothing can be learnt.")
    told = [unlearnt_note(examples, absent)] if absent else []
    for part in ("val", "test"):
        rows = examples.part(part)
        unscored = [name for name in absent_classes(examples, rows) if name not in absent]
        told += [unscored_note(examples, unscored, part)] if unscored and len(rows) else []
    return replace(examples, notes=(*examples.notes, *told))


def _refuse_frames(files: pl.DataFrame) -> None:
    moving = files.filter(pl.col("kind").cast(pl.String) != "image")
    if moving.height:
        raise DataError(
            f"{moving.height:,} pictures are frames of videos, for instance of {moving['path'][0]}. Make pictures of them first: "
            "burnish convert DATASET FOLDER --to coco",
            table="images",
        )
