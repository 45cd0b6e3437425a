"""Ray Tune, within one of its trials: one report an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.train.writers.foreign import library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import RayTuneConfig
    from burnish.train.writers.writer import Picture, Rows


class RayTuneWriter:
    """Gathers the numbers of a step and reports them together, with all that was told before."""

    def __init__(self, _config: RayTuneConfig) -> None:
        self._tune = library("ray.tune", "pip install 'ray[tune]'")
        self._latest: dict[str, Any] = {}

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Report numbers; the training's own wait for the next evaluation, since each report is a step of the search."""
        self._latest |= {**values, "step": step}
        if not all(name.startswith(("train/", "time/", "memory/", "skipped/")) for name in values):
            self._tune.report(dict(self._latest))

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Nothing: a search takes numbers."""

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Nothing: a search takes numbers."""

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Nothing: a search takes numbers."""

    def text(self, name: str, text: str, step: int) -> None:
        """Nothing: a search takes numbers."""

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Nothing: the search knows them."""

    def artifact(self, path: Path, name: str = "") -> None:
        """Nothing: checkpoints are the search's own."""

    def close(self) -> None:
        """Nothing is left."""
