"""Aim: a repository in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.train.writers.flat import figure_pixels, markdown_text
from burnish.train.writers.foreign import library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import AimConfig
    from burnish.train.writers.writer import Picture, Rows


class AimWriter:
    """One run of an experiment."""

    def __init__(self, config: AimConfig) -> None:
        self._aim = library("aim", "pip install aim")
        self._run: Any = self._aim.Run(
            repo=None if config.folder is None else str(config.folder),
            experiment=config.experiment,
            system_tracking_interval=None,  # a run holds what the training tells, and no other output of its process
            capture_terminal_logs=False,
        )
        self._settings: dict[str, Any] = {}

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers."""
        for name, value in values.items():
            self._run.track(value, name=name, step=step)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Write pictures."""
        if pictures:
            self._run.track([self._aim.Image(picture) for picture in pictures], name=name, step=step)

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Write a figure."""
        self._run.track(self._aim.Image(figure_pixels(figure)), name=name, step=step)

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Write a table."""
        self._run.track(self._aim.Text(markdown_text(rows)), name=name, step=step)

    def text(self, name: str, text: str, step: int) -> None:
        """Write words."""
        self._run.track(self._aim.Text(text), name=name, step=step)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Write settings, and what they led to."""
        self._settings |= values
        self._run["hparams"] = self._settings
        self._run["results"] = dict(metrics or {})

    def artifact(self, path: Path, name: str = "") -> None:
        """Note where a file is."""
        self._run[f"artifact.{name or path.name}"] = str(path)

    def close(self) -> None:
        """End the run."""
        self._run.close()
