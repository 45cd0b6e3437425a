"""Make sets for training, validation and evaluation out of a few hand-drawn masks and many weak boxes."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.data.findings import counts_by_kind, finding, findings_table, join_findings, ranked
from burnish.engine.files import atomic_folder, refuse_filled_folder
from burnish.engine.map import Engine
from burnish.engine.progress import Progress, silent, tracked
from burnish.errors import DataError
from burnish.formats.findings import Findings, write_findings
from burnish.formats.painting import Layers, paint_objects
from burnish.formats.placing import distinct_paths
from burnish.refine import parts
from burnish.refine.copies import Copies, copy_findings, find_copies, surplus
from burnish.refine.material import Item, Material, gather
from burnish.refine.sets import Entry, SetFolder, write_set
from burnish.refine.settings import PrepareConfig
from burnish.refine.shared_classes import taught_by_none
from burnish.refine.unused_masks import told_unused
from burnish.refine.weak_boxes import weak_boxes, write_boxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.refine.weak_boxes import Boxes

SETS: Final = (parts.BASELINE, parts.VAL, parts.EVAL, parts.WEAK)
_WHITE: Final = 255
_NAMED: Final = 3
_UNUSED_LABELS: Final = ("size_differs", "missing_mask", "unreadable_mask", "foreign_mask")


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The sets that a dataset is divided into, not yet written.

    Attributes:
        name: What the sets are called.
        material: Pictures, classes and labels.
        copies: Hashes and groups of the pictures.
        sets: (n,) BASELINE, BASELINE_VAL, EVAL, WEAK, or empty for what is in no set.
        boxes: Weak boxes of each picture.
        config: The settings.
        findings: What was noticed.
        source: Path and format of the dataset.
        engine: Where saving works.
        progress: Where saving reports.
    """

    name: str
    material: Material
    copies: Copies
    sets: NDArray[np.str_]
    boxes: Sequence[Boxes]
    config: PrepareConfig
    findings: Findings
    source: Mapping[str, Any]
    engine: Engine
    progress: Progress

    @property
    def table(self) -> pl.DataFrame:
        """One row a picture: name, path, set, origin (manual, weak or empty), group."""
        items = self.material.items
        origins = np.where(np.isin(self.sets, SETS[:3]), "manual", np.where(self.sets == parts.WEAK, "weak", ""))
        return pl.DataFrame(
            {
                "name": [item.key for item in items],
                "path": [str(item.path) for item in items],
                "set": self.sets.tolist(),
                "origin": origins.tolist(),
                "group": self.copies.groups,
            },
            schema_overrides={"name": pl.String, "path": pl.String, "set": pl.String, "origin": pl.String},
        )

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write NAME_BASELINE, NAME_BASELINE_VAL, NAME_EVAL and NAME_WEAK into a folder, all of them or none, and the findings beside.

        Raises:
            DataError: One of them is there already (unless `force`), or the disk is full.
        """
        targets = {one: folder / f"{self.name}_{one}" for one in SETS if one not in {parts.WEAK, parts.EVAL} or (self.sets == one).any()}
        for target in targets.values():
            refuse_filled_folder(target, force=force)
        names = _file_names(self.material.items)
        with ExitStack() as stack:
            for one, target in targets.items():
                self._write(one, stack.enter_context(atomic_folder(target, force=force)), names)
        if not len(self.findings):
            return list(targets.values())
        return [*targets.values(), *write_findings(self.findings, folder / f"{self.name}_findings")]

    def summary(self) -> dict[str, Any]:
        """How many pictures are in each set, the classes, and what was noticed."""
        counts = Counter(self.sets.tolist())
        return {
            "name": self.name,
            "sets": {one: counts[one] for one in SETS},
            "left_out": counts[parts.NONE],
            "classes": list(self.material.classes),
            "findings": counts_by_kind(self.findings.table),
        }

    def __str__(self) -> str:
        told = self.summary()
        lines = [", ".join(f"{self.name}_{one} {number:,}" for one, number in told["sets"].items()) + f" of {len(self.sets):,} pictures."]
        if self.config.copies:
            lines.append(f"Each picture of {self.name}_{parts.BASELINE} gets {self.config.copies} augmented copies.")
        if told["left_out"]:
            lines.append(f"{told['left_out']:,} pictures are in no set.")
        return "\n".join([*lines, *(self._noticed(kind, number) for kind, number in told["findings"].items())])

    def _noticed(self, kind: str, number: int) -> str:
        """Findings of one kind in a line: the first files, or where no file is at fault what was found."""
        rows = self.findings.table.filter((pl.col("kind") == kind) & pl.col("is_issue"))
        paths, name = rows["path"].drop_nulls(), kind.replace("_", " ")
        if len(paths):
            return f"  {name}: {number:,} ({_first(paths, ', ')})"
        return f"  {name}: {_first(rows['reason'].unique(maintain_order=True), ' ')}"

    def _write(self, one: str, folder: Path, names: Sequence[str]) -> None:
        places = np.flatnonzero(self.sets == one).tolist()
        made_by = {"verb": "prepare", "name": self.name, "set": f"{self.name}_{one}", "source": dict(self.source)}
        place = SetFolder(
            folder,
            self.material.classes,
            copies=self.config.copies if one == parts.BASELINE else 0,
            seed=self.config.seed,
            media=self.config.media,
            made_by={**made_by, "config": self.config.model_dump(mode="json")},
        )
        write_set(place, [self._entry(n, names[n], weak=one == parts.WEAK) for n in places], engine=self.engine, progress=self.progress)
        if one == parts.WEAK:
            write_boxes(folder, {names[n]: (self.material.items[n].size, self.boxes[n]) for n in places}, self.material.classes)

    def _entry(self, place: int, name: str, *, weak: bool) -> Entry:
        item = self.material.items[place]
        rows = _weak_rows(item) if weak else item.hand
        about: dict[str, Any] = {"group": int(self.copies.groups[place]), "hash": self.copies.hashes.files[place]}
        if weak:
            about["weak"] = "boxes" if all(row["kind"] == "box" and not row["rotation"] for row in rows) else "masks"
        return Entry(name, item.path, "weak" if weak else "manual", partial(painted, rows, item.size, self.material), about)


def prepare(
    dataset: Dataset, config: PrepareConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent
) -> Prepared:
    """Divide a dataset with a few hand-drawn masks and many weak boxes into the sets of iterative mask refinement.

    Half of the hand-labelled pictures evaluate all models (EVAL), the others train (BASELINE) and validate (BASELINE_VAL) the first one;
    the pictures with weak labels alone are refined by it (WEAK). Copies, near copies and pictures of one scene never come to different
    sets, and a weakly labelled picture that goes with one of EVAL is left out.

    Raises:
        DataError: There are no hand-labelled pictures, too few of them, or fewer than asked for.
        ConfigError: A class or picture is named that is not there.
    """
    chosen, runner = config or PrepareConfig(), engine or Engine()
    material = gather(dataset, chosen)
    if not material.items:
        raise DataError("The dataset has no pictures that can be read; there is nothing to prepare.", table="images")
    copies = find_copies(material.items, together=chosen.together, false_pairs=chosen.false_pairs, engine=runner, progress=progress)
    drawn = np.array([_has_pixels(item, material) for item in tracked(material.items, progress, "painting masks", len(material.items))])
    readable = copies.hashes.readable
    unused = told_unused(material.findings)
    hand = parts.chosen_by_hand(material.items, drawn & readable, chosen.hand, chosen.seed, unused=unused) & readable
    gone = surplus(copies, hand, chosen.drop)
    hand &= ~gone
    counts = _class_counts(material)
    sets = parts.divided(counts, copies.groups, hand, evaluate=chosen.evaluate, train=chosen.train, seed=chosen.seed, unused=unused)
    boxes = [weak_boxes(_weak_rows(item), item.size, material.classes) for item in material.items]
    unlabelled = (sets == parts.WEAK) & np.array([len(corners) == 0 for corners, _ in boxes])
    if chosen.unlabelled == "background":
        unlabelled &= _label_unused(material)
    leaks = parts.leaking(sets, copies.groups) & ~unlabelled & ~gone
    sets[unlabelled | leaks | gone | ~readable] = parts.NONE
    told = [
        *taught_by_none(material.items, sets.tolist()),
        *copy_findings(material.items, copies),
        *_told(material.items, drawn, hand, unlabelled=unlabelled & readable, leaks=leaks, gone=gone),
    ]
    source = {"path": str(dataset.origin.get("path", dataset.root)), "format": dataset.origin.get("format")}
    findings = Findings(
        ranked(join_findings(material.findings, findings_table(told))), {"verb": "prepare", "dataset": source["path"], **source}
    )
    return Prepared(chosen.name or _name(dataset), material, copies, sets, boxes, chosen, findings, source, runner, progress)


def painted(rows: Sequence[Mapping[str, Any]], size: tuple[int, int], material: Material) -> NDArray[np.uint8]:
    """(H, W) uint8 mask of shapes: 0 and 255 of one class, the number of each pixel's class from 1 of several."""
    places = {name: place for place, name in enumerate(material.classes, start=1)}
    layers = Layers({name: places[name] for name in material.classes}, material.priorities)  # pyright: ignore[reportArgumentType]
    made = paint_objects([dict(row) for row in rows], size, layers)
    values = np.array([0, *(_WHITE if len(places) == 1 else places[row["class"]] for row in made.rows)], dtype=np.uint8)
    return values[made.owners]


