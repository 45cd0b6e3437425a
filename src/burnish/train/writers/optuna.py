"""Optuna, within one of its trials: one report an evaluation, after which the trial may be pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.train.writers.flat import flattened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import OptunaConfig
    from burnish.train.writers.writer import Picture, Rows


class OptunaWriter:
    """Reports a metric to a trial.

    Attributes:
        stop: Why the training should end; empty while it should not. The loop asks after each evaluation.
    """

    def __init__(self, config: OptunaConfig, trial: Any) -> None:
        self._metric = config.metric
        self._trial = trial
        self.stop = ""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Report the metric, and ask whether the trial is to go on."""
        if self._metric in values:
            self._trial.report(values[self._metric], step)
            if self._trial.should_prune():
                self.stop = f"the search has pruned the trial at step {step}"

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Nothing: a search takes numbers."""

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Nothing: a search takes numbers."""

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Nothing: a search takes numbers."""

    def text(self, name: str, text: str, step: int) -> None:
        """Keep words with the trial."""
        self._trial.set_user_attr(f"{name} {step}", text)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Keep settings and results with the trial."""
        for key, value in {**flattened(values), **(metrics or {})}.items():
            self._trial.set_user_attr(key, value)

    def artifact(self, path: Path, name: str = "") -> None:
        """Note where a file is."""
        self._trial.set_user_attr(name or path.name, str(path))

    def close(self) -> None:
        """Nothing is left."""
