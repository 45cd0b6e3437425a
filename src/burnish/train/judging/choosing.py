"""Which pictures of a dataset a trained network is measured on, and how their classes become the network's."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.config import load
from burnish.errors import DataError
from burnish.metrics.settings import OksApConfig
from burnish.train.policies.absent import absent_classes, unscored_note
from burnish.train.policies.examples import KINDS, PARTS, gather, in_words, suited
from burnish.train.policies.settings import DataConfig, TrainConfig
from burnish.train.policies.skeletons import in_order, known_only, skeletons_of
from burnish.train.run_folder import CONFIG, RUN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.train.policies.examples import Examples
    from burnish.train.trained import Trained

_ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What is measured on.

    Attributes:
        examples: The dataset's pictures, classes as the network has them.
        rows: Places of the chosen pictures.
        splits: Name of the split, or part, of each of them.
        part: What the choice is called.
        notes: What the reader should know.
    """

    examples: Examples
    rows: NDArray[np.int64]
    splits: tuple[str, ...]
    part: str
    notes: tuple[str, ...]


def training_settings(trained: Trained) -> TrainConfig:
    """The settings of a network's training.

    Raises:
        ConfigError: config.yaml is missing from the run folder, or cannot be read.
    """
    return load(TrainConfig, trained.folder / CONFIG)


def learnt_sigmas(settings: TrainConfig) -> tuple[float, ...] | None:
    """How exactly a training took key points to be placed; None where it does not say."""
    return next((metric.sigmas for metric in settings.evaluation.metrics if isinstance(metric, OksApConfig)), None)


def choose(dataset: Dataset, trained: Trained, *, split: str = "", form: str | None = None) -> Chosen:
    """The pictures of a dataset that a network is measured on.

    Args:
        dataset: With labels.
        trained: The network.
        split: A split of the dataset, a part of the training, or all; when empty the test part, or else the validation part of the
            training's own dataset, or else everything.
        form: Format to read the dataset as.

    Raises:
        DataError: There are no labels of the network's task, classes do not match, there is no such split, or no labelled picture in it.
        ConfigError: The settings of the training cannot be read.
    """
    settings = training_settings(trained)
    own = _is_own(dataset, trained)
    wanted = _data(settings, trained, form, own=own)
    dataset, told = suited(dataset, trained.task, wanted)
    _refuse_other_labels(dataset, trained)
    names, known, notes = _matched(dataset, trained)
    gathered = gather(dataset, trained.task, wanted.model_copy(update={"classes": names}), seed=settings.seed, to_learn=False)
    gathered = known_only(in_order(gathered, trained.names)) if trained.task == "keypoints" else gathered
    numbers = {number: trained.classes.index(known[place]) for number, place in gathered.numbers.items()}
    examples = replace(gathered, classes=trained.classes, numbers=numbers)
    given = tuple(name or "" for name in dataset.images["split"].to_list())
    given += ("",) * (len(examples) - len(given))
    rows, part, more = _rows(examples, given, split, own=own)
    if not len(rows):
        raise DataError(f"There is no labelled picture in the part '{part}'; name another with --split, or all.", table="images")
    parts = tuple(given[int(row)] or (_part_of(examples, int(row)) if own else "") for row in rows)
    left_out = tuple(note for note in gathered.notes if "left out" in note)
    unscored = [name for name in absent_classes(examples, rows) if name in known]
    left_out += (unscored_note(examples, unscored, part),) if unscored else ()
    soft = ("Masks are shares of belief; pixels count from one half on.",) if examples.is_soft else ()
    return Chosen(examples, rows, parts, part, (*told, *notes, *more, *left_out, *soft))


def _data(settings: TrainConfig, trained: Trained, form: str | None, *, own: bool) -> DataConfig:
    """How the training read its data; of another dataset only what parts are called."""
    changed = {"mode": trained.mode, "plan": None, "boxes": False, "crops": None, "format": form or (settings.data.format if own else None)}
    others = {} if own else {"validation_dataset": None, "test_dataset": None, "soft": None}
    return settings.data.model_copy(update={**changed, **others})


