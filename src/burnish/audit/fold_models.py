"""Which model judges the items: features learned from the pictures, a frozen embedder, or a network trained for each fold."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from burnish.models.patches import embed_patches, suitable_size
from burnish.train.augs.settings import Flip, Resize, TransformConfig, pair
from burnish.train.probe import fit_probe, probe_probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.audit.settings import AuditConfig
    from burnish.engine.progress import Progress

_EMBEDDER_SIZE = 224
_NETWORK_SIZE = 224
_SMALL_NET_SIZE = 64
LOCAL_EMBEDDERS = ("facebook/dinov2-small", "facebook/dinov2-base")
"""What `auto` looks for among the weights that this machine holds, the quickest first."""


@dataclass(frozen=True, slots=True, eq=False)
class FoldTask:
    """What one fold asks of a model.

    Attributes:
        train: Rows to learn from.
        test: Rows to predict.
        labels: (n,) classes of all rows; those of the test rows are not to be looked at.
        num_classes: Number of classes.
        seed: Seed of the model.
        label: What the fold is called.
        first: Whether it is the first one, which tells what concerns them all.
        work: Folder for what is unfinished.
        progress: Where to report.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    labels: NDArray[np.int64]
    num_classes: int
    seed: int
    label: str
    first: bool
    work: Path
    progress: Progress


