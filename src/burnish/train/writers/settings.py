"""Descriptions of writers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from burnish.config import Config


class NullConfig(Config):
    """Nothing is written."""

    name: Literal["null"] = "null"
    """Which writer."""


class ConsoleConfig(Config):
    """Lines on standard error."""

    name: Literal["console"] = "console"
    """Which writer."""
    digits: Annotated[int, Field(ge=1, le=17)] = 4
    """Significant digits."""


class FilesConfig(Config):
    """Plain files: metrics as JSON lines or CSV, pictures, tables and texts beside them."""

    name: Literal["jsonl", "csv"] = "jsonl"
    """Which writer: `metrics.jsonl`, one line a step, or `metrics.csv`, one row a value."""
    folder: Path
    """Where they go."""


class TensorBoardConfig(Config):
    """TensorBoard's event files, by tensorboardX."""

    name: Literal["tensorboard"] = "tensorboard"
    """Which writer."""
    folder: Path
    """Where they go."""


class MlflowConfig(Config):
    """MLflow."""

    name: Literal["mlflow"] = "mlflow"
    """Which writer."""
    uri: str | None = None
    """Where it stores, for instance sqlite:///mlflow.db or http://host:5000; None takes MLflow's own settings."""
    experiment: str = "burnish"
    """The experiment that the run belongs to."""
    run: str | None = None
    """Name of the run."""
    artifacts: str | None = None
    """Where files of a new experiment go; None leaves it to MLflow."""
    user: str | None = None
    """Whose run it is, MLflow's tag mlflow.user; None leaves it out."""


class WandbConfig(Config):
    """Weights & Biases."""

    name: Literal["wandb"] = "wandb"
    """Which writer."""
    project: str = "burnish"
    """The project that the run belongs to."""
    run: str | None = None
    """Name of the run."""
    mode: Literal["online", "offline", "disabled"] = "offline"
    """Whether anything leaves this machine; `wandb sync` sends what was written offline."""
    folder: Path | None = None
    """Where its files go."""


class ClearmlConfig(Config):
    """ClearML."""

    name: Literal["clearml"] = "clearml"
    """Which writer."""
    project: str = "burnish"
    """The project that the task belongs to."""
    task: str = "training"
    """Name of the task."""
    offline: bool = True
    """Whether everything stays on this machine."""


class AimConfig(Config):
    """Aim."""

    name: Literal["aim"] = "aim"
    """Which writer."""
    folder: Path | None = None
    """Its repository."""
    experiment: str = "burnish"
    """The experiment that the run belongs to."""


class TrackioConfig(Config):
    """Trackio."""

    name: Literal["trackio"] = "trackio"
    """Which writer."""
    project: str = "burnish"
    """The project that the run belongs to."""
    run: str | None = None
    """Name of the run."""


class RayTuneConfig(Config):
    """Reports to Ray Tune, within one of its trials."""

    name: Literal["ray_tune"] = "ray_tune"
    """Which writer."""


class OptunaConfig(Config):
    """Reports to Optuna's trial, which may end the training."""

    name: Literal["optuna"] = "optuna"
    """Which writer."""
    metric: str
    """The metric that is reported."""
