"""A search on this machine: one training after another, or several processes that take trials from one study."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.engine.progress import Progress, silent
from burnish.errors import BurnishError, ModelError, extra
from burnish.train.several import portable
from burnish.train.tuning.attempt import attempt, natural, prepared, take_cores
from burnish.train.tuning.space import settings_of
from burnish.train.tuning.study import next_trial, open_study, refuse_hopeless, reported, tell, trials_of

with extra("train"):
    from torch import multiprocessing

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.train.target import Target
    from burnish.train.tuning.attempt import Trial
    from burnish.train.tuning.settings import TuneConfig

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A search that is about to begin.

    Attributes:
        dataset: Pictures with labels.
        config: The settings.
        target: What trainings are judged by.
        folder: Holds everything.
        mark: What must be equal for the folder to hold this search.
        until: When no more trainings begin, by the clock of `time.time`; None is never.
    """

    dataset: Dataset
    config: TuneConfig
    target: Target
    folder: Path
    mark: str
    until: float | None


def search_here(search: Search, progress: Progress) -> bool:
    """Do what is left of the trials; gives whether an interrupt ended it.

    Raises:
        ModelError: The first trainings have all failed, or worker processes died.
        ConfigError: The folder holds another search.
    """
    study = open_study(search.folder, search.config, search.target, search.mark)
    done = sum(trial.state != "unfinished" for trial in trials_of(study))
    with progress.task("Trials", search.config.trials) as advance:
        advance(done)
        if search.config.parallel > 1:
            return _by_processes(search, progress, advance)
        if search.config.workers_share is not None:
            take_cores(search.config)
        return _one_by_one(search, progress, advance)


def _one_by_one(search: Search, progress: Progress, advance: Any) -> bool:
    study = open_study(search.folder, search.config, search.target, search.mark)
    base = prepared(search.config, search.folder)
    while search.until is None or time.time() < search.until:
        with next_trial(study, search.config, search.folder) as trial:
            if trial is None:
                return False
            found = study.get_trials(deepcopy=False)[trial.number]
            place = search.folder / "trials" / f"{trial.number:04d}"
            try:
                settings = settings_of(base, found.params, search.config.space)
                report = reported(study, trial, search.target)
                done = attempt(search.dataset, settings, trial.number, found.params, folder=place, report=report, progress=progress)
            except KeyboardInterrupt:
                return True
            tell(study, trial, done, search.target)
        if done.state == "unfinished":
            return True
        advance(1)
        progress.say(told(done, search.target))
    return False


def told(trial: Trial, target: Target) -> str:
    """A trial in one line."""
    worth = "" if trial.score is None else f" {target.objectives[0].expression.text} {natural(target, trial.score):.4g}"
    broken = ", constraints broken" if trial.score is not None and not trial.score.feasible else ""
    chosen = ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in trial.chosen.items())
    reason = f" ({trial.reason})" if trial.reason else ""
    return f"Trial {trial.number}: {trial.state}{worth}{broken}, with {chosen}{reason}"


def _by_processes(search: Search, progress: Progress, advance: Any) -> bool:
    context: Any = multiprocessing.get_context("spawn")
    sent = Search(portable(search.dataset), search.config, search.target, search.folder, search.mark, search.until)
    workers = [context.Process(target=_work, args=(sent,)) for _ in range(search.config.parallel)]
    for worker in workers:
        worker.start()
    known = {trial.number for trial in _over(search)}
    interrupted = False
    while any(worker.is_alive() for worker in workers):
        try:
            time.sleep(_LOOK_S)
            for trial in _over(search):
                if trial.number not in known:
                    known.add(trial.number)
                    advance(1)
                    progress.say(told(trial, search.target))
        except KeyboardInterrupt:
            interrupted = True
            _ask_to_end(workers)
    refuse_hopeless(open_study(search.folder, search.config, search.target, search.mark).get_trials(deepcopy=False))
    if not interrupted and all(worker.exitcode for worker in workers):
        codes = ", ".join(str(worker.exitcode) for worker in workers)
        raise ModelError(f"All {len(workers)} worker processes ended early (codes {codes}). Set parallel: 1 to see why.")
    return interrupted or any(worker.exitcode == _INTERRUPTED for worker in workers)


_INTERRUPTED = 130


def _work(search: Search) -> None:
    """One process: trials until there are none left."""
    take_cores(search.config)
    try:
        interrupted = _one_by_one(search, silent, lambda _number: None)
    except KeyboardInterrupt:
        interrupted = True
    except BurnishError:
        interrupted = False  # the first trainings have failed, which the process that began all this sees as well
    raise SystemExit(_INTERRUPTED if interrupted else 0)


def _over(search: Search) -> list[Trial]:
    study = open_study(search.folder, search.config, search.target, search.mark)
    return [trial for trial in trials_of(study) if trial.state != "unfinished"]


def _ask_to_end(workers: list[Any]) -> None:
    """A terminal sends its interrupt to all; a signal to this process alone has to be passed on. A second one changes nothing."""
    for worker in workers:
        if worker.is_alive():
            os.kill(worker.pid, signal.SIGTERM)
