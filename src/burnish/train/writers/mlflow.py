"""MLflow: a store in a file, a folder or on a server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PIL import Image

from burnish.train.writers.flat import csv_text, figure_pixels, file_name, flattened
from burnish.train.writers.foreign import library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import MlflowConfig
    from burnish.train.writers.writer import Picture, Rows

_MOST_PARAMETERS = 100
"""What MLflow takes in one request."""


class MlflowWriter:
    """One run of an experiment."""

    def __init__(self, config: MlflowConfig) -> None:
        mlflow = library("mlflow", "pip install mlflow")
        self._mlflow = mlflow
        self._client: Any = mlflow.MlflowClient(tracking_uri=config.uri)
        found = self._client.get_experiment_by_name(config.experiment)
        experiment = found.experiment_id if found else self._client.create_experiment(config.experiment, artifact_location=config.artifacts)
        tags = {} if config.user is None else {"mlflow.user": config.user}
        self._run: str = self._client.create_run(experiment, run_name=config.run, tags=tags).info.run_id

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers."""
        now = int(1000 * time.time())
        metrics = [self._mlflow.entities.Metric(_name(name), float(value), now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Write pictures."""
        for number, picture in enumerate(pictures):
            self._client.log_image(self._run, Image.fromarray(picture), artifact_file=f"images/{file_name(name)}_{step:08d}_{number}.png")

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Write a figure."""
        self._client.log_image(self._run, Image.fromarray(figure_pixels(figure)), artifact_file=f"figures/{file_name(name)}_{step:08d}.png")

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Write a table."""
        self._client.log_text(self._run, csv_text(rows), f"tables/{file_name(name)}_{step:08d}.csv")

    def text(self, name: str, text: str, step: int) -> None:
        """Write words."""
        self._client.log_text(self._run, text, f"texts/{file_name(name)}_{step:08d}.txt")

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Write settings, and what they led to."""
        parameters = [self._mlflow.entities.Param(_name(key), str(value)) for key, value in flattened(values).items()]
        for first in range(0, len(parameters), _MOST_PARAMETERS):
            self._client.log_batch(self._run, params=parameters[first : first + _MOST_PARAMETERS])
        if metrics:
            # Under names of their own: MLflow shows the value of the last step, and results are those of the best one.
            self.scalars({f"results/{name}": value for name, value in metrics.items()}, 0)

    def artifact(self, path: Path, name: str = "") -> None:
        """Keep a file; MLflow takes the name of a folder for it."""
        self._client.log_artifact(self._run, str(path), name or None)

    def close(self) -> None:
        """End the run."""
        self._client.set_terminated(self._run)


def _name(name: str) -> str:
    """MLflow takes letters, digits and _ - . / and spaces."""
    return "".join(letter if letter.isalnum() or letter in "_-./ " else "_" for letter in name)
