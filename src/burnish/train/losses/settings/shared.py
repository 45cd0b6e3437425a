"""What the descriptions of many losses have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from burnish.config import Config

Mode: TypeAlias = Literal["binary", "multiclass", "multilabel"]
YesNo: TypeAlias = Literal["binary", "multilabel"]
Empty: TypeAlias = Literal["penalise", "ignore", "zero", "formula"]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


def _several(value: Any) -> Any:
    """A single number as the only one."""
    return (value,) if isinstance(value, int | float) else value


PerClass: TypeAlias = Annotated[tuple[Positive, ...], BeforeValidator(_several)]
"""One number for all classes, or one a class."""


class ScoresConfig(Config):
    """Scores of classes against labels or soft targets, for pictures (B, C) or pixels (B, C, ...)."""

    mode: Mode = "multiclass"
    """binary: one score, yes or no; multiclass: one class of several (softmax); multilabel: each class yes or no (sigmoid)."""

    from_logits: bool = True
    """The scores are logits; otherwise probabilities."""

    ignore_index: int | None = None
    """Targets of this value do not count: no value, no gradient, no share of the mean."""

    class_weights: tuple[NotNegative, ...] | None = None
    """How much each class counts, one number a class; 0 leaves a class out."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """This share of each target is spread evenly over the classes (binary and multilabel: over yes and no)."""


class RegionConfig(ScoresConfig):
    """How much the predicted and the true region of a class overlap."""

    per_image: bool = False
    """Measure each picture and take the mean; otherwise the batch counts as one large picture."""

    empty: Empty = "penalise"
    """A class without a true pixel: penalise (costs its mean probability), ignore (left out), zero (perfect) or formula (as it falls)."""

    smooth: NotNegative = 0.0
    """Added above and below the fraction bar; above 0 it also makes small mistakes on small regions cheap."""


class OverlapConfig(RegionConfig):
    """A region loss that has a form for soft targets."""

    form: Literal["semimetric", "product"] = "semimetric"
    """Equal on hard targets. semimetric is 0 exactly where the prediction equals a soft target; product is the classical sum of p * g."""


class PixelSpaceConfig(ScoresConfig):
    """A loss that looks at distances or neighbours, so that it needs pixels (B, C, H, W)."""

    mode: Mode = "binary"
    """binary: one map; multiclass: one class of several (softmax); multilabel: each class yes or no (sigmoid)."""

    @model_validator(mode="after")
    def _hard_targets(self) -> PixelSpaceConfig:
        if self.label_smoothing:
            raise ValueError("label_smoothing has no meaning for distances to an outline; expected 0")
        return self