def _is_own(dataset: Dataset, trained: Trained) -> bool:
    """Whether it is the dataset that the network was trained on, by its place."""
    before = json.loads((trained.folder / RUN).read_text(encoding="utf-8")).get("dataset", "")
    places = {Path(str(place)).absolute() for place in (dataset.origin.get("path", dataset.root), dataset.root)}
    there = Path(before).absolute()
    return bool(before) and (there in places or any(there == place.parent for place in places if place.is_file()))


def _refuse_other_labels(dataset: Dataset, trained: Trained) -> None:
    kinds = set(dataset.annotations["kind"].cast(pl.String).unique())
    if kinds.isdisjoint(KINDS[trained.task]):
        needed = f"A network for {trained.task} is measured on {in_words(KINDS[trained.task], 'or')}"
        raise DataError(f"{needed}; the dataset has {in_words(kinds) if kinds else 'no labels'}.", table="annotations")


def _matched(dataset: Dataset, trained: Trained) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The dataset's classes that the network knows, what it calls them, and what to tell.

    Raises:
        DataError: Each side has classes that the other has not, or they have none in common.
    """
    used = dataset.classes.filter(pl.col("status").cast(pl.String) == "used")["name"].to_list()
    common = tuple(name for name in trained.classes if name in used)
    if not common and len(used) == len(trained.classes) == 1 and trained.task == "segmentation":
        return (used[0],), trained.classes, (f"The dataset's only class, {used[0]}, is taken for the network's, {trained.classes[0]}.",)
    lacking, strange = [name for name in trained.classes if name not in used], [name for name in used if name not in trained.classes]
    if not common or (lacking and strange):
        told = f"The network tells apart {', '.join(trained.classes)}; the dataset has {', '.join(used) or 'no class'}"
        raise DataError(f"{told}. Name the classes alike, for instance with burnish labels and convert --labels.", table="classes")
    notes = [f"The dataset has no class {', '.join(lacking)}; these were only looked for."] if lacking else []
    notes += [f"The network does not know {', '.join(strange)}; these labels do not count."] if strange else []
    return common, common, tuple(notes)


def _rows(examples: Examples, given: tuple[str, ...], split: str, *, own: bool) -> tuple[NDArray[np.int64], str, tuple[str, ...]]:
    """The chosen rows, what they are called, and what to tell."""
    usable = _usable(examples)
    splits = np.array(given)
    named = any(given)
    if split == _ALL:
        return np.flatnonzero(usable), _ALL, ()
    if split:
        if split in given:
            return np.flatnonzero(usable & (splits == split)), split, ()
        if split in PARTS and (own or named):
            return examples.part(split), split, ()
        known = sorted({*filter(None, given), *(PARTS if own or named else ()), _ALL})
        raise DataError(f"There is no split '{split}'; expected one of {', '.join(known)}.", table="images")
    for part in ("test", "val") if own or named else ():
        if len(examples.part(part)):
            return examples.part(part), part, ()
    return np.flatnonzero(usable), _ALL, ("There is no test split, so all pictures are measured.",) if own or named else ()


def _part_of(examples: Examples, row: int) -> str:
    place = int(examples.parts[row])
    return PARTS[place] if place >= 0 else ""


def _usable(examples: Examples) -> NDArray[np.bool_]:
    """Pictures with a size, with a label in a classification and a known point where points are found, whatever part they are in."""
    readable = examples.sizes.min(axis=1) > 0
    if examples.task == "keypoints":
        return readable & np.array([bool(skeletons_of(examples, row)) for row in range(len(examples))], dtype=np.bool_)
    if examples.task != "classification":
        return readable
    return readable & np.array([int(image) in examples.rows for image in examples.images], dtype=np.bool_)
