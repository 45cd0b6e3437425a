"""Refine a prepared dataset with a predictor: the sets NAME_Hk and NAME_Hk_VAL."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.data.findings import finding, findings_table
from burnish.engine.files import atomic_folder
from burnish.engine.fingerprint import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.formats.findings import Findings, write_findings
from burnish.media.endings import why_incomplete
from burnish.refine.choosing import called, settled
from burnish.refine.made import HybridSet, boxes_table, findings_of, places_of, refuse_used
from burnish.refine.merging import kept_beliefs, merged
from burnish.refine.parts import BASELINE, VAL, WEAK, divided_with_fixed
from burnish.refine.reviewing import ORIGINS
from burnish.refine.sets import Entry, SetFolder, read_mask, write_sets
from burnish.refine.settings import HybridSetConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from burnish.engine.map import Engine
    from burnish.refine.merging import Improver, Record
    from burnish.refine.prepared import PreparedSets
    from burnish.refine.reviewing import Review, Reviews


def make_hybrid_set(
    sets: PreparedSets,
    improver: Improver,
    config: HybridSetConfig | None = None,
    *,
    reviews: Reviews | None = None,
    work: Path | None = None,
    engine: Engine | None = None,
    progress: Progress = silent,
    dry_run: bool = False,
) -> HybridSet:
    """Merge the weak masks of a prepared dataset with predictions into a set for training the next model.

    Every weakly labelled picture gets a soft mask by the merging mode; the hand-labelled ones keep theirs, and BASELINE goes to the
    training set and BASELINE_VAL to the validation set. Pictures of EVAL are in neither. All training pictures get new augmented copies;
    those of BASELINE are not taken over. A run that was stopped goes on where it was: finished masks lie in `work`.

    Args:
        sets: The prepared dataset.
        improver: The predictor, and more where the mode asks for it.
        config: Number, mode, shares.
        reviews: What people said of the set before; these pictures get no new prediction, but the masks that people left or drew.
        work: Folder in which finished masks are kept until the sets are written; a hidden one beside them where not given.
        engine: Where pictures are written.
        progress: Where to report.
        dry_run: Merge and tell, but write no set.

    Returns:
        What was written, into the folder of the prepared dataset.

    Raises:
        DataError: The number is in use, or the predictor gives no probabilities.
        ModelError: The predictor failed on all pictures.
    """
    asked = config or HybridSetConfig()
    train, val = places_of(sets, asked.number)
    refuse_used(sets, asked.number)
    chosen, choice = settled(sets, improver, asked, engine=engine, progress=progress)
    inputs = _inputs(sets, improver, chosen) | ({} if reviews is None else {"reviewed": dict(reviews.about)})
    own = train.with_name(f".{train.name}.work")
    place = (work or own) / fingerprint(repr(inputs))
    ours = _Merging(sets, improver, chosen, place, {} if reviews is None else reviews.pictures, _parts(sets, chosen))
    if dry_run:
        for _ in ours.arriving(engine, progress, "merging masks"):
            pass
    else:
        made_by = {"verb": "refine", "name": sets.name, **inputs, **({} if choice is None else {"choice": asdict(choice)})}
        _write(ours, (train, val), made_by, engine=engine, progress=progress)
    done = {name: ours.done[name] for name in sets.weak if name in ours.done}
    boxes = boxes_table(sets, {name: record.boxes for name, record in done.items()})
    shutil.rmtree(own if work is None else place, ignore_errors=True)
    findings = Findings(findings_table([*ours.told, *_failures(done)]), {"verb": "refine", "dataset": str(train)})
    if len(findings) and not dry_run:
        write_findings(findings, findings_of(train))
    return HybridSet(train, val, boxes, findings, ours.counts, called(chosen.mode), choice)


@dataclass(frozen=True, slots=True, eq=False)
class _Merging:
    """One refinement under way.

    Attributes:
        sets: The prepared dataset.
        improver: What predicts.
        config: Mode, shares.
        work: Where masks are kept.
        judged: Pictures that people have judged, which are not predicted anew.
        trains: Whether a weakly labelled picture trains.
        done: What became of each picture that was merged.
        told: Findings on hand-labelled pictures.
        counts: Pictures of each origin.
    """

    sets: PreparedSets
    improver: Improver
    config: HybridSetConfig
    work: Path
    judged: Mapping[str, Review]
    trains: Mapping[str, bool]
    done: dict[str, Record] = field(default_factory=dict[str, "Record"])
    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    counts: Counter[str] = field(default_factory=Counter[str])

    def arriving(self, engine: Engine | None, progress: Progress, label: str = "") -> Iterator[tuple[int, Entry]]:
        """Each picture as it is ready, with 0 for the training set or 1 for the validation set."""
        for number, entry in self._entries(engine, progress, label):
            self.counts[entry.origin] += 1
            yield number, entry

    def _entries(self, engine: Engine | None, progress: Progress, label: str) -> Iterator[tuple[int, Entry]]:
        for number, part in enumerate((BASELINE, VAL)):
            yield from ((number, entry) for entry in _manual(self.sets, part, self.told))
        left = replace(self.sets, weak={name: row for name, row in self.sets.weak.items() if name not in self.judged})
        made = merged(left, self.improver, self.config, self.work, engine=engine, progress=progress, label=label)
        for name, record in made:
            self.done[name] = record
            if not record.unreadable:
                yield self._number(name), _hybrid(self.sets, self.work, name, record)
        for name, review in self.judged.items():
            yield self._number(name), _reviewed(self.sets, name, review)

    def names(self) -> tuple[list[str], list[str]]:
        """Names of all pictures that may arrive for the training and the validation set."""
        own = tuple([row["name"] for row in _own_rows(self.sets, part)] for part in (BASELINE, VAL))
        for name in self.sets.weak:
            own[self._number(name)].append(name)
        return own[0], own[1]

    def _number(self, name: str) -> int:
        return 0 if self.trains[name] else 1


def _write(ours: _Merging, targets: tuple[Path, Path], made_by: Mapping[str, Any], *, engine: Engine | None, progress: Progress) -> None:
    """Both sets or none; the first one trains and so gets augmented copies."""
    sets, config = ours.sets, ours.config
    with ExitStack() as stack:
        places: list[SetFolder] = []
        for target, copies in zip(targets, (config.copies, 0), strict=True):
            folder, about = stack.enter_context(atomic_folder(target)), {**made_by, "set": target.name}
            places.append(SetFolder(folder, sets.classes, copies=copies, seed=config.seed, soft=True, media=config.media, made_by=about))
        label = f"refining into {targets[0].name}"
        write_sets(places, ours.arriving(engine, progress), ours.names(), label=label, engine=engine, progress=progress)


def _inputs(sets: PreparedSets, improver: Improver, config: HybridSetConfig) -> dict[str, Any]:
    """Everything that the masks depend on, which is also what the provenance tells."""
    marks = {part: fingerprint(json.dumps(told, sort_keys=True)) for part, told in sets.provenances.items()}
    return {"source": marks, "model": improver.model, "config": config.model_dump(mode="json")}


def _manual(sets: PreparedSets, part: str, told: list[dict[str, Any]]) -> list[Entry]:
    """The hand-labelled pictures of a set, without their augmented copies; those that cannot be read are told instead."""
    folder, rows = sets.folders[part], _own_rows(sets, part)
    bad = {row["name"]: why for row in rows if (why := why_incomplete(folder / row["file"]))}
    told += [_unreadable(name, why) for name, why in bad.items()]
    return [
        Entry(
            row["file"].rpartition("/")[2],
            folder / row["file"],
            "manual",
            partial(read_mask, folder, row["name"], sets.classes),
            {"group": row["group"], "hash": row["hash"], "from": part},
        )
        for row in rows
        if row["name"] not in bad
    ]


def _own_rows(sets: PreparedSets, part: str) -> list[dict[str, Any]]:
    return [row for row in sets.provenances[part]["pictures"] if row["copy_of"] is None]


def _hybrid(sets: PreparedSets, work: Path, name: str, record: Record) -> Entry:
    row = sets.weak[name]
    about = {"group": row["group"], "hash": row["hash"], "boxes": record.boxes, **({"error": record.error} if record.error else {})}
    origin = "weak" if record.error else "hybrid"
    paint = partial(kept_beliefs, work, name, len(sets.classes))
    return Entry(row["file"].rpartition("/")[2], sets.folders[WEAK] / row["file"], origin, paint, about)


def _reviewed(sets: PreparedSets, name: str, review: Review) -> Entry:
    row = sets.weak[name]
    about = {"group": row["group"], "hash": row["hash"], "review": review.verdict}
    return Entry(row["file"].rpartition("/")[2], sets.folders[WEAK] / row["file"], ORIGINS[review.verdict], review.paint, about)


def _parts(sets: PreparedSets, config: HybridSetConfig) -> dict[str, bool]:
    """Which weakly labelled pictures train; one that is a copy of a hand-labelled picture goes where that one is."""
    rows = list(sets.weak.values())
    fixed = {row["group"]: part == BASELINE for part in (VAL, BASELINE) for row in sets.provenances[part]["pictures"]}
    groups = np.array([row["group"] for row in rows], dtype=np.int64)
    trained = divided_with_fixed(groups, fixed, share=config.train, seed=config.seed)
    return {row["name"]: bool(one) for row, one in zip(rows, trained, strict=True)}


def _failures(done: Mapping[str, Record]) -> Iterator[dict[str, Any]]:
    for name, record in done.items():
        if record.unreadable:
            yield _unreadable(name, record.unreadable)
        elif record.error:
            yield finding("prediction_failed", f"Predicting it failed ({record.error}); its weak label alone is kept.", path=name)


def _unreadable(name: str, why: str) -> dict[str, Any]:
    return finding("unreadable_picture", f"It is in no refined set, for it cannot be read: {why}.", path=name)
