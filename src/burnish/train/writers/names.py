"""The writers by name. Strings only: listing and describing load none of their libraries."""

from __future__ import annotations

from typing import Final

from burnish.descriptions import Alias, Entry, Kind

_AT: Final = "burnish.train.writers."


def _entry(module: str, name: str, summary: str, *, config: str = "") -> Entry:
    return Entry(f"{_AT}settings:{config or name}Config", f"{_AT}{module}:{name}Writer", summary)


WRITERS: Final = Kind(
    "writer",
    {
        "null": _entry("null", "Null", "Nothing is written."),
        "console": _entry("console", "Console", "Lines on standard error."),
        "jsonl": _entry("files", "Files", "JSON lines, with pictures, tables and texts beside them."),
        "csv": _entry("files", "Files", "CSV, with pictures, tables and texts beside it."),
        "tensorboard": _entry("tensorboard", "TensorBoard", "TensorBoard's event files."),
        "mlflow": _entry("mlflow", "Mlflow", "MLflow."),
        "wandb": _entry("wandb", "Wandb", "Weights & Biases."),
        "clearml": _entry("clearml", "Clearml", "ClearML."),
        "aim": _entry("aim", "Aim", "Aim."),
        "trackio": _entry("trackio", "Trackio", "Trackio."),
        "ray_tune": _entry("ray_tune", "RayTune", "Reports to Ray Tune."),
        "optuna": _entry("optuna", "Optuna", "Reports to an Optuna trial, which may end the training."),
    },
    {"tb": Alias("tensorboard"), "ray": Alias("ray_tune"), "none": Alias("null")},
)
