"""Refinement in rounds: a model improves the weak masks, a fresh one learns from them, and goes on only while that helps.

What counts is the overlap with the hand-drawn masks of BASELINE_VAL; EVAL is not looked at. The loop ends when the paired gain over the
best model so far is within the noise of the pictures, and the best model stays the result.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.engine.files import write_text
from burnish.formats.recognise import open_dataset
from burnish.refine.comparing import Interval, Scores, interval, score_set
from burnish.refine.hybrid_set import make_hybrid_set
from burnish.refine.made import places_of, read_made, refuse_used
from burnish.refine.parts import BASELINE, VAL
from burnish.refine.predictors import improver_of, predictor_of
from burnish.refine.sets import PROVENANCE
from burnish.train.target import FEW, LATEST

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.engine.progress import Progress
    from burnish.refine.made import HybridSet
    from burnish.refine.prepared import PreparedSets
    from burnish.refine.settings import HybridSetConfig, RefineConfig
    from burnish.train.policies.settings import TrainConfig


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One model of the loop.

    Attributes:
        number: 0 is the baseline.
        set: What it was trained on.
        run: Its run folder.
        scores: On BASELINE_VAL.
        iou: Their mean.
        dice: Likewise.
        gain: Paired difference of IoU to the best model before it; None for the baseline.
        is_best: Whether it became the best.
        verdict: Why the loop went on or ended.
        made: The refined set that it was trained on; None for the baseline.
    """

    number: int
    set: str
    run: Path
    scores: Scores
    iou: Interval
    dice: Interval
    gain: Interval | None
    is_best: bool
    verdict: str
    made: HybridSet | None = None

    @property
    def told(self) -> dict[str, Any]:
        """Plain values."""
        gain = None if self.gain is None else asdict(self.gain)
        return {
            "round": self.number,
            "set": self.set,
            **({} if self.made is None else {"mode": self.made.mode}),
            "run": str(self.run),
            "iou": asdict(self.iou),
            "dice": asdict(self.dice),
            "gain": gain,
            "is_best": self.is_best,
            "verdict": self.verdict,
        }


def run_loop(sets: PreparedSets, config: RefineConfig, folder: Path, progress: Progress) -> list[Round]:
    """Train, refine, train anew, compare, until nothing is gained; the same call continues a loop that was stopped.

    Args:
        sets: The prepared dataset; the refined sets come beside its own.
        config: Mode, number of the first set, rounds and the settings of each training.
        folder: Where the runs are, one folder a round.
        progress: Where to report.

    Returns:
        The rounds in order, the baseline first.
    """
    _refuse_numbers_in_use(sets, config, folder)
    rounds = [_baseline(sets, config, folder, progress)]
    progress.say(f"Baseline: IoU {rounds[0].iou} on {len(rounds[0].scores.names)} pictures of {sets.name}_{VAL}.")
    if blind := _told_blind(sets, rounds[0]):
        progress.say(blind)
    for number in range(1, config.rounds + 1):
        best = next(one for one in reversed(rounds) if one.is_best)
        place = config.set_of(config.number + number - 1)
        made = _refined(sets, config, place, best.run, folder=folder, progress=progress)
        if made.choice is not None:
            progress.say(f"Round {number}: {made.choice}")
        name = f"{sets.name}_H{place.number}"
        run = _train(sets, config, name, folder / f"round_{number}", progress)
        found = _round(sets, run, best, number=number, made=made)
        rounds.append(found)
        progress.say(f"Round {number}: IoU {found.iou}, gain {found.gain}: {found.verdict}.")
        write_text(folder / "rounds.json", json.dumps([one.told for one in rounds], indent=2))
        if found.gain is not None and (found.gain.low is None or found.gain.low <= 0):
            break
    return rounds


def _refuse_numbers_in_use(sets: PreparedSets, config: RefineConfig, folder: Path) -> None:
    """Before hours of training: the sets of the rounds to come must be free, or this loop's own."""
    for number in range(config.number, config.number + config.rounds):
        if not _mark(folder, number).is_file():
            refuse_used(sets, number)


def _told_blind(sets: PreparedSets, baseline: Round) -> str:
    """What to say of a baseline that has learnt nothing yet; its first round has nothing to go by but the boxes."""
    count = len(baseline.scores.iou)
    if not count or baseline.scores.iou.any():
        return ""
    pictures = "picture" if count == 1 else "pictures"
    return (
        f"The baseline finds nothing of what is drawn on the {count} {pictures} of {sets.name}_{VAL}, so that the next round learns from "
        "boxes. Longer training or larger steps (training.epochs, training.optimizer.lr) or more pictures drawn by hand give a better one."
    )


