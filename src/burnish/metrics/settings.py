"""The descriptions of all metrics; nothing heavy, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from burnish.config import Config

Mode: TypeAlias = Literal["binary", "multiclass", "multilabel"]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]


class DecisionConfig(Config):
    """How scores become decisions."""

    mode: Mode = "multiclass"
    """binary: one score, yes or no; multiclass: the class of the highest score; multilabel: each class yes or no."""

    threshold: float = 0.5
    """Scores above it are a yes, in binary and multilabel mode; 0 for logits is 0.5 for probabilities."""

    num_classes: Count | None = None
    """Needed where multiclass predictions come as labels, not scores."""

    ignore_index: int | None = None
    """Targets of this value do not count."""


class CountsConfig(DecisionConfig):
    """A ratio of hits, false alarms and misses."""

    per: Literal["dataset", "image"] = "dataset"
    """dataset: counts of all pictures, divided once; image: of each picture, then the mean over pictures."""

    average: Literal["macro", "micro", "weighted"] = "macro"
    """Over classes: their mean, their counts added up, or their mean weighted by true pixels."""

    empty: float | None = None
    """What a ratio of nothing is, for instance 1; None leaves it out of means."""

    per_class: bool = False
    """Tell each class too."""

    class_names: tuple[str, ...] | None = None
    """What classes are called there; otherwise their numbers."""


class IouConfig(CountsConfig):
    """TP / (TP + FP + FN), Jaccard."""

    name: Literal["iou"] = "iou"
    """Which metric."""


class DiceConfig(CountsConfig):
    """2 TP / (2 TP + FP + FN), the same as F1."""

    name: Literal["dice"] = "dice"
    """Which metric."""


class PrecisionConfig(CountsConfig):
    """TP / (TP + FP)."""

    name: Literal["precision"] = "precision"
    """Which metric."""


class RecallConfig(CountsConfig):
    """TP / (TP + FN)."""

    name: Literal["recall"] = "recall"
    """Which metric."""


class SpecificityConfig(CountsConfig):
    """TN / (TN + FP)."""

    name: Literal["specificity"] = "specificity"
    """Which metric."""


class FConfig(CountsConfig):
    """F-beta of precision and recall."""

    name: Literal["f"] = "f"
    """Which metric."""

    beta: Positive = 1.0
    """How many times as much recall counts as precision."""


class SoftConfig(Config):
    """Overlap of probabilities with soft targets, without a threshold: sums of the lesser over sums of the larger."""

    name: Literal["soft_overlap"] = "soft_overlap"
    """Which metric."""

    per: Literal["dataset", "image"] = "dataset"
    """dataset: sums of all pictures, divided once; image: of each picture, then the mean over pictures."""

    empty: float | None = None
    """What a ratio of nothing is; None leaves it out of means."""


class AccuracyConfig(Config):
    """Share of pictures whose class is among those of the highest scores."""

    name: Literal["accuracy"] = "accuracy"
    """Which metric."""

    top: Annotated[tuple[Count, ...], Field(min_length=1)] = (1,)
    """How many of the highest scores may hold it."""

    ignore_index: int | None = None
    """Targets of this value do not count."""


class ConfusionConfig(DecisionConfig):
    """The confusion matrix, with accuracy, balanced accuracy and weighted F1 of it."""

    name: Literal["confusion"] = "confusion"
    """Which metric."""

    mode: Literal["multiclass"] = "multiclass"  # pyright: ignore[reportIncompatibleVariableOverride] - frozen: it is only read
    """One class of several."""


class SurfacesConfig(DecisionConfig):
    """Distances between outlines: Hausdorff at a percentile, mean distance (ASSD) and share within a tolerance (NSD)."""

    name: Literal["surfaces"] = "surfaces"
    """Which metric."""

    percentile: Annotated[float, Field(gt=0, le=100)] = 95.0
    """Of the Hausdorff distance; 100 is the largest."""

    tolerance: Positive = 2.0
    """Of the NSD, in units of the spacing."""

    spacing: tuple[Positive, Positive] = (1.0, 1.0)
    """Height and width of a pixel."""

    missing: Literal["diagonal", "inf", "skip"] = "diagonal"
    """What a distance to nothing is, where one of two masks is empty: the picture's diagonal, infinite, or left out."""


class BoundaryIouConfig(DecisionConfig):
    """IoU of the bands along the outlines (Cheng et al., 2021), mean over pictures and classes."""

    name: Literal["boundary_iou"] = "boundary_iou"
    """Which metric."""

    width: Count | None = None
    """Of the band in pixels; None takes 2 % of the diagonal."""


class PanopticConfig(Config):
    """Panoptic quality, and its parts: how segments fit (SQ) and how they are found (RQ)."""

    name: Literal["panoptic"] = "panoptic"
    """Which metric."""

    num_classes: Count
    """K."""

    void: int = 0
    """The number of pixels without a segment."""


class MapConfig(Config):
    """COCO's mean average precision of boxes, computed by faster-coco-eval."""

    name: Literal["map"] = "map"
    """Which metric."""

    per_class: bool = False
    """Tell `map` and `map_50` of each class too."""

    class_names: tuple[str, ...] | None = None
    """What classes are called there; otherwise their numbers."""


class MaskMapConfig(Config):
    """COCO's mean average precision of the masks of objects, computed by faster-coco-eval."""

    name: Literal["mask_map"] = "mask_map"
    """Which metric."""

    per_class: bool = False
    """Tell `mask_map`, `mask_map_50` and `mask_map_75` of each class too."""

    class_names: tuple[str, ...] | None = None
    """What classes are called there; otherwise their numbers."""


class OksApConfig(Config):
    """COCO's mean average precision of key points, computed by faster-coco-eval."""

    name: Literal["oks_ap"] = "oks_ap"
    """Which metric."""

    sigmas: tuple[Positive, ...] | None = None
    """How exactly each point can be placed; None takes those of COCO's person."""


class PckConfig(Config):
    """Percentage of correct key points: those that lie nearer to the true point than a share of the object's longer side."""

    name: Literal["pck"] = "pck"
    """Which metric."""

    share: Positive = 0.1
    """Of the longer side of the object's box."""

    per_class: bool = False
    """Tell each point too."""

    class_names: tuple[str, ...] | None = None
    """What points are called there; otherwise their numbers."""


class EceConfig(Config):
    """Expected calibration error: the gap between confidence and accuracy."""

    name: Literal["ece"] = "ece"
    """Which metric."""

    bins: Count = 15
    """Of equal width."""


class AurocConfig(Config):
    """Area under the ROC curve; of several classes each against the rest, and their mean."""

    name: Literal["auroc"] = "auroc"
    """Which metric."""


class AveragePrecisionConfig(Config):
    """Area under the precision-recall curve, without interpolation; of several classes each against the rest, and their mean."""

    name: Literal["average_precision"] = "average_precision"
    """Which metric."""
