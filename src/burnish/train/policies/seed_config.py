"""The config file of the binary segmentation service, every key in force, turned into settings of `burnish train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, Field

from burnish.config import Config, validated
from burnish.train.samples import IGNORED

_TOP_KEYS: Final = frozenset({"train_dataset", "validataion_dataset", "evaluation_dataset", "criterion", "scoring_per_epoch"})
_METRICS: Final = {"iou": "iou_image", "dice": "dice_image", "recall": "recall_image", "specificity": "specificity_image"}
_SOFT_METRICS: Final = {"iou": "soft_iou_image", "dice": "soft_dice_image"}
_LEAST: Final = frozenset({"loss"})

MetricKind = Literal["soft", "binary"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Named(Config):
    """A network or loss by its name."""

    name: str
    """Which one."""
    args: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Its settings."""


class SeedConfig(Config):
    """The file as a whole."""

    seed: int = 42
    """Of all chance."""
    experiment_name: str = "burnish"
    """Experiment of MLflow."""
    track_experiment: bool = False
    """Whether MLflow is told."""
    image_size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (704, 512)
    """Height and width."""
    train_dataset: str
    """Folder below the datasets' folder."""
    validation_dataset: Annotated[str, Field(validation_alias=AliasChoices("validataion_dataset", "validation_dataset"))]
    """Likewise; the file spells it validataion_dataset."""
    evaluation_dataset: str | None = None
    """Likewise; it has no say in the training."""
    validation_metrics: MetricKind = "soft"
    """Whether masks are shares or black and white."""
    evaluation_metrics: MetricKind = "binary"
    """Likewise, of the evaluation."""
    model: Named
    """The network."""
    epochs: Annotated[int, Field(ge=1)] = 30
    """Passes over the training set."""
    learning_rate: Positive = 1e-4
    """Of Adam."""
    batch_size: Annotated[int, Field(ge=1)] = 2
    """Pictures in one step."""
    criterion: Named
    """The loss."""
    scoring_per_epoch: Annotated[int, Field(ge=1)] = 1
    """Evaluations in each epoch."""
    save_by_metric: str = "IoU"
    """The metric of the validation set that chooses the weights."""
    visualization_samples: Annotated[int, Field(ge=0)] = 30
    """Pictures whose predictions are drawn."""
    device: str | None = None
    """Where to train; the best there is when not given."""


def is_seed(values: dict[str, Any]) -> bool:
    """Whether a mapping is such a config file: at least two of its own keys are there."""
    return len(_TOP_KEYS & values.keys()) > 1


def from_seed(values: dict[str, Any], text: str) -> dict[str, Any]:
    """Settings of `burnish train` with the same meaning.

    Datasets are looked for below DATASETS_DIR (datasets/ where it is not set). Adam decays all weights by 0.01, the rate is constant, and
    nothing is changed at random while training, because the sets hold augmented copies. Metrics are means over pictures. Where MODELS_DIR
    is set, the best weights are also put to MODELS_DIR/MODEL/TRAIN_DATASET_TIME.pth; USERNAME is whose run it is in MLflow.

    Raises:
        ConfigError: A key is unknown or a value does not fit; the message names it as the file spells it, with its line.
    """
    seed = validated(SeedConfig, values, text=text)
    environment = {**_dotenv(Path(".env")), **os.environ}
    folder = Path(environment.get("DATASETS_DIR") or "datasets")
    return {
        "task": "segmentation",
        "seed": seed.seed,
        "size": seed.image_size,
        "dataset": str(folder / seed.train_dataset),
        "network": seed.model.model_dump(),
        "loss": seed.criterion.model_dump(),
        "epochs": seed.epochs,
        "batch_size": seed.batch_size,
        "optimizer": {"name": "adam", "lr": seed.learning_rate, "weight_decay": 0.01, "parameters": {"no_decay": []}},
        "schedule": {"name": "constant"},
        "augs": {"strength": "none"},
        "handlers": [{"name": "interrupts", "ask": True}],
        "evaluation": {**_evaluation(seed), "writers": _writers(seed, environment), "publish": _published(seed, environment)},
        "data": {
            "format": "masks",
            "mode": "binary",
            "soft": True if seed.validation_metrics == "soft" else None,
            "validation_dataset": str(_found(folder / seed.validation_dataset)),
            "test_dataset": str(folder / seed.evaluation_dataset) if seed.evaluation_dataset else None,
        },
        "hardware": {"device": None if seed.device in {None, "auto"} else seed.device},
    }


def _evaluation(seed: SeedConfig) -> dict[str, Any]:
    """Metrics of both kinds, and the target among those of the validation set."""
    name = seed.save_by_metric.lower().removeprefix("soft ")
    soft = seed.validation_metrics == "soft" or seed.save_by_metric.lower().startswith("soft ")
    known = {**_METRICS, **(_SOFT_METRICS if soft else {})}
    target = f"min {name}" if name in _LEAST else f"max {known.get(name, name)}"
    decided = {"mode": "binary", "ignore_index": IGNORED}
    counted = [{"name": metric, "per": "image", **decided} for metric in ("iou", "dice", "recall", "specificity")]
    return {
        "per_epoch": seed.scoring_per_epoch,
        "target": target,
        "pictures": seed.visualization_samples,
        "metrics": [*counted, {"name": "iou_dataset", **decided}, {"name": "soft_overlap", "per": "image"}],
    }


def _writers(seed: SeedConfig, environment: dict[str, str]) -> list[dict[str, Any]]:
    if not seed.track_experiment:
        return []
    uri = environment.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    user = {"user": environment["USERNAME"]} if environment.get("USERNAME") else {}
    return [{"name": "mlflow", "experiment": seed.experiment_name, "uri": uri, "run": f"{seed.model.name}_{seed.train_dataset}"} | user]


def _published(seed: SeedConfig, environment: dict[str, str]) -> str | None:
    folder = environment.get("MODELS_DIR")
    return str(Path(folder) / seed.model.name / f"{seed.train_dataset}_{{time}}.pth") if folder else None


def _found(folder: Path) -> Path:
    """The set of a name; its older name NAME_VAL is taken for NAME_BASELINE_VAL and the other way round."""
    stem = folder.name.removesuffix("_VAL").removesuffix("_BASELINE")
    known = (folder, folder.with_name(f"{stem}_BASELINE_VAL"), folder.with_name(f"{stem}_VAL"))
    return next((one for one in known if one.exists()), folder)


def _dotenv(path: Path) -> dict[str, str]:
    """The variables of a .env file, KEY=value in each line; what the environment itself says wins."""
    if not path.is_file():
        return {}
    pairs = (line.strip().removeprefix("export ").partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {key.strip(): value.strip().strip("'\"") for key, equals, value in pairs if equals and not key.startswith("#")}
