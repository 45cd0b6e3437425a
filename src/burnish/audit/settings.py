"""Settings of the verbs in this room; nothing heavy is loaded here, so that help is quick."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from burnish.audit.seed_config import from_seed, is_seed
from burnish.config import Config
from burnish.train.augs.settings import TransformConfig
from burnish.train.settings import TrainingConfig

Method = Literal[
    "burnish",
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
]


class AuditConfig(Config):
    """Find the wrong labels of a picture dataset: predict each picture by a model that never saw it, and compare.

    Works on labels of whole pictures, and on the boxes of a detection dataset, each judged by its cut-out.
    """

    model: str = "auto"
    """auto, patches (learned from the pictures, needs no torch), small (a small network from scratch), a classifier such as
    EfficientNetV2_s, or a frozen embedder by hub name or path such as facebook/dinov2-small."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Parts the dataset is cut into; each is predicted by a model that never saw it."""
    repeats: Annotated[int, Field(ge=1)] | None = None
    """How often the folds are drawn anew and the predictions averaged; by default 3 for quick models and 1 for networks."""
    method: Method = "burnish"
    """How suspects are ranked and cut off: burnish, or a rule of confident learning such as prune_by_noise_rate."""
    weights: str | None = None
    """Weights of a classifier: 'pretrained', or a folder or file; from scratch when not given."""
    size: Annotated[int, Field(ge=8)] | None = None
    """Side in pixels that pictures are scaled to; what suits the model when not given."""
    dataset: str | None = None
    """The dataset, where it is not named on the command line."""
    names: tuple[str, ...] = ()
    """Class names in order; every label must be one of them. Taken from the dataset when none is given."""
    draw: Annotated[int, Field(ge=0)] = 500
    """Suspects to draw on pages of 2 x 5; 0 draws none."""
    pages: str = "pages"
    """Folder of the drawn pages below the results."""
    correct: bool = True
    """Write corrected_labels.jsonl into the folder of a labels.jsonl dataset."""
    false_pairs: Annotated[float, Field(gt=0)] = 0.5
    """False pairs of copies to accept in the whole dataset; the threshold is calibrated on this very dataset to keep below."""
    train: TrainingConfig = TrainingConfig()
    """How networks are trained."""
    transform: TransformConfig | None = None
    """Transforms of training pictures; for a network without any: one size, and left to right."""
    seed: int = 0
    """Seed of folds and models."""

    @classmethod
    def adapt(cls, values: dict[str, Any], text: str) -> dict[str, Any]:
        """Take the config file of the label-issues service as it stands."""
        return from_seed(values, text) if is_seed(values) else values

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"names lists {', '.join(twice)} twice")
        return self


class DedupeConfig(Config):
    """Find copies and near copies of pictures, and say which of each to keep."""

    false_pairs: Annotated[float, Field(gt=0)] = 0.5
    """False pairs to accept in the whole dataset; the threshold is calibrated on this very dataset to keep below."""
    kinds: tuple[Literal["exact", "near"], ...] = ("exact", "near")
    """Which copies to look for."""
    embedder: str | None = None
    """A frozen network by hub name, folder or file, such as facebook/dinov2-small: what it describes alike are near copies too."""
