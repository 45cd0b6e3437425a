"""The settings of the verb `train`. No torch here, so that a config file is checked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from burnish.config import Config
from burnish.descriptions import Chosen
from burnish.metrics.names import METRICS
from burnish.models.networks.names import EVERY_NETWORK as NETWORKS
from burnish.train.augs.pipeline_settings import AugsConfig
from burnish.train.augs.settings import Size
from burnish.train.handlers.names import HANDLERS
from burnish.train.loaders.settings import CacheConfig
from burnish.train.losses.names import LOSSES
from burnish.train.optim.names import OPTIMIZERS
from burnish.train.optim.schedules import SCHEDULES
from burnish.train.optim.settings import AdamWConfig
from burnish.train.policies.seed_config import from_seed, is_seed
from burnish.train.target import parse_target
from burnish.train.writers.names import WRITERS

if TYPE_CHECKING:
    from collections.abc import Mapping

Task: TypeAlias = Literal["classification", "segmentation", "detection", "keypoints"]
"""What a network learns to tell of a picture."""

Mode: TypeAlias = Literal["binary", "multiclass", "multilabel"]
"""Of the classes of a picture or pixel: yes or no; one of several; several at once."""

Count: TypeAlias = Annotated[int, Field(ge=1)]


class DataConfig(Config):
    """Which pictures are trained on, and how they reach the network."""

    format: str | None = None
    """Format of the dataset, where it could be read as several; recognised when not given."""
    mode: Mode | None = None
    """binary, multiclass or multilabel; by default what the dataset's classes ask for."""
    classes: tuple[str, ...] = ()
    """Train on these classes only, in this order; all when none is given."""
    train: tuple[str, ...] = ("train",)
    """Names of the splits that are trained on."""
    validation: tuple[str, ...] = ("val", "valid", "validation")
    """Names of the splits that choose the best weights."""
    test: tuple[str, ...] = ("test",)
    """Names of the splits that are only measured, at the end."""
    validation_dataset: str | None = None
    """A dataset of its own that chooses the best weights, all of it."""
    test_dataset: str | None = None
    """A dataset of its own that is only measured, all of it."""
    soft: bool | None = None
    """Whether masks hold shares of belief from 0 to 255, as refined sets do; told by the set itself when not given."""
    boxes: bool = False
    """Segmentation: learn masks from the boxes of the training part alone, whatever else it has; the loss box_supervised asks for it."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the training part that validates where the dataset has no such split; scenes stay whole."""
    sampling: Literal["plain", "balanced"] = "plain"
    """plain: each picture once an epoch; balanced (classification): each class equally often."""
    plan: str | None = None
    """A plan of burnish balance: how often each picture comes in an epoch."""
    fit: Literal["stretch", "letterbox", "crop"] | None = None
    """How pictures are brought to `size`: stretched; with their proportions and padding (letterbox, usual for boxes and key points); or
    with their proportions, cut to the middle."""
    crops: bool | None = None
    """Key points: learn from the part of the picture around each object; by default where a picture has several. Such a network is told
    by boxes where objects are when it predicts."""
    margin: Annotated[float, Field(ge=0, le=2)] = 0.25
    """Key points: how much of its longer side such a part reaches beyond the box of an object, on each side."""
    cache: str | None = None
    """Folder of the decoded pictures; trainings that name the same one share them. In the run folder when not given."""
    keep: CacheConfig = CacheConfig()
    """How decoded pictures are kept, and what they may take."""
    workers: Annotated[int, Field(ge=0)] = 8
    """Threads that prepare batches ahead; never more than there are cores."""

    @property
    def named_files(self) -> tuple[str, ...]:
        """The plan."""
        return () if self.plan is None else (self.plan,)


class EvaluationConfig(Config):
    """How the network is measured while it is trained."""

    metrics: tuple[Annotated[Config, Chosen(METRICS)], ...] = ()
    """Metrics by name or description; what suits the task when none is given."""
    target: str | None = None
    """What the best weights are chosen by, for instance 'max iou_dataset with recall >= 0.9'; 'max epoch' keeps the last ones; by the task
    when not given."""
    per_epoch: Count = 1
    """Evaluations in each epoch, evenly spread."""
    pictures: Annotated[int, Field(ge=0)] = 8
    """Pictures whose predictions are drawn at each evaluation."""

    writers: tuple[Annotated[Config, Chosen(WRITERS)], ...] = ()
    """Where numbers and pictures go beside the run folder."""
    publish: str | None = None
    """File to which the best weights of a finished training are also put, as a state_dict; {time} in it is the time of the weights."""

    @field_validator("target")
    @classmethod
    def _target_is_readable(cls, target: str | None) -> str | None:
        if target is not None:
            parse_target(target)
        return target


class HardwareConfig(Config):
    """Where a network is trained."""

    device: str | None = None
    """For instance cuda or cpu; the best there is when not given."""
    devices: Count = 1
    """Devices that train together: GPUs, or processes of the CPU; each takes its part of every batch."""
    sync_batch_norm: bool = False
    """Batch normalisation over the pictures of all GPUs instead of each GPU's own."""


