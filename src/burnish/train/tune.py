"""Search the settings of a training: many trainings, judged by their target."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import polars as pl

from burnish.config import dump, load
from burnish.engine.files import write_text
from burnish.engine.fingerprint import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.train.policies.examples import gather
from burnish.train.policies.resolving import decided
from burnish.train.policies.settings import TrainConfig
from burnish.train.setup import training_mark
from burnish.train.target import parse_target
from burnish.train.train import train
from burnish.train.tuning.attempt import Trial, best_of, natural
from burnish.train.tuning.local import Search, search_here
from burnish.train.tuning.page import tune_page
from burnish.train.tuning.plan import TunePlan
from burnish.train.tuning.settings import TuneConfig
from burnish.train.tuning.space import check_space
from burnish.train.tuning.study import JOURNAL, importance, open_study, trials_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.dataset import Dataset
    from burnish.train.policies.examples import Examples
    from burnish.train.target import Target

RAY = "ray"


@dataclass(frozen=True, slots=True, eq=False)
class TuneResult:
    """What a search came to.

    Attributes:
        config: The settings of the search.
        target: What trainings were judged by.
        trials: In the order in which they began.
        importance: Of each setting, by PED-ANOVA; empty where there are too few trainings.
        best: The settings of the best training, with every choice made; None where none is complete.
        interrupted: A signal ended the search; the same command continues it.
    """

    config: TuneConfig
    target: Target
    trials: tuple[Trial, ...]
    importance: Mapping[str, float]
    best: TrainConfig | None
    interrupted: bool

    @property
    def table(self) -> pl.DataFrame:
        """One row a trial: number, state, the target, whether constraints hold, seconds, the chosen values, metrics, reason, folder."""
        chosen = {key: [trial.chosen.get(key) for trial in self.trials] for key in self.config.space}
        return pl.DataFrame(
            {
                "trial": [trial.number for trial in self.trials],
                "state": [trial.state for trial in self.trials],
                "target": [None if trial.score is None else natural(self.target, trial.score) for trial in self.trials],
                "feasible": [None if trial.score is None else trial.score.feasible for trial in self.trials],
                "seconds": [round(trial.seconds, 1) for trial in self.trials],
                **chosen,
                "metrics": [json.dumps(dict(trial.metrics)) for trial in self.trials],
                "reason": [trial.reason for trial in self.trials],
                "folder": [f"trials/{trial.folder}" for trial in self.trials],
            },
            schema_overrides={"target": pl.Float64, "feasible": pl.Boolean, "seconds": pl.Float64},
        )

    @property
    def exit_code(self) -> int:
        """130 where a signal ended the search."""
        return 130 if self.interrupted else 0

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write the best settings as `config.yaml`, which burnish train takes, and `trials.csv`, `report.html`, `tune.yaml`."""
        del force
        texts = {"trials.csv": self.table.write_csv(), "report.html": tune_page(self), "tune.yaml": dump(self.config)}
        if self.best is not None:
            texts["config.yaml"] = dump(self.best)
        for name, text in texts.items():
            write_text(folder / name, text)
        return [folder / name for name in sorted(texts)]

    def summary(self) -> dict[str, Any]:
        """Facts and numbers as plain values."""
        best = best_of(self.trials)
        return {
            "target": str(self.target),
            "trials": dict(sorted(self.table["state"].value_counts().iter_rows())),
            "best": None if best is None else best.number,
            "value": None if best is None or best.score is None else natural(self.target, best.score),
            "chosen": {} if best is None else dict(best.chosen),
            "metrics": {} if best is None else dict(best.metrics),
            "importance": dict(self.importance),
            "interrupted": self.interrupted,
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {state}" for state, number in self.summary()["trials"].items()) or "none"
        lines = [f"Searched {len(self.config.space)} settings for '{self.target}': {len(self.trials)} trials ({counts})."]
        best = best_of(self.trials)
        if best is not None and best.score is not None:
            lines.append(f"  Best: trial {best.number} with {natural(self.target, best.score):.4g}")
            lines += [
                f"    {key}: {value:.4g}" if isinstance(value, float) else f"    {key}: {value}" for key, value in best.chosen.items()
            ]
        else:
            lines.append("  No training is complete and keeps the constraints.")
        if self.importance:
            shares = ", ".join(f"{key} {share:.0%}" for key, share in self.importance.items())
            lines.append(f"  What decides about being among the best (PED-ANOVA): {shares}")
        if self.interrupted:
            lines.append("The search was interrupted; the same command continues it.")
        return "\n".join(lines)


@overload
def tune(
    dataset: Dataset, config: TuneConfig | None = None, *, progress: Progress = silent, work: Path | str | None = None, force: bool = False
) -> TuneResult: ...


@overload
def tune(dataset: Dataset, config: TuneConfig | None = None, *, dry_run: Literal[True]) -> TunePlan: ...


def tune(
    dataset: Dataset,
    config: TuneConfig | None = None,
    *,
    progress: Progress = silent,
    work: Path | str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> TuneResult | TunePlan:
    """Search the settings of a training.

    Args:
        dataset: Pictures with labels.
        config: What is varied, and how.
        progress: Where to report.
        work: Folder of the search, with a run folder for each training; the same call with the same folder continues. Without one, nothing
            stays but the result.
        force: Begin anew in a folder that holds another search.
        dry_run: Only look at dataset, settings and space, and say what would be done.

    Raises:
        ConfigError: The space names a setting that does not exist; the folder holds another search and `force` is not set.
        DataError: There is nothing to learn.
        ModelError: The first trainings have all failed.
    """
    chosen = config or TuneConfig()
    check_space(chosen)
    if dry_run:
        return TunePlan(chosen, train(dataset, chosen.training, dry_run=True))
    examples = gather(dataset, chosen.training.task, chosen.training.data, seed=chosen.training.seed, progress=progress)
    plan, _ = decided(chosen.training, examples)
    assert plan.evaluation.target is not None
    until = None if chosen.minutes is None else time.time() + 60 * chosen.minutes
    with tempfile.TemporaryDirectory(prefix="burnish-tune-") as temporary:
        folder = Path(work or temporary)
        (folder / "trials").mkdir(parents=True, exist_ok=True)
        if force:
            _begin_anew(folder)
        search = Search(dataset, chosen, parse_target(plan.evaluation.target), folder, _mark(chosen, plan, examples), until)
        trials, shares, interrupted = _searched(search, progress)
        best = best_of(trials)
        settings = None if best is None else _settings_of_best(chosen, folder / "trials" / best.folder)
        return TuneResult(chosen, search.target, trials, shares, settings, interrupted)


def _searched(search: Search, progress: Progress) -> tuple[tuple[Trial, ...], dict[str, float], bool]:
    if search.config.engine == RAY:
        from burnish.train.tuning.on_ray import search_on_ray  # noqa: PLC0415 - only where it is asked for

        return search_on_ray(search, progress), {}, False
    interrupted = search_here(search, progress)
    study = open_study(search.folder, search.config, search.target, search.mark)
    return trials_of(study), importance(study), interrupted


def _settings_of_best(config: TuneConfig, folder: Path) -> TrainConfig:
    """The training's resolved settings; how pictures were cached and loaded is that of the user again."""
    found = load(TrainConfig, folder / "config.yaml")
    own = {"cache": config.training.data.cache, "workers": config.training.data.workers}
    return found.model_copy(update={"data": found.data.model_copy(update=own)})


def _mark(config: TuneConfig, plan: TrainConfig, examples: Examples) -> str:
    """What must be equal for a folder to hold this very search; more trials, minutes and processes change nothing."""
    own = config.model_dump(mode="json", include={"space", "sampler", "pruner", "startup", "seed", "engine"})
    return fingerprint(json.dumps(own), training_mark(plan, examples))


def _begin_anew(folder: Path) -> None:
    for name in ("trials", RAY):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / JOURNAL).unlink(missing_ok=True)
    (folder / "trials").mkdir()
