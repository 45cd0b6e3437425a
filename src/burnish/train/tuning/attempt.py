"""One training of a search: run, judged, and whatever became of it told."""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from burnish.engine.files import write_text
from burnish.engine.map import available_cores
from burnish.engine.progress import Progress, silent
from burnish.errors import BurnishError, extra
from burnish.train.train import train

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.train.policies.settings import TrainConfig
    from burnish.train.run import Run
    from burnish.train.target import Score, Target
    from burnish.train.tuning.settings import TuneConfig

PRUNED: Final = "pruned at evaluation"
"""How the reason begins where a search cut a training short."""
State: TypeAlias = Literal["complete", "pruned", "failed", "unfinished"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of a search.

    Attributes:
        number: From 0, in the order in which they began.
        state: complete; pruned: the search cut it short; failed: it could not be trained; unfinished: the same command continues it.
        chosen: The values of the space, choices by their labels.
        reason: Why it was pruned or failed; of a complete one, what ended it before its last epoch.
        score: Of its best evaluation.
        metrics: Of the validation part, with the best weights.
        seconds: It took.
        folder: Its run folder, below that of the search.
        course: The target at each evaluation.
    """

    number: int
    state: State
    chosen: Mapping[str, Any]
    reason: str = ""
    score: Score | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    seconds: float = 0.0
    folder: str = ""
    course: tuple[float, ...] = ()


class Reporter:
    """A handler that tells the search of each evaluation, and ends the training where the search says so."""

    name = "reporter"
    after = "memory"

    def __init__(self, report: Callable[[int, Score, Mapping[str, float]], str]) -> None:
        self._report = report

    def evaluated(self, run: Run) -> None:
        """Report."""
        assert run.score is not None
        run.end(self._report(run.evaluations, run.score, run.metrics))


def attempt(
    dataset: Dataset,
    training: TrainConfig,
    number: int,
    chosen: Mapping[str, Any],
    *,
    folder: Path,
    report: Callable[[int, Score, Mapping[str, float]], str],
    progress: Progress = silent,
) -> Trial:
    """Train, and say what became of it; only an interrupt is raised. A failure leaves its traceback in the folder.

    Args:
        dataset: Pictures with labels.
        training: The settings of this training.
        number: Of the trial.
        chosen: What the search chose.
        folder: The run folder.
        report: Takes the number, score and metrics of an evaluation; gives why the training is to end, or nothing.
        progress: Where to report.
    """
    try:
        result = train(dataset, training, work=folder, handlers=[Reporter(report)], progress=progress)
        result.save(folder)
    except Exception as error:  # noqa: BLE001 - the next training may well succeed, whatever this one came upon
        write_text(folder / "error.txt", traceback.format_exc())
        told = str(error) if isinstance(error, BurnishError) else f"{type(error).__name__}: {error}"
        return Trial(number, "failed", chosen, told, folder=folder.name)
    run = result.run
    state: State = "unfinished" if run.interrupted else "pruned" if run.stop.startswith(PRUNED) else "complete"
    score = None if run.best is None else run.best[0]
    if state == "complete" and (score is None or not math.isfinite(score.values[0])):
        state, reason = "failed", "The target is no number at any evaluation."
    else:
        reason = run.stop
    return Trial(number, state, chosen, reason, score, dict(result.measured.get("val", {})), run.seconds, folder.name)


def natural(target: Target, score: Score) -> float:
    """The first objective as the user wrote it, the sign as it is."""
    return score.values[0] if target.objectives[0].mode == "max" else -score.values[0]


def best_of(trials: tuple[Trial, ...]) -> Trial | None:
    """The complete training with the best score, the first one among equals; none where there is none that keeps the constraints."""
    done = [trial for trial in trials if trial.state == "complete" and trial.score is not None and trial.score.feasible]
    return max(done, key=lambda trial: (trial.score, -trial.number), default=None)


def prepared(config: TuneConfig, folder: Path) -> TrainConfig:
    """The training with what all trials share: the decoded pictures, and their part of the cores."""
    training = config.training
    most = cores(config)
    data = training.data.model_copy(
        update={"cache": training.data.cache or str(folder / "cache"), "workers": min(training.data.workers, most)}
    )
    return training.model_copy(update={"data": data})


def cores(config: TuneConfig) -> int:
    """How many cores each training takes."""
    share = config.workers_share or 1 / config.parallel
    return max(math.floor(available_cores() * share), 1)


def take_cores(config: TuneConfig) -> None:
    """Let this process compute with no more than its share."""
    torch.set_num_threads(cores(config))
