"""A search by Ray Tune: Optuna chooses, ASHA or the median rule prunes, and trainings run on one machine or many.

Paths of pictures and of the search's folder must mean the same on all of them.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from burnish.engine.files import explained_os_errors
from burnish.engine.map import available_cores
from burnish.errors import ConfigError, ModelError
from burnish.models.device import choose_device
from burnish.train.several import portable
from burnish.train.target import Score
from burnish.train.tuning.attempt import State, Trial, attempt, cores, prepared, take_cores
from burnish.train.tuning.space import settings_of
from burnish.train.tuning.study import distributions, sampler
from burnish.train.writers.foreign import library, said_elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.engine.progress import Progress
    from burnish.train.tuning.local import Search
    from burnish.train.tuning.settings import TuneConfig

SCORE: Final = "burnish_score"
"""What Ray's searchers and schedulers make large; a broken constraint puts it far below every score."""
_BROKEN = -1e9


def search_on_ray(search: Search, progress: Progress) -> tuple[Trial, ...]:
    """Run the trials, or what is left of them in the folder.

    Raises:
        ConfigError: The sampler is one that Ray's search does not have.
        MissingExtra: Ray is not installed.
        ModelError: All trainings have failed.
    """
    config = search.config
    if config.sampler == "grid":
        raise ConfigError("The engine ray has no sampler grid. Take tpe or random, or engine: local.")
    ray, tune = library("ray", "pip install 'ray[tune]'"), library("ray.tune", "pip install 'ray[tune]'")
    started = not ray.is_initialized()
    if started:
        ray.init(address=config.address, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        told = f"{config.trials} trials on Ray, {config.parallel} at a time; their files are in {search.folder / 'ray'}"
        progress.say(f"{told}.")
        with said_elsewhere():
            results = sorted(_tuner(search, tune).fit(), key=_began)
    finally:
        if started:
            ray.shutdown()
    trials = tuple(_trial(number, result) for number, result in enumerate(results))
    if trials and all(trial.state == "failed" for trial in trials):
        raise ModelError(f"All {len(trials)} trainings of the search have failed: {trials[0].reason}")
    return trials


def _tuner(search: Search, tune: Any) -> Any:
    config, place = search.config, (search.folder / "ray").resolve()
    parts = {"dataset": portable(search.dataset), "config": config, "folder": search.folder.resolve()}
    resources: dict[str, float] = {"cpu": min(cores(config), available_cores())}
    if choose_device(config.training.hardware.device).type == "cuda":
        resources["gpu"] = 1 / config.parallel
    trainable = tune.with_resources(tune.with_parameters(_one, **parts), resources)
    known = place / "search"
    with explained_os_errors(place):
        _check_mark(place, search.mark)
    if tune.Tuner.can_restore(str(known)):
        return tune.Tuner.restore(str(known), trainable, resume_unfinished=True)
    finder = import_module("ray.tune.search.optuna").OptunaSearch(
        distributions(config.space), metric=SCORE, mode="max", sampler=sampler(config, 0)
    )
    choice = tune.TuneConfig(
        metric=SCORE,
        mode="max",
        search_alg=finder,
        scheduler=_scheduler(config),
        num_samples=config.trials,
        max_concurrent_trials=config.parallel,
        time_budget_s=None if config.minutes is None else 60 * config.minutes,
        trial_dirname_creator=_name,
    )
    return tune.Tuner(trainable, tune_config=choice, run_config=tune.RunConfig(name="search", storage_path=str(place), verbose=0))


def _check_mark(place: Path, mark: str) -> None:
    """Raises ConfigError where the folder holds another search."""
    place.mkdir(parents=True, exist_ok=True)
    written = place / "mark"
    if not written.exists():
        written.write_text(mark, encoding="utf-8")
    elif written.read_text(encoding="utf-8") != mark:
        told = f"{place.parent} holds a search over another space, training or dataset"
        raise ConfigError(f"{told}. Name another folder with --out, or add --force to begin anew in this one.")


def _one(chosen: dict[str, Any], *, dataset: Any, config: TuneConfig, folder: Path) -> None:
    """One training, in a process of Ray; the last report says what became of it."""
    tune: Any = import_module("ray.tune")
    take_cores(config)
    name = str(tune.get_context().get_trial_id())
    course: list[float] = []

    def report(evaluation: int, score: Score, metrics: Mapping[str, float]) -> str:
        course.append(score.values[0])
        tune.report({SCORE: _worth(score), "evaluation": evaluation, **_kept(score), "metrics": dict(metrics), "course": list(course)})
        return ""

    settings = settings_of(prepared(config, folder), chosen, config.space)
    done = attempt(dataset, settings, 0, chosen, folder=folder / "trials" / name, report=report)
    if done.state == "failed":
        raise RuntimeError(done.reason)
    assert done.score is not None
    last = {"metrics": dict(done.metrics), "seconds": done.seconds, "finished": True, "reason": done.reason, "course": course}
    tune.report({SCORE: _worth(done.score), "evaluation": len(course) + 1, **_kept(done.score), **last})


def _worth(score: Score) -> float:
    worst = score.values[0] if math.isfinite(score.values[0]) else _BROKEN
    return worst if score.feasible else _BROKEN * (1 - max(score.violation, _BROKEN))


def _kept(score: Score) -> dict[str, Any]:
    return {"feasible": score.feasible, "violation": score.violation, "values": list(score.values)}


def _scheduler(config: TuneConfig) -> Any:
    schedulers: Any = import_module("ray.tune.schedulers")
    most = config.training.epochs * config.training.evaluation.per_epoch + 1
    match config.pruner:
        case "halving":
            return schedulers.ASHAScheduler(time_attr="evaluation", max_t=most + 1, grace_period=1, reduction_factor=3)
        case "median":
            return schedulers.MedianStoppingRule(time_attr="evaluation", grace_period=1, min_samples_required=config.startup)
        case "none":
            return schedulers.FIFOScheduler()


def _name(trial: Any) -> str:
    return str(trial.trial_id)


def _began(result: Any) -> float:
    """When a training began; what Ray finds again in a folder is in no order. One without any report comes last."""
    told: dict[str, Any] = result.metrics or {}
    return told["timestamp"] - told["time_total_s"] if "timestamp" in told else math.inf


def _trial(number: int, result: Any) -> Trial:
    told: dict[str, Any] = result.metrics or {}
    chosen: dict[str, Any] = dict(result.config or {})
    name = str(told.get("trial_id", ""))
    if result.error is not None:
        return Trial(number, "failed", chosen, _reason(result.error), folder=name)
    score = Score(told["feasible"], told["violation"], tuple(told["values"])) if "values" in told else None
    state: State = "complete" if told.get("finished") else "pruned" if score is not None else "unfinished"
    reason = (
        told.get("reason", "")
        if state == "complete"
        else f"ended by Ray at evaluation {told.get('evaluation')}: others were better, or the time was over"
    )
    seconds = float(told.get("seconds", told.get("time_total_s", 0.0)))
    return Trial(number, state, chosen, reason, score, told.get("metrics", {}), seconds, name, tuple(told.get("course", ())))


def _reason(error: BaseException) -> str:
    """The last line of what Ray tells, without the stack of the process that it came from."""
    cause = getattr(error, "cause", None) or error
    lines = [line for line in str(cause).strip().splitlines() if line.strip()]
    return lines[-1].removeprefix("RuntimeError: ") if lines else type(error).__name__
