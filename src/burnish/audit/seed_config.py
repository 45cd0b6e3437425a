"""The config file of the label-issues service, every key in force, turned into ours."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from burnish.config import Config, validated
from burnish.train.augs.settings import TransformConfig
from burnish.train.settings import TrainingConfig

_TOP_KEYS = frozenset({"do_visualize", "num_images_to_vis", "Model", "Training", "Dataset"})


class SeedModel(Config):
    """Which network."""

    class_name: str
    """Name of the classifier, for instance EfficientNetV2_s."""
    num_classes: Annotated[int, Field(ge=2)] | None = None
    """Number of classes."""


class SeedDataset(Config):
    """Where the pictures are, and how they are prepared."""

    num_folds: Annotated[int, Field(ge=2)] = 5
    """Number of folds."""
    dataset_path: str | None = None
    """The folder with images/ and labels.jsonl."""
    names: tuple[str, ...] = ()
    """Class names in order."""
    transform: TransformConfig = TransformConfig()
    """Transforms; one that is left out is off."""


class SeedConfig(Config):
    """The file as a whole."""

    do_visualize: bool = True
    """Whether the suspects are drawn."""
    num_images_to_vis: Annotated[int, Field(ge=0)] = 500
    """How many are drawn."""
    Model: SeedModel
    """Which network."""
    Training: TrainingConfig = TrainingConfig()
    """How it is trained."""
    Dataset: SeedDataset = SeedDataset()
    """Where the pictures are."""

    @model_validator(mode="after")
    def _number_of_names(self) -> Self:
        number, names = self.Model.num_classes, self.Dataset.names
        if number is not None and names and number != len(names):
            raise ValueError(f"Model.num_classes is {number}, but Dataset.names has {len(names)} names; make them agree")
        return self


def is_seed(values: dict[str, Any]) -> bool:
    """Whether a mapping is such a config file: at least one of its top keys is there."""
    return bool(_TOP_KEYS & values.keys())


def from_seed(values: dict[str, Any], text: str) -> dict[str, Any]:
    """Our settings with the same meaning.

    Raises:
        ConfigError: A key is unknown or a value does not fit; the message names it as the file spells it, with its line.
    """
    seed = validated(SeedConfig, values, text=text)
    return {
        "model": seed.Model.class_name,
        "folds": seed.Dataset.num_folds,
        "dataset": seed.Dataset.dataset_path,
        "names": list(seed.Dataset.names),
        "draw": seed.num_images_to_vis if seed.do_visualize else 0,
        "pages": ".",
        "train": seed.Training.model_dump(mode="json"),
        "transform": seed.Dataset.transform.model_dump(mode="json", exclude_none=True),
    }
