"""Descriptions of the losses at outlines of regions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.train.losses.settings.shared import NotNegative, PixelSpaceConfig, Positive


class SurfaceConfig(PixelSpaceConfig):
    """Mean of the probability times the signed distance to the true outline (Kervadec): use it beside a region loss."""

    name: Literal["surface"] = "surface"
    """Which loss."""

    normalise: bool = False
    """Divide distances by the picture's diagonal, so that the value does not depend on its size."""


class Surface2EdgeConfig(PixelSpaceConfig):
    """Mean distance of the predicted edge from the true edge, and share of the true edge that is missed. Our own definition."""

    name: Literal["surface2edge"] = "surface2edge"
    """Which loss."""

    reach: Annotated[int, Field(ge=0)] = 2
    """Pixels within which a predicted edge counts as having found the true one."""

    missed: NotNegative = 1.0
    """Weight of the share of the true edge that is missed; 0 leaves it out."""


class HausdorffDistanceConfig(PixelSpaceConfig):
    """Squared errors weighted by their distance to both outlines: Hausdorff by distance transforms."""

    name: Literal["hausdorff_dt"] = "hausdorff_dt"
    """Which loss."""

    alpha: Positive = 2.0
    """The power of the distances; higher looks at the far mistakes alone."""

    normalise: bool = True
    """Divide distances by the picture's diagonal, so that the loss stays below 2; otherwise it grows with the square of the size."""


class HausdorffErosionConfig(PixelSpaceConfig):
    """Squared errors weighted by how many erosions they survive: Hausdorff by morphology, no distance transform."""

    name: Literal["hausdorff_er"] = "hausdorff_er"
    """Which loss."""

    alpha: Positive = 2.0
    """The power of the number of erosions survived."""

    erosions: Annotated[int, Field(ge=1)] = 10
    """How many there are."""


class BoundaryConfig(PixelSpaceConfig):
    """1 - F1 of the outlines within a tolerance: boundary F1."""

    name: Literal["boundary"] = "boundary"
    """Which loss."""

    width: Annotated[int, Field(ge=3)] = 3
    """Side of the square that finds outlines, odd."""

    tolerance: Annotated[int, Field(ge=1)] = 5
    """Side of the square within which outlines meet, odd."""