def verdict(gain: Interval) -> tuple[bool, str]:
    """Whether a model is better than the best so far, and what to say of it."""
    if gain.low is None or gain.high is None:
        return gain.mean > 0, "one picture cannot tell a gain from noise, so the loop ends"
    if gain.low > 0:
        return True, "better beyond noise, so the loop goes on"
    if gain.high < 0:
        return False, "worse beyond noise, so the loop ends"
    return gain.mean > 0, "the difference is within noise, so the loop ends"


def _baseline(sets: PreparedSets, config: RefineConfig, folder: Path, progress: Progress) -> Round:
    from pathlib import Path  # noqa: PLC0415 - run time

    run = Path(config.model) if config.model else _train(sets, config, f"{sets.name}_{BASELINE}", folder / "round_0", progress)
    scores = _scores(sets, run)
    return Round(0, f"{sets.name}_{BASELINE}", run, scores, interval(scores.iou), interval(scores.dice), None, True, "the baseline")


def _round(sets: PreparedSets, run: Path, best: Round, *, number: int, made: HybridSet) -> Round:
    scores = _scores(sets, run)
    gain = interval(np.asarray(scores.iou - best.scores.iou))
    is_best, told = verdict(gain)
    return Round(number, made.train.name, run, scores, interval(scores.iou), interval(scores.dice), gain, is_best, told, made)


def _scores(sets: PreparedSets, run: Path) -> Scores:
    from burnish.train.trained import read_trained  # noqa: PLC0415 - torch

    return score_set(predictor_of(read_trained(run), sets.classes), sets.folders[VAL], sets.provenances[VAL])


def _refined(sets: PreparedSets, config: RefineConfig, own: HybridSetConfig, model: Path, *, folder: Path, progress: Progress) -> HybridSet:
    """The set of a round, read back where an earlier call of this loop has made it."""
    mark = _mark(folder, own.number)
    if mark.is_file() and all(place.is_dir() for place in places_of(sets, own.number)):
        return read_made(sets, own.number)
    improver = improver_of(model, sets.classes, second=config.second, flips=config.flips, device=config.device)
    made = make_hybrid_set(sets, improver, own, work=folder / f"masks_{own.number}", progress=progress)
    write_text(mark, json.dumps(made.summary(), default=str))
    return made


def _mark(folder: Path, number: int) -> Path:
    """The file that tells that this loop has made the set of a number."""
    return folder / f"set_{number}.json"


def _train(sets: PreparedSets, config: RefineConfig, name: str, folder: Path, progress: Progress) -> Path:
    from burnish.train.train import train  # noqa: PLC0415 - torch

    soft = None if (sets.root / name / PROVENANCE).exists() else True
    pictures = sum(row["copy_of"] is None for row in sets.provenances[VAL]["pictures"])
    settings = training_of(config, str(sets.folders[VAL]), pictures=pictures, soft=soft)
    train(open_dataset(sets.root / name, "masks"), settings, work=folder, progress=progress).save(folder)
    return folder


def training_of(config: RefineConfig, validation: str, *, pictures: int, soft: bool | None = None) -> TrainConfig:
    """The settings of the loop's trainings: segmentation, validated on hand-drawn masks only.

    Where few pictures validate and nothing else waits for their numbers, the last weights are kept: which others looked best on a handful
    is chance. On cracks, four such pictures chose weights of 0.49 IoU on the test pictures where the last ones had 0.58.

    Args:
        config: The settings of the loop.
        validation: The dataset that chooses the weights.
        pictures: How many it has.
        soft: Whether masks hold shares; of sets that do not say so themselves, whose augmented masks have grey edges.
    """
    data = config.training.data.model_copy(
        update={"validation_dataset": validation, "train": ("train",)} | ({"soft": soft} if soft else {})
    )
    settings = config.training.model_copy(update={"task": "segmentation", "data": data})
    waits = any(getattr(one, "name", "") in ("stopping", "plateau") for one in (*settings.handlers, settings.schedule))
    if settings.evaluation.target is not None or pictures >= FEW or waits:
        return settings
    return settings.model_copy(update={"evaluation": settings.evaluation.model_copy(update={"target": LATEST})})
