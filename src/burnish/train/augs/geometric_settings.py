"""Descriptions of changes of place: flips, turns, scales, views and crops. They become one map, so that a picture is sampled once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from burnish.config import Config
from burnish.train.augs.settings import Probability, Size, rising

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(gt=0, le=20)]
Factors = Annotated[tuple[Factor, Factor], AfterValidator(rising)]
"""The lower and the upper end that a factor is drawn between."""


class Sometimes(Config):
    """What is done to some of the samples."""

    p: Probability = 0.5
    """How often."""


class HorizontalFlipConfig(Sometimes):
    """Left becomes right."""

    name: Literal["horizontal_flip"] = "horizontal_flip"
    """Which augmentation."""


class VerticalFlipConfig(Sometimes):
    """Top becomes bottom."""

    name: Literal["vertical_flip"] = "vertical_flip"
    """Which augmentation."""


class QuarterTurnsConfig(Sometimes):
    """Turn by 90, 180 or 270 degrees, to the pixel; height and width change places."""

    name: Literal["quarter_turns"] = "quarter_turns"
    """Which augmentation."""


class RotationConfig(Sometimes):
    """Turn about the middle."""

    name: Literal["rotation"] = "rotation"
    """Which augmentation."""
    degrees: Annotated[float, Field(ge=0, le=180)] = 10.0
    """Largest turn, either way."""


class ScaleConfig(Sometimes):
    """Larger or smaller about the middle; the picture keeps its size."""

    name: Literal["scale"] = "scale"
    """Which augmentation."""
    factors: Factors = (0.8, 1.25)
    """Ends of the factor; half of the draws lie on either side of their geometric mean."""
    stretch: Annotated[float, Field(ge=1, le=4)] = 1.0
    """Largest ratio between the factors of width and height."""


class ShearConfig(Sometimes):
    """Slant about the middle."""

    name: Literal["shear"] = "shear"
    """Which augmentation."""
    degrees: Annotated[float, Field(ge=0, le=60)] = 5.0
    """Largest slant of uprights and of levels."""


class ShiftConfig(Sometimes):
    """Move sideways and up or down."""

    name: Literal["shift"] = "shift"
    """Which augmentation."""
    share: Share = 0.1
    """Largest way, as a share of width and height."""


class PerspectiveConfig(Sometimes):
    """Look at the picture from the side. It is applied before all other changes of place, while the picture lies wholly in front."""

    name: Literal["perspective"] = "perspective"
    """Which augmentation."""
    distortion: Annotated[float, Field(ge=0, le=0.9)] = 0.2
    """How far each corner moves inwards: 0 not at all, 1 would be up to the middle."""


class RandomCropConfig(Sometimes):
    """Cut out a part and scale it."""

    name: Literal["random_crop"] = "random_crop"
    """Which augmentation."""
    size: Size | None = None
    """Height and width of the result in pixels; that of the picture when not given."""
    area: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]], AfterValidator(rising)] = (0.5, 1.0)
    """Ends of the part's share of the picture."""
    ratio: Factors = (0.75, 4 / 3)
    """Ends of how much wider the part is for its height than the result; 1 keeps proportions."""
