"""The study of Optuna behind a search on this machine: its journal lies in the folder, and any number of processes work on it."""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.engine.locks import locked
from burnish.errors import ConfigError, ModelError, extra
from burnish.train.target import Score
from burnish.train.tuning.attempt import PRUNED, State, Trial, natural
from burnish.train.tuning.settings import ChoicesConfig
from burnish.train.tuning.space import grid, labels

with extra("tune"):
    import optuna
    from optuna.storages.journal import JournalFileBackend

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from burnish.train.target import Target
    from burnish.train.tuning.settings import RangeConfig, TuneConfig

JOURNAL: Final = "study.log"
_HOPELESS = 3
_CONSTRAINTS = "constraints of the target"
_MOST = 1e12
_STATES: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def open_study(folder: Path, config: TuneConfig, target: Target, mark: str) -> optuna.Study:
    """The study in a folder, made where there is none.

    Raises:
        ConfigError: The folder holds another search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    backend = JournalFileBackend(str(folder / JOURNAL))
    study = optuna.create_study(
        storage=optuna.storages.JournalStorage(backend),
        study_name="burnish",
        direction="maximize" if target.objectives[0].mode == "max" else "minimize",
        pruner=_pruner(config),
        load_if_exists=True,
    )
    known = study.user_attrs.get("mark")
    if known is None:
        study.set_user_attr("mark", mark)
    elif known != mark:
        told = f"{folder} holds a search over another space, training or dataset"
        raise ConfigError(f"{told}. Name another folder with --out, or add --force to begin anew in this one.")
    return study


@contextmanager
def next_trial(study: optuna.Study, config: TuneConfig, folder: Path) -> Generator[optuna.Trial | None]:
    """The next trial, claimed for as long as the block runs: first one that was interrupted, then a new one; None where all are done.

    Raises:
        ModelError: All trainings so far have failed, and there were some.
    """
    with ExitStack() as held:
        with locked(folder / "ask.lock"):
            found = list(study.get_trials(deepcopy=False))
            refuse_hopeless(found)
            trial = _left(study, found, folder, held)
            if trial is None and len(found) < _most(config):
                trial = _asked(study, config, len(found))
                held.enter_context(_claim(folder, trial.number))
        yield trial


def reported(study: optuna.Study, trial: optuna.Trial, target: Target) -> Any:
    """What a training tells of each evaluation, to be pruned by; one that breaks a constraint is not judged."""
    known = study.get_trials(deepcopy=False)[trial.number].intermediate_values

    def report(evaluation: int, score: Score, _metrics: Mapping[str, float]) -> str:
        if not score.feasible or not math.isfinite(score.values[0]) or evaluation in known:  # known: it continues from before that
            return ""
        trial.report(natural(target, score), evaluation)
        return f"{PRUNED} {evaluation}: others were better by then" if trial.should_prune() else ""

    return report


def tell(study: optuna.Study, trial: optuna.Trial, done: Trial, target: Target) -> None:
    """Write down what became of a trial; an unfinished one stays open."""
    for key, value in {"reason": done.reason, "metrics": dict(done.metrics), "seconds": done.seconds, "folder": done.folder}.items():
        trial.set_user_attr(key, value)
    if done.score is not None:
        score = done.score
        trial.set_user_attr("score", {"feasible": score.feasible, "violation": score.violation, "values": list(score.values)})
        if target.constraints and done.state in {"complete", "pruned"} and _CONSTRAINTS not in trial.constraints:
            trial.set_constraint(_CONSTRAINTS, min(-score.violation, _MOST))
    match done.state:
        case "complete":
            assert done.score is not None
            study.tell(trial, natural(target, done.score))
        case "pruned":
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        case "failed":
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        case "unfinished":
            pass


def trials_of(study: optuna.Study) -> tuple[Trial, ...]:
    """All trials in the order in which they began."""
    return tuple(_trial(one) for one in study.get_trials(deepcopy=False))


def importance(study: optuna.Study) -> dict[str, float]:
    """How much each setting decides about being among the best tenth: PED-ANOVA (Watanabe et al. 2023, arXiv 2304.10255).

    Empty where fewer than eight trainings are complete, or all came to the same.
    """
    done = [one for one in study.get_trials(deepcopy=False) if one.state == optuna.trial.TrialState.COMPLETE]
    if len(done) < 8 or len({one.value for one in done}) == 1:  # noqa: PLR2004 - as it says
        return {}
    return optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())


def refuse_hopeless(found: Sequence[Any]) -> None:
    """Stop a search of which nothing comes.

    Raises:
        ModelError: The first trainings have all failed.
    """
    over = [one for one in found if one.state.is_finished()]
    if len(over) >= _HOPELESS and all(one.state == optuna.trial.TrialState.FAIL for one in over):
        told = "; ".join(dict.fromkeys(str(one.user_attrs.get("reason", "")) for one in over[:_HOPELESS]))
        raise ModelError(
            f"The first {len(over)} trainings of the search have all failed: {told} Mend the settings, and add --force to begin anew."
        )


def distributions(space: Mapping[str, RangeConfig | ChoicesConfig]) -> dict[str, Any]:
    """The space in Optuna's terms."""
    return {key: _distribution(values) for key, values in space.items()}


