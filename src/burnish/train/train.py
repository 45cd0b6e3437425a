"""Train a network on a dataset, into a run folder with weights, numbers and a report."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from burnish.engine.files import refuse_impossible_folder
from burnish.engine.progress import Progress, silent
from burnish.errors import extra
from burnish.train.distributed import gathered, is_first
from burnish.train.exchange import share_weights
from burnish.train.handlers.saving import BEST
from burnish.train.plan import TrainPlan
from burnish.train.policies.examples import gather
from burnish.train.policies.resolving import decided
from burnish.train.policies.settings import TrainConfig
from burnish.train.publishing import publish
from burnish.train.rehearsal import rehearse
from burnish.train.result import TrainResult
from burnish.train.run_folder import refuse_other_run, write_run
from burnish.train.setup import build_job, measure, set_up, training_mark
from burnish.train.several import portable, several
from burnish.train.target import FEW, LATEST
from burnish.train.telling import tell_results, tell_settings, users_writers
from burnish.train.training import train as run_job

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from burnish.data.dataset import Dataset


@overload
def train(
    dataset: Dataset,
    config: TrainConfig | None = None,
    *,
    progress: Progress = silent,
    work: Path | str | None = None,
    force: bool = False,
    handlers: Sequence[Any] = (),
) -> TrainResult: ...


@overload
def train(dataset: Dataset, config: TrainConfig | None = None, *, dry_run: Literal[True]) -> TrainPlan: ...


def train(
    dataset: Dataset,
    config: TrainConfig | None = None,
    *,
    progress: Progress = silent,
    work: Path | str | None = None,
    force: bool = False,
    handlers: Sequence[Any] = (),
    dry_run: bool = False,
) -> TrainResult | TrainPlan:
    """Train a network, and measure its best weights.

    Args:
        dataset: Pictures with labels.
        config: The settings.
        progress: Where to report.
        work: The run folder; the same call with the same folder continues a training that was stopped or killed. Without one, nothing
            stays but the result.
        force: Begin anew in a folder that holds another training.
        handlers: Handlers of your own beside those of the settings, as `burnish.train.handlers.order.build_handlers` takes them; of several
            devices, on the first.
        dry_run: Only look at dataset and settings, and say what would be done.

    Raises:
        DataError: There is nothing to learn, or no space for the decoded pictures.
        ConfigError: The settings do not fit one another or the dataset; evaluations do not give what the target asks for; the folder
            holds another training and `force` is not set.
        ModelError: The training failed.
    """
    chosen = config or TrainConfig()
    if dry_run:
        return TrainPlan(*decided(chosen, gather(dataset, chosen.task, chosen.data, seed=chosen.seed)))
    with tempfile.TemporaryDirectory(prefix="burnish-train-") as temporary:
        folder = Path(work or temporary)
        follow = partial(_train, portable(dataset), chosen, folder)
        with several(chosen.hardware.devices, chosen.hardware.device, follow):
            result = _train(dataset, chosen, folder, progress=progress, force=force, handlers=handlers)
        return result if work else replace(result, folder=None)


def _train(
    dataset: Dataset,
    config: TrainConfig,
    folder: Path,
    *,
    progress: Progress = silent,
    force: bool = False,
    handlers: Sequence[Any] = (),
) -> TrainResult:
    """What every rank does; the first one writes."""
    examples = gather(dataset, config.task, config.data, seed=config.seed, progress=progress)
    plan, policy = decided(config, examples)
    mark = training_mark(plan, policy.examples)
    if is_first():
        refuse_other_run(folder, plan, mark, force=force)
        if plan.evaluation.publish is not None:
            refuse_impossible_folder(Path(plan.evaluation.publish).parent)
    gathered(None)  # nobody reads the folder before the first rank has looked at it
    with users_writers(plan) as writers:  # before pictures are decoded, which may take long: one of them may not be installed
        setup = set_up(plan, policy, folder, progress)
        for note in (*setup.examples.notes, *_chance(plan, len(setup.examples.part("val")))):
            progress.say(note)
        if is_first():
            write_run(folder, plan, setup.policy, mark)
        tell_settings(writers, plan, folder)
        job, showing = build_job(setup, folder, mark, progress, handlers, writers=writers)
        rehearse(setup, job.model, folder)
        run = run_job(job)
        if plan.evaluation.publish is not None and is_first() and (published := publish(run, plan.evaluation.publish)):
            progress.say(f"The best weights are also in {published}.")
        _take_best(job.model, folder)
        measured = {part: measure(setup, job.model, part) for part in ("val", "test") if len(setup.examples.part(part))}
        tell_results(writers, run, plan, measured, folder)
    return TrainResult(plan, setup.policy, job.model, run, measured, folder, showing)


def _chance(plan: TrainConfig, pictures: int) -> tuple[str, ...]:
    """What a user should know who lets a handful of pictures choose."""
    if pictures >= FEW or plan.evaluation.target == LATEST:
        return ()
    found = f"Only {pictures} pictures validate" if pictures > 1 else "Only one picture validates"
    return (f"{found}, so that it is mostly chance which weights are the best; evaluation.target: '{LATEST}' keeps the last ones.",)


def _take_best(model: nn.Module, folder: Path) -> None:
    best = folder / BEST
    if is_first() and best.exists():
        content: dict[str, Tensor] = torch.load(best, map_location="cpu", weights_only=True)["model"]
        model.load_state_dict(content)
    share_weights(model)
    model.eval()
