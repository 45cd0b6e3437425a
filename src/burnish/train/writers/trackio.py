"""Trackio: a database on this machine, with a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.train.writers.flat import figure_pixels, file_name, flattened
from burnish.train.writers.foreign import library, said_elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import TrackioConfig
    from burnish.train.writers.writer import Picture, Rows


class TrackioWriter:
    """One run of a project."""

    def __init__(self, config: TrackioConfig) -> None:
        with said_elsewhere():
            self._trackio = library("trackio", "pip install trackio")
            self._run: Any = self._trackio.init(
                project=config.project, name=config.run, embed=False, auto_log_cpu=False, auto_log_gpu=False
            )

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers."""
        self._run.log(dict(values), step=step)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Write pictures."""
        for number, picture in enumerate(pictures):
            self._run.log({f"{name}/{number}": self._trackio.Image(picture)}, step=step)

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Write a figure."""
        self._run.log({name: self._trackio.Image(figure_pixels(figure))}, step=step)

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Write a table."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        data = [[row.get(column) for column in columns] for row in rows]
        self._run.log({name: self._trackio.Table(columns=columns, data=data)}, step=step)

    def text(self, name: str, text: str, step: int) -> None:
        """Write words."""
        self._run.log({name: self._trackio.Markdown(text)}, step=step)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Write settings, which Trackio keeps with the first row of a run, and what they led to, as numbers."""
        self._run.config.update(flattened(values))
        if metrics:
            self._run.log({f"results/{name}": value for name, value in metrics.items()})

    def artifact(self, path: Path, name: str = "") -> None:
        """Write a file; names of artifacts have no spaces."""
        self._run.log_artifact(path, name=file_name(name or path.name), type="file")

    def close(self) -> None:
        """End the run, and where it is Trackio's current one, so that nothing ends it again when the process does."""
        current = self._trackio.context_vars.current_run.get() is self._run
        with said_elsewhere():
            (self._trackio if current else self._run).finish()