class FoldModel(Protocol):
    """Trains on some rows and predicts others."""

    @property
    def name(self) -> str:
        """What is told of it."""
        ...

    @property
    def features(self) -> NDArray[np.float32] | None:
        """(n, d) description of every item, where the model works on one."""
        ...

    def predict(self, task: FoldTask) -> NDArray[np.float64]:
        """(test rows, classes) probabilities of the test rows by a model that saw the training rows alone."""
        ...


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What the settings ask for, resolved on this machine.

    Attributes:
        kind: patches, embedder or network.
        name: What to load.
        size: Height and width that pictures are scaled to.
        repeats: How often the folds are drawn.
        note: What the user should know about the choice.
    """

    kind: str
    name: str
    size: tuple[int, int]
    repeats: int
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeModel:
    """A linear probe on features that were made without any label."""

    name: str
    features: NDArray[np.float32]

    def predict(self, task: FoldTask) -> NDArray[np.float64]:
        """(test rows, classes) calibrated probabilities."""
        probe = fit_probe(self.features[task.train], task.labels[task.train], task.num_classes, seed=task.seed)
        return probe_probabilities(probe, self.features[task.test])


@dataclass(frozen=True, slots=True, eq=False)
class NetworkModel:
    """A network trained anew for each fold, its best epoch chosen on an inner split of the training part."""

    name: str
    pixels: NDArray[np.uint8]
    groups: NDArray[np.int64]
    config: AuditConfig
    transform: TransformConfig
    features: NDArray[np.float32] | None = None

    def predict(self, task: FoldTask) -> NDArray[np.float64]:
        """(test rows, classes) probabilities."""
        from burnish.train.policies.folds import train_fold  # noqa: PLC0415 - loads torch

        probabilities, report = train_fold(
            self.pixels,
            task.labels,
            task.train,
            task.test,
            num_classes=task.num_classes,
            model_name=self.name,
            weights=self.config.weights,
            training=self.config.train,
            transform=self.transform,
            groups=self.groups,
            seed=task.seed,
            work_folder=task.work,
            progress=task.progress,
            label=task.label,
        )
        for note in report.notes if task.first else ():
            task.progress.say(note)
        return probabilities


def refuse_unknown_model(config: AuditConfig) -> None:
    """Say before any work that no model has the name that the settings ask for.

    Raises:
        ConfigError: There is no such model; the nearest name is given.
        MissingExtra: The model needs torch, which is not installed.
    """
    if config.model in {"auto", "patches"} or names_an_embedder(config.model):
        return
    from burnish.models.classifier_names import find_network  # noqa: PLC0415 - loads torch

    find_network(config.model)


def choose_model(config: AuditConfig, sizes: NDArray[np.int64], progress: Progress) -> ModelChoice:
    """Resolve `model` on this machine.

    Args:
        config: The settings.
        sizes: (n, 2) height and width of the readable pictures.
        progress: Is told what `auto` took.

    Raises:
        ConfigError: There is no such model; the nearest name is given.
        MissingExtra: The model needs torch, which is not installed.
    """
    if config.model == "auto":
        return _automatic(config, sizes, progress)
    if config.model == "patches":
        return _patches(config, sizes)
    if names_an_embedder(config.model):
        return ModelChoice("embedder", config.model, _square(config, _EMBEDDER_SIZE), config.repeats or 3)
    return _network(config, sizes)


def build_model(
    choice: ModelChoice, config: AuditConfig, pixels: NDArray[np.uint8], groups: NDArray[np.int64], progress: Progress
) -> FoldModel:
    """Load or learn what the choice names; features of all pictures are made here, without labels.

    Raises:
        WeightsError: Weights are missing or do not fit.
    """
    if choice.kind == "patches":
        with progress.task("Learning features from the pictures", len(pixels)) as advance:
            features = embed_patches(pixels, seed=config.seed, advance=advance)[1]
        return ProbeModel("patches", features)
    if choice.kind == "embedder":
        return ProbeModel(choice.name, _embedded(choice.name, pixels, progress))
    return NetworkModel(choice.name, pixels, groups, config, _transform(config, choice.size))


def _automatic(config: AuditConfig, sizes: NDArray[np.int64], progress: Progress) -> ModelChoice:
    found = next((name for name in LOCAL_EMBEDDERS if _is_here(name)), None)
    if found is not None:
        progress.say(f"Taking the embedder {found}, which is on this machine.")
        return ModelChoice("embedder", found, _square(config, _EMBEDDER_SIZE), config.repeats or 3)
    note = f"No pretrained embedder is on this machine; with one, more is found: --model {LOCAL_EMBEDDERS[0]}"
    progress.say(note)
    choice = _patches(config, sizes)
    return ModelChoice(choice.kind, choice.name, choice.size, choice.repeats, note)


def _patches(config: AuditConfig, sizes: NDArray[np.int64]) -> ModelChoice:
    height, width = np.median(sizes, axis=0)
    size = (config.size, config.size) if config.size else suitable_size(height, width, len(sizes))
    return ModelChoice("patches", "patches", size, config.repeats or 3)


def _network(config: AuditConfig, sizes: NDArray[np.int64]) -> ModelChoice:
    from burnish.models.classifier_names import find_network  # noqa: PLC0415 - loads torch

    found = find_network(config.model)
    usual = min(_SMALL_NET_SIZE, int(np.median(sizes))) if config.model == "small" else _NETWORK_SIZE
    asked = config.transform.resize if config.transform else None
    size = pair(asked.size) if asked else _square(config, usual)
    return ModelChoice("network", config.model, size, config.repeats or 1, "/".join(found))


def _transform(config: AuditConfig, size: tuple[int, int]) -> TransformConfig:
    """The file's transforms as they stand; without any, one size and left to right."""
    return config.transform or TransformConfig(resize=Resize(size=size), hflip=Flip(p=0.5))


def _square(config: AuditConfig, usual: int) -> tuple[int, int]:
    side = config.size or usual
    return side, side


def names_an_embedder(name: str) -> bool:
    """Hub names hold a slash, except timm's own; folders and files are there."""
    return ("/" in name and not name.startswith(("timm/", "torchvision/"))) or Path(name).exists()


def _is_here(name: str) -> bool:
    """Whether the local cache of the hub holds a model; without torch nothing is."""
    if find_spec("torch") is None or find_spec("transformers") is None or find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - optional

    return isinstance(try_to_load_from_cache(name, "model.safetensors"), str)


def _embedded(name: str, pixels: NDArray[np.uint8], progress: Progress) -> NDArray[np.float32]:
    from burnish.models.embedders import load_embedder  # noqa: PLC0415 - loads torch

    return load_embedder(name).embed(pixels, progress=progress, label=f"Describing the pictures with {name}")