def _weak_rows(item: Item) -> tuple[Mapping[str, Any], ...]:
    """The weak labels; of a picture with hand-drawn ones alone that do not count as such, the boxes around those."""
    if item.weak:
        return item.weak
    boxed = ("x1", "y1", "x2", "y2")
    return tuple({**row, "kind": "box", "rotation": 0.0} for row in item.hand if None not in [row[side] for side in boxed])


def _has_pixels(item: Item, material: Material) -> bool:
    return bool(item.hand) and bool(painted(item.hand, item.size, material).any())


def _label_unused(material: Material) -> NDArray[np.bool_]:
    """Pictures that are labelled, but so that it says nothing of them: not to be taken for ones without objects."""
    told = material.findings.filter(pl.col("kind").is_in(_UNUSED_LABELS))["path"].drop_nulls()
    names = {PurePosixPath(path).stem for path in told}
    return np.array([bool(item.weak) or item.path.stem in names for item in material.items], dtype=np.bool_)


def _class_counts(material: Material) -> NDArray[np.float64]:
    places = {name: place for place, name in enumerate(material.classes)}
    counts = np.zeros((len(material.items), len(places)))
    for row, item in enumerate(material.items):
        for shape in item.hand:
            counts[row, places[shape["class"]]] += 1
    return counts


