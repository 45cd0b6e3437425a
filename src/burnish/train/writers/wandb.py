"""Weights & Biases. Offline unless asked, so that nothing leaves the machine by itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from burnish.train.writers.flat import figure_pixels, file_name
from burnish.train.writers.foreign import library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import WandbConfig
    from burnish.train.writers.writer import Picture, Rows


class WandbWriter:
    """One run of a project."""

    def __init__(self, config: WandbConfig) -> None:
        self._wandb = library("wandb", "pip install wandb")
        folder = None if config.folder is None else str(config.folder)
        self._run: Any = self._wandb.init(project=config.project, name=config.run, mode=config.mode, dir=folder, reinit="create_new")

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers."""
        self._run.log(dict(values), step=step)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Write pictures."""
        self._run.log({name: [self._wandb.Image(picture) for picture in pictures]}, step=step)

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Write a figure."""
        self._run.log({name: self._wandb.Image(figure_pixels(figure))}, step=step)

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Write a table."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        data = [[row.get(column) for column in columns] for row in rows]
        self._run.log({name: self._wandb.Table(columns=columns, data=data)}, step=step)

    def text(self, name: str, text: str, step: int) -> None:
        """Write words."""
        self._run.log({name: self._wandb.Html(f"<pre>{escape(text)}</pre>", inject=False)}, step=step)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Write settings, and what they led to."""
        self._run.config.update(dict(values), allow_val_change=True)
        self._run.summary.update({f"results/{name}": value for name, value in (metrics or {}).items()})

    def artifact(self, path: Path, name: str = "") -> None:
        """Write a file; names of artifacts have no spaces."""
        artifact = self._wandb.Artifact(file_name(name or path.name), type="file")
        artifact.add_file(str(path))
        self._run.log_artifact(artifact)

    def close(self) -> None:
        """End the run."""
        self._run.finish()
