"""Description of the loss that learns masks from boxes alone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.config import Config
from burnish.train.losses.settings.shared import NotNegative, Positive, Share, YesNo


class BoxSupervisedConfig(Config):
    """Masks from boxes: a mask must touch all sides of its box, be empty beside it, and not part neighbours of one colour."""

    name: Literal["box_supervised"] = "box_supervised"
    """Which loss."""

    mode: YesNo = "binary"
    """binary: one map for the boxes of every class; multilabel: a map for each class, judged by the boxes of that class."""

    ignore_index: int | None = None
    """Pixels of this value count for nothing outside of boxes and among neighbours."""

    projection: NotNegative = 1.0
    """What the mean over boxes of the projections weighs."""

    outside: NotNegative = 1.0
    """What the mean cross-entropy of the pixels in no box weighs."""

    pairwise: NotNegative = 1.0
    """What the mean over neighbours of similar colour weighs in the end."""

    warmup: Share = 0.2
    """The share of the training over which the weight of neighbours grows from 0, so that they do not settle on an empty mask first."""

    dilation: Annotated[int, Field(ge=1)] = 2
    """How many pixels neighbours lie apart, along both axes and both diagonals."""

    similarity: Share = 0.3
    """Neighbours count where exp(-distance of their colours / scale) is above it."""

    scale: Positive = 2.0
    """Of distances in CIELAB; with 2 and a similarity of 0.3 colours count as similar up to a distance of 2.4."""