def _told(
    items: Sequence[Item],
    drawn: NDArray[np.bool_],
    hand: NDArray[np.bool_],
    *,
    unlabelled: NDArray[np.bool_],
    leaks: NDArray[np.bool_],
    gone: NDArray[np.bool_],
) -> Iterator[dict[str, Any]]:
    for place, item in enumerate(items):
        where: dict[str, Any] = {"path": item.path.name}
        if hand[place] and not drawn[place]:
            reason = "It is named as labelled by hand and has no shape with a pixel: it counts as a picture without objects."
            yield finding("no_objects", reason, is_issue=False, **where)
        elif item.hand and not drawn[place]:
            reason = "Its hand-drawn shapes hold no pixel of the picture, so it does not count as labelled by hand."
            yield finding("empty_mask", reason, **where)
        elif away := sum(_is_outside(row, item.size) for row in item.hand):
            reason = f"{away:,} of its {len(item.hand):,} hand-drawn shapes lie outside of the picture and are not drawn."
            yield finding("outside_picture", reason, **where)
        if gone[place]:
            yield finding("dropped_copy", "A better copy of it is kept; it is in no set.", is_issue=False, **where)
        elif unlabelled[place]:
            reason = "It has neither a hand-drawn mask that counts nor a weak label; it is in no set."
            yield finding("no_weak_label", reason, suggestion="if it shows no object, prepare with --unlabelled background", **where)
        elif leaks[place]:
            reason = "It is a copy, or of the scene, of a picture of the evaluation set; training on it would leak, so it is in no set."
            yield finding("split_leak", reason, **where)


def _is_outside(row: Mapping[str, Any], size: tuple[int, int]) -> bool:
    corners = [row[side] for side in ("x1", "y1", "x2", "y2")]
    return None not in corners and (corners[0] >= size[0] or corners[1] >= size[1] or corners[2] <= 0 or corners[3] <= 0)


def _first(texts: pl.Series, between: str) -> str:
    return between.join([*texts.head(_NAMED), *(["..."] if len(texts) > _NAMED else [])])


def _file_names(items: Sequence[Item]) -> list[str]:
    """Names in a set, one for each picture, distinct also without ending."""
    wanted = {place: PurePosixPath(item.path.as_posix()).name for place, item in enumerate(items)}
    given = distinct_paths(wanted, one_stem=True)
    return [given[place] for place in range(len(items))]


def _name(dataset: Dataset) -> str:
    path = Path(str(dataset.origin.get("path", dataset.root))).resolve()
    return path.name if path.is_dir() else path.stem if path.suffix.lower() == ".zip" else path.parent.name