class TrainConfig(Config):
    """Train a network on a dataset: pictures in, a run folder with weights, metrics and a report out."""

    network: Annotated[Config, Chosen(NETWORKS)] | None = None
    """The network, by name or description; what suits the task when not given."""
    task: Task | None = None
    """What is learnt; by default what the dataset's labels are: tags, masks, boxes or skeletons."""
    epochs: Count = 30
    """Passes over the training part."""
    batch_size: Count = 8
    """Pictures in one step."""
    size: Size | None = None
    """Height and width that pictures are brought to; one number means a square; by the task when not given."""
    loss: Annotated[Config, Chosen(LOSSES)] | None = None
    """The loss, by name or description; by the task when not given. Mode and ignored pixels are those of the task unless it says so."""
    optimizer: Annotated[Config, Chosen(OPTIMIZERS, usual="adamw")] = AdamWConfig(name="adamw", lr=1e-3)
    """The optimiser."""
    schedule: Annotated[Config, Chosen(SCHEDULES, usual="cosine")] | None = None
    """The learning rates; cosine with a short warm-up when not given."""
    augs: AugsConfig = AugsConfig()
    """How training pictures are changed at random: a strength of the task's preset, and steps beside it."""
    handlers: tuple[Annotated[Config, Chosen(HANDLERS)], ...] = ()
    """What else happens around the steps; saving and interrupts are always there."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """How the network is measured."""
    data: DataConfig = DataConfig()
    """Which pictures, and how they reach the network."""
    hardware: HardwareConfig = HardwareConfig()
    """Where it is trained."""
    dataset: str | None = None
    """The dataset, where it is not named on the command line."""
    seed: int = 0
    """Same seed, same result on a CPU."""

    @field_validator("data")
    @classmethod
    def _boxes_where_the_loss_asks_for_them(cls, data: DataConfig, info: ValidationInfo) -> DataConfig:
        return data.model_copy(update={"boxes": True}) if not data.boxes and _wants_boxes(info.data.get("loss")) else data

    @model_validator(mode="after")
    def _boxes_make_masks(self) -> Self:
        if self.data.boxes and self.task not in {None, "segmentation"}:
            raise ValueError(
                f"data.boxes and the loss box_supervised learn masks from boxes; expected the task segmentation, not {self.task}"
            )
        return self

    @classmethod
    def adapt(cls, values: dict[str, Any], text: str) -> dict[str, Any]:
        """Take the config file of the binary segmentation service as it stands."""
        return from_seed(values, text) if is_seed(values) else values

    @property
    def named_files(self) -> tuple[str, ...]:
        """The plan of the data."""
        return self.data.named_files

    @model_validator(mode="after")
    def _batches_can_be_shared(self) -> Self:
        devices = self.hardware.devices
        if self.batch_size % devices:
            told = f"batch_size is {self.batch_size}, which {devices} devices cannot share evenly"
            raise ValueError(f"{told}; expected a multiple of {devices}, for instance {devices * -(-self.batch_size // devices)}")
        return self


def _wants_boxes(loss: Config | None) -> bool:
    """Whether a loss, or a part of it, learns masks from boxes."""
    members: Mapping[str, Any] = getattr(loss, "parts", {})
    return getattr(loss, "name", "") == "box_supervised" or any(_wants_boxes(member.loss) for member in members.values())


class PredictConfig(Config):
    """Annotate a dataset's pictures with a trained network."""

    model: str = ""
    """Run folder of a training."""
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """Predictions below it are left out; when not given 0.3 for detected objects, 0 for all else."""
    flips: bool = False
    """Average over mirrored pictures: a little better, several times as long."""
    batch_size: Count = 8
    """Pictures at once."""
    to: str = "burnish"
    """Format of the written dataset, as in convert."""
    media: Literal["copy", "link", "none"] = "none"
    """Whether pictures are copied, linked or left where they are."""
    device: str | None = None
    """For instance cuda or cpu; the best there is when not given."""


class PointsConfig(Config):
    """When a key point is right."""

    near: Annotated[float, Field(gt=0)] = 0.1
    """Within this share of the longer side of its object's box a point is right, for thresholds, curves, confusion and calibration; PCK is
    told at 0.05, 0.1 and 0.2 anyway."""
    sigmas: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    """How exactly each can be placed, for OKS; when not given as the training had it, COCO's for its 17 points or else 0.05."""


class EvaluateConfig(Config):
    """Measure a trained network on a dataset's own labels."""

    model: str = ""
    """Run folder of a training."""
    against: str = ""
    """Run folder of another training, shown the same pictures; differences come with their intervals."""
    split: str = ""
    """Pictures of this split, or of the training's part of this name (train, val, test); all means every picture. When not given: the
    part that is only for measuring, test, or else val."""
    draws: Annotated[int, Field(ge=0)] = 1000
    """Draws of the 95 % intervals, over pictures; 0 gives none."""
    outlines: bool = True
    """Segmentation: also measure distances between outlines (HD95, ASSD, NSD, boundary IoU), which takes a while on large pictures."""
    tolerance: Annotated[float, Field(gt=0)] = 2.0
    """Of the NSD, in pixels."""
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Detection: IoU from which a box is found."""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Detection: boxes below it count for curves and mAP alone."""
    points: PointsConfig = PointsConfig()
    """Key points: when one is right."""
    pictures: Annotated[int, Field(ge=0)] = 24
    """Worst pictures that the report shows, and best, and most changed."""
    flips: bool = False
    """Average over mirrored pictures, as predict can."""
    batch_size: Count = 8
    """Pictures at once."""
    format: str | None = None
    """Format of the dataset, where it could be read as several; that of the training on its own dataset."""
    device: str | None = None
    """For instance cuda or cpu; the best there is when not given."""
    seed: int = 0
    """Of the draws."""