def sampler(config: TuneConfig, number: int) -> Any:
    """A sampler whose chance is that of one trial, so that a search that was interrupted goes on as it would have."""
    seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    if config.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, constant_liar=config.parallel > 1)
    return optuna.samplers.RandomSampler(seed=seed)


def _left(study: optuna.Study, found: Sequence[Any], folder: Path, held: ExitStack) -> optuna.Trial | None:
    """A trial that runs according to the journal, and whose process is gone."""
    for one in found:
        if one.state == optuna.trial.TrialState.RUNNING and held.enter_context(_claim(folder, one.number, wait_s=0)):
            return optuna.Trial(study, one._trial_id)  # noqa: SLF001 - the only handle of it that there is
    return None


def _claim(folder: Path, number: int, wait_s: float = math.inf) -> AbstractContextManager[bool]:
    return locked(folder / "trials" / f"{number:04d}.lock", wait_s=wait_s)


def _asked(study: optuna.Study, config: TuneConfig, number: int) -> optuna.Trial:
    study.sampler = sampler(config, number)
    if config.sampler == "grid":
        study.enqueue_trial(grid(config)[number])
    return study.ask(distributions(config.space))


def _most(config: TuneConfig) -> int:
    return min(config.trials, len(grid(config))) if config.sampler == "grid" else config.trials


def _pruner(config: TuneConfig) -> Any:
    match config.pruner:
        case "median":
            return optuna.pruners.MedianPruner(n_startup_trials=config.startup)
        case "halving":
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
        case "none":
            return optuna.pruners.NopPruner()


def _distribution(values: RangeConfig | ChoicesConfig) -> Any:
    if isinstance(values, ChoicesConfig):
        return optuna.distributions.CategoricalDistribution(labels(values))
    if values.is_whole:
        return optuna.distributions.IntDistribution(int(values.low), int(values.high), values.log, int(values.step or 1))
    return optuna.distributions.FloatDistribution(float(values.low), float(values.high), values.log, values.step)


def _trial(one: Any) -> Trial:
    told: dict[str, Any] = one.user_attrs
    kept: dict[str, Any] | None = told.get("score")
    score = None if kept is None else Score(kept["feasible"], kept["violation"], tuple(kept["values"]))
    return Trial(
        one.number,
        _STATES.get(one.state.name, "unfinished"),
        one.params,
        told.get("reason", ""),
        score,
        told.get("metrics", {}),
        told.get("seconds", 0.0),
        told.get("folder", f"{one.number:04d}"),
        tuple(one.intermediate_values[step] for step in sorted(one.intermediate_values)),
    )
