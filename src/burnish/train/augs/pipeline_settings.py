"""The settings of a whole pipeline: a preset, and what is changed in it. Nothing heavy, so that a config file is checked at once."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from burnish.config import Config
from burnish.descriptions import Chosen
from burnish.train.augs.names import AUGS

Task: TypeAlias = Literal["classification", "detection", "segmentation", "keypoints"]
Strength: TypeAlias = Literal["none", "light", "medium", "strong"]
PointNumber = Annotated[int, Field(ge=0)]


class AugsConfig(Config):
    """How training samples are changed at random."""

    preset: Task | None = None
    """The task whose steps are taken (`burnish.train.augs.presets`); none when not given."""
    strength: Strength = "medium"
    """How much of them."""
    steps: tuple[Annotated[Config, Chosen(AUGS)], ...] = ()
    """Augmentations by name, or mappings with the key `name`: one that the preset has too replaces it there (`p: 0` takes it out), others
    are added. Whatever the order given, samples are mixed first, then moved, then changed in colour."""
    mirror_points: tuple[tuple[PointNumber, PointNumber], ...] = ()
    """Pairs of key points, by numbers from 0, that change places when a picture is mirrored: left and right eye, and so on."""
    min_visible: Annotated[float, Field(ge=0, le=1)] = 0.2
    """An object of which a smaller share is left to see is dropped, with its mask and points."""
    border: Literal["black", "ignored", "reflect"] | None = None
    """What comes in from outside: black, and background in masks; black, and ignored in masks; or the reflected picture and mask, in which
    no object is labelled. That of the preset when not given: ignored for segmentation, reflected for classification, else black."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        numbers = [number for pair in self.mirror_points for number in pair]
        if len(set(numbers)) < len(numbers):
            raise ValueError("a key point stands in one pair of mirror_points only, beside another one; found one twice")
        return self
