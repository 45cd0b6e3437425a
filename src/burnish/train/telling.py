"""What a training tells the writers of its user beside its course: settings and surroundings first, results and weights at the end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from burnish.train.distributed import is_first
from burnish.train.handlers.saving import BEST
from burnish.train.run_folder import CONFIG, ENVIRONMENT, RUN
from burnish.train.writers.making import build_writers

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path
    from typing import Any

    from burnish.train.policies.settings import TrainConfig
    from burnish.train.run import Run
    from burnish.train.writers.multi import MultiWriter


@contextmanager
def users_writers(plan: TrainConfig) -> Generator[MultiWriter]:
    """The writers that the settings ask for, closed however the training ends; of several ranks only the first one makes them.

    Raises:
        ConfigError: A writer cannot be made.
        MissingExtra: The library of a writer is not installed.
    """
    writers = build_writers(plan.evaluation.writers if is_first() else ())
    try:
        yield writers
    finally:
        writers.close()


def tell_settings(writers: MultiWriter, plan: TrainConfig, folder: Path) -> None:
    """Tell every choice made, and the files that with the weights make a run folder: whoever takes all of them can predict."""
    writers.hyper_parameters(_settings(plan))
    for name in (CONFIG, RUN, ENVIRONMENT):
        writers.artifact(folder / name)


def tell_results(writers: MultiWriter, run: Run, plan: TrainConfig, measured: Mapping[str, Mapping[str, float]], folder: Path) -> None:
    """Tell what the best weights reach, as PART/METRIC, and hand these over; not of a training that is yet to be continued."""
    if run.interrupted:
        return
    results = {f"{part}/{name}": value for part, metrics in measured.items() for name, value in metrics.items()}
    writers.hyper_parameters(_settings(plan), results)
    if (folder / BEST).exists():
        writers.artifact(folder / BEST)


def _settings(plan: TrainConfig) -> dict[str, Any]:
    """Without the writers themselves, whose addresses may hold passwords."""
    return plan.model_dump(mode="json", exclude={"evaluation": {"writers"}})
