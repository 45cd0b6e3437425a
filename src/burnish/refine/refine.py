"""Improve weak masks with a model, once or in rounds of training and improving."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.config import dump
from burnish.engine.files import write_text
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, FormatError
from burnish.formats.derived import Derived
from burnish.refine.hybrid_set import make_hybrid_set
from burnish.refine.loop import Round, run_loop
from burnish.refine.page import refine_page
from burnish.refine.parts import BASELINE, WEAK
from burnish.refine.predictors import improver_of
from burnish.refine.prepared import PreparedSets, open_sets
from burnish.refine.reviewing import read_reviews
from burnish.refine.seed_sets import read_seed_sets, without_provenance
from burnish.refine.settings import RefineConfig
from burnish.refine.shapes import shapes_of

if TYPE_CHECKING:
    from burnish.refine.made import HybridSet
    from burnish.refine.reviewing import Reviews

_LISTED = 5


@dataclass(frozen=True, slots=True, eq=False)
class RefineResult:
    """What refining came to.

    Attributes:
        sets: The prepared dataset.
        config: The settings.
        made: The refined set, or the last of a loop.
        rounds: Of a loop, in order; none where masks were improved once.
    """

    sets: PreparedSets
    config: RefineConfig
    made: HybridSet
    rounds: tuple[Round, ...] = ()

    @property
    def table(self) -> pl.DataFrame:
        """Of a loop one row a round; else one row a weak box with its fate."""
        if not self.rounds:
            return self.made.table
        return pl.DataFrame([flat_round(one) for one in self.rounds])

    @property
    def made_sets(self) -> list[HybridSet]:
        """All refined sets, of a loop one a round."""
        return [one.made for one in self.rounds if one.made is not None] or [self.made]

    @property
    def best(self) -> Round | None:
        """The best model of a loop."""
        return next((one for one in reversed(self.rounds) if one.is_best), None)

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write boxes.csv, rounds.csv of a loop, the report, and the refined masks as a dataset of shapes for people to look at."""
        del force
        tables = {"boxes.csv": self.made.table, **({"rounds.csv": self.table} if self.rounds else {})}
        for name, table in tables.items():
            write_text(folder / name, table.write_csv())
        write_text(folder / "report.html", refine_page(self))
        write_text(folder / "settings.yaml", dump(self.config))
        shapes = shapes_of((self.made.train, self.made.val), self.config.shapes)
        text = f"The masks of {self.made.train.name} as shapes."
        written = Derived(shapes, "refine", self.config.shapes.model_dump(mode="json"), text).save(folder / "shapes")
        sets = [place for one in self.made_sets for place in (one.train, one.val)]
        return [*(folder / name for name in tables), *written, folder / "report.html", *sets]

    def summary(self) -> dict[str, Any]:
        """The refined set, and the rounds of a loop."""
        looped = {} if self.best is None else {"rounds": [one.told for one in self.rounds], "best": self.best.told}
        return {"set": str(self.made.train), **self.made.summary(), **looped}

    def __str__(self) -> str:
        if not self.rounds or self.best is None:
            return str(self.made)
        lines = [f"{one.set}: IoU {one.iou}, Dice {one.dice}: {one.verdict}" for one in self.rounds]
        return "\n".join([*lines, f"The best model is that of {self.best.set}: {self.best.run}"])


def refine(
    sets: Path | str, config: RefineConfig | None = None, *, progress: Progress = silent, work: Path | None = None, dry_run: bool = False
) -> RefineResult:
    """Refine the weak masks of a dataset that `burnish prepare` has divided.

    Args:
        sets: The folder of the sets, or FOLDER/NAME where it holds those of several datasets.
        config: The settings; `model` is a run folder, which only the loop can do without.
        progress: Where to report.
        work: Folder of the trainings of a loop and of unfinished masks; the same call with the same folder continues what was stopped.
        dry_run: Merge and tell what would become of the boxes, but write no set.

    Raises:
        FormatError: There are no such sets, or the model is no run folder.
        ConfigError: No model was named, or a loop is asked to write nothing.
        DataError: The number of the set is in use, or the review does not fit the set before it.
        ModelError: The model is for other classes, or fails.
    """
    chosen = config or RefineConfig()
    prepared = find_sets(Path(sets))
    for note in prepared.notes:
        progress.say(note)
    if not chosen.model and not chosen.loop:
        raise ConfigError("No model was named. Give the run folder of a training (--model runs/train/NAME), or let --loop train one.")
    if chosen.loop and dry_run:
        raise ConfigError(
            "A loop learns from the sets that it writes, so --dry-run cannot try it; it can try one refinement without --loop."
        )
    with tempfile.TemporaryDirectory(prefix="burnish-refine-") as temporary:
        place = work or Path(temporary)
        if chosen.loop:
            rounds = tuple(run_loop(prepared, chosen, place, progress))
            last = rounds[-1].made
            assert last is not None  # the baseline alone is no loop
            return RefineResult(prepared, chosen, last, rounds)
        reviews = None if chosen.reviewed is None else _reviews(prepared, chosen, chosen.reviewed, progress)
        improver = improver_of(chosen.model, prepared.classes, second=chosen.second, flips=chosen.flips, device=chosen.device)
        made = make_hybrid_set(
            prepared,
            improver,
            chosen.set_of(chosen.number),
            reviews=reviews,
            work=place / "masks",
            progress=progress,
            dry_run=dry_run,
        )
        return RefineResult(prepared, chosen, made)


def find_sets(path: Path) -> PreparedSets:
    """The prepared sets that a path means: a folder that holds those of one dataset, or FOLDER/NAME.

    Raises:
        FormatError: There are none, or a folder holds those of several datasets.
    """
    if (path.parent / f"{path.name}_{BASELINE}").is_dir():
        return _opened(path.parent, path.name)
    names = _names(path, WEAK) or _names(path, BASELINE)
    if len(names) == 1:
        return _opened(path, names[0])
    if names:
        raise FormatError(f"there are the sets of {', '.join(names)}; name one, for instance {path / names[0]}.", path=path)
    raise FormatError(f"there is no set NAME_{WEAK} or NAME_{BASELINE} here; make the sets with burnish prepare.", path=path)


def _opened(folder: Path, name: str) -> PreparedSets:
    return read_seed_sets(folder, name) if without_provenance(folder, name) else open_sets(folder, name)


def _names(path: Path, part: str) -> list[str]:
    """The datasets of which there is such a set in a folder."""
    return sorted(found.name.removesuffix(f"_{part}") for found in path.glob(f"*_{part}") if found.is_dir()) if path.is_dir() else []


def _reviews(sets: PreparedSets, config: RefineConfig, path: str, progress: Progress) -> Reviews:
    found = read_reviews(path, sets, config.number, config.alpha)
    progress.say(str(found))
    if found.ignored:
        shown = ", ".join(found.ignored[:_LISTED])
        progress.say(
            f"{len(found.ignored):,} pictures of the review are labelled by hand, or in no set, and stay as they are, such as {shown}."
        )
    return found


def flat_round(one: Round) -> dict[str, Any]:
    """A round as one row of plain values."""
    told: dict[str, Any] = {"round": one.number, "set": one.set, "mode": "" if one.made is None else one.made.mode}
    for name, found in (("iou", one.iou), ("dice", one.dice), ("gain", one.gain)):
        for part in ("mean", "low", "high"):
            told[name if part == "mean" else f"{name}_{part}"] = None if found is None else getattr(found, part)
    return {**told, "best": one.is_best, "verdict": one.verdict, "run": str(one.run)}
