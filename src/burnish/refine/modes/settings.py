"""The descriptions of all merging modes; nothing heavy, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from burnish.config import Config
from burnish.descriptions import Chosen
from burnish.refine.modes.names import MODES

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Boxed(Config):
    """What every mode can be asked for."""

    empty: Share = 0.3
    """Belief that the pixels of a box get where nothing is known about them but the box."""
    instances: bool = False
    """Also give one mask a box."""


class HybridConfig(_Boxed):
    """A share of the weak mask plus the rest of the thresholded prediction inside of it, saturated to 8 bits."""

    name: Literal["hybrid"] = "hybrid"
    """Which mode."""
    alpha: Share = 0.3
    """Share of the weak mask; the prediction has the rest."""
    threshold: Share = 0.75
    """Probability above which a pixel counts as predicted."""


class SoftConfig(_Boxed):
    """The probabilities themselves inside the boxes, nothing outside."""

    name: Literal["soft"] = "soft"
    """Which mode."""
    threshold: Share = 0.5
    """Probability above which a pixel counts as predicted in the record of boxes."""
    floor: Share = 0.0
    """Least belief inside a box."""


class PerBoxConfig(_Boxed):
    """Keep the whole box where the prediction covers too little of it, and the prediction inside the box elsewhere."""

    name: Literal["per_box"] = "per_box"
    """Which mode."""
    limit: Share = 0.4
    """Least share of a box that its prediction must cover to be believed."""
    threshold: Share = 0.75
    """Probability above which a pixel counts as predicted."""
    whole: Share = 1.0
    """Belief of the pixels of a box that is kept whole."""
    sides: Annotated[int, Field(ge=0, le=4)] = 0
    """Sides of its box that a prediction must touch to be believed: a box drawn tightly is touched on all 4."""
    slack: Share = 0.1
    """How far from a side counts as touching it, as a share of the box's height or width; one pixel at least."""


class TightConfig(_Boxed):
    """Lower the threshold, box by box, until the prediction reaches all four sides of its box, as objects in tight boxes do."""

    name: Literal["tight"] = "tight"
    """Which mode."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which a pixel counts as predicted where the prediction reaches all sides."""
    least: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """What the threshold may fall to where it does not."""
    hard: bool = True
    """Beliefs are 1 and 0; else the probabilities, moved so that the box's threshold becomes 0.5."""
    radius: Annotated[int, Field(ge=0)] = 4
    """Half the side of the windows in which probabilities first take on the picture's edges, in pixels; 0 leaves them as they are."""
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    """Variance of colours (from 0 to 1) below which such a window is smoothed."""
    outside: bool = True
    """Probabilities outside of all boxes have a say in that; else they count as 0, which draws masks in from the sides of their boxes."""

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if self.least > self.threshold:
            raise ValueError(
                f"least is {self.least:g} and threshold {self.threshold:g}; the threshold falls to least, so least is the lower one"
            )
        return self


class EdgesConfig(_Boxed):
    """Move the prediction to the edges that the picture has inside each box."""

    name: Literal["edges"] = "edges"
    """Which mode."""
    method: Literal["grabcut", "guided"] = "grabcut"
    """grabcut: cut by the colours of object and background, hard; guided: smooth the probabilities along the picture's edges, soft."""
    threshold: Share = 0.5
    """Probability above which a pixel counts as predicted."""
    sure: Share = 0.9
    """grabcut: probability from which on a pixel surely belongs to the object."""
    margin: Share = 0.25
    """grabcut: how much of the surroundings shows what the background looks like, as a share of the box's sides; 4 pixels at least."""
    iterations: Annotated[int, Field(ge=1, le=50)] = 3
    """grabcut: times that colour models and cut are improved."""
    radius: Annotated[int, Field(ge=1)] = 4
    """guided: half the side of the windows, in pixels."""
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    """guided: variance of colours (from 0 to 1) below which a window is smoothed."""
    outside: bool = True
    """guided: probabilities outside of all boxes have a say in that; else they count as 0."""
    hard: bool = False
    """guided: beliefs are 1 and 0, cut at `threshold`; else the smoothed probabilities."""


class AgreementConfig(_Boxed):
    """What two models agree on is believed, what only one of them sees is believed in part."""

    name: Literal["agreement"] = "agreement"
    """Which mode."""
    threshold: Share = 0.5
    """Probability above which a pixel counts as predicted."""
    disputed: Share = 0.5
    """Belief of the pixels that only one of the models predicts."""
    least: Share = 0.0
    """Least overlap (IoU) of both inside a box; below it the box is kept whole with the belief `empty`."""


class PromptedConfig(_Boxed):
    """What a prompted model draws for each box, mixed with the probabilities."""

    name: Literal["prompted"] = "prompted"
    """Which mode."""
    share: Share = 1.0
    """Share of what was drawn; the probabilities have the rest."""
    threshold: Share = 0.5
    """Probability above which a pixel counts as predicted in the record of boxes."""


class BestConfig(_Boxed):
    """Whichever of several modes makes the best masks of the pictures that are drawn by hand, from the boxes around what is drawn there."""

    name: Literal["best"] = "best"
    """Which mode."""
    among: Annotated[tuple[Annotated[Config, Chosen(MODES)], ...], Field(min_length=1)] = (
        PerBoxConfig(),
        EdgesConfig(),
        EdgesConfig(method="guided", outside=False, hard=True),
        TightConfig(),
        TightConfig(outside=False),
    )
    """The modes to choose among, by name or description; of equal ones the first is taken."""

    @field_validator("among")
    @classmethod
    def _applicable(cls, among: tuple[Config, ...]) -> tuple[Config, ...]:
        if any(isinstance(one, BestConfig) for one in among):
            raise ValueError("best cannot be one of the modes that it chooses among; name the others")
        return among
