"""Settings of the verbs in this room; nothing heavy is loaded here, so that help is quick."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from burnish.config import Config
from burnish.descriptions import Chosen
from burnish.refine.modes.names import MODES
from burnish.refine.modes.settings import HybridConfig
from burnish.train.policies.settings import TrainConfig

InnerShare = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_OF_THE_FORMULA = ("hybrid", "gated")


def _text(value: Any) -> Any:
    """A number as it is written; a file's name stays."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class PrepareConfig(Config):
    """Which pictures count as labelled by hand, and how they are divided into sets for training, validation and evaluation."""

    hand: Annotated[str, BeforeValidator(_text)] | None = None
    """Pictures that count as labelled by hand: how many, drawn by the seed, or a file of their names; all with masks or polygons else."""
    evaluate: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.5
    """Share of the hand-labelled pictures that evaluates all models (NAME_EVAL); 0 where there is a test set of its own."""
    train: InnerShare = 0.85
    """Share of the rest that trains the first model (NAME_BASELINE); what is left validates it (NAME_BASELINE_VAL)."""
    copies: Annotated[int, Field(ge=0)] = 3
    """Augmented copies of each training picture: mirrored, upside down, or turned by up to 15 degrees."""
    masks: str | None = None
    """A dataset in any format with the masks or polygons that were drawn by hand, where the dataset itself has only boxes."""
    weak: str | None = None
    """A dataset in any format with the weak boxes or masks, where they are not in the dataset itself nor in masks/ beside labels.csv."""
    without: tuple[str, ...] = ()
    """Classes to leave out, such as rare or easily confused ones; pictures that show nothing else go too."""
    name: str | None = None
    """What the sets are called; the dataset's own name else."""
    unlabelled: Literal["leave_out", "background"] = "leave_out"
    """Pictures without any label: in no set, or weakly labelled as ones that show no object, as flawless parts do."""
    group: Literal["scene", "task", "subset", "none"] = "scene"
    """Pictures that are never divided, beside copies of one another: of one scene, one task or video, or one subset."""
    together: str | None = None
    """A regular expression: pictures on whose names its first group finds the same text are never divided, such as ^(.+?)(-\\d+)?$."""
    false_pairs: Positive = 0.5
    """Pairs of pictures that may be taken for near copies by mistake, as expected in the whole dataset."""
    drop: Literal["none", "exact", "near"] = "none"
    """Leave out all but the best of each group of exact, or also of near copies; they are told and kept together else."""
    media: Literal["copy", "link"] = "copy"
    """Copy the pictures, or link them."""
    seed: int = 42
    """Another seed draws other pictures, parts and augmentations."""

    @field_validator("together")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        try:
            if value is not None and re.compile(value).groups == 0:
                raise ValueError("the regular expression has no group; put what shall be the same in (parentheses)")
        except re.error as error:
            raise ValueError(f"this is no regular expression: {error}") from error
        return value

    @property
    def named_files(self) -> tuple[str, ...]:
        """The files that these settings name."""
        return (self.hand,) if self.hand and not self.hand.isdecimal() else ()


class ShapesConfig(Config):
    """Which pixels of refined masks become shapes that people look at, for instance in CVAT."""

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Belief from which a pixel belongs to a shape."""
    least: Annotated[int, Field(ge=1)] = 1
    """Pixels below which a connected part is not shown."""


class HybridSetConfig(Config):
    """How a prepared dataset is refined into the set number k."""

    number: Annotated[int, Field(ge=1)] = 1
    """Number k of the set NAME_Hk; one that is in use is refused."""
    mode: Annotated[Config, Chosen(MODES, usual="hybrid")] = HybridConfig(name="hybrid")
    """The merging mode: a name, or a mapping with name and settings; where none is given, hybrid, and best in a loop."""
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Belief inside the weak label: of mode hybrid, unless that has its own, and where predicting a picture failed."""
    train: InnerShare = 0.85
    """Share of the refined pictures that trains; the others validate."""
    copies: Annotated[int, Field(ge=0)] = 3
    """Augmented copies of each training picture."""
    batch: Annotated[int, Field(ge=1)] = 4
    """Pictures that the predictor gets at once."""
    media: Literal["copy", "link"] = "copy"
    """Copy the pictures, or link them."""
    shapes: ShapesConfig = ShapesConfig()
    """What of the refined masks is shown to people as shapes."""
    seed: int = 42
    """Another seed draws other parts and augmentations."""

    @model_validator(mode="before")
    @classmethod
    def _one_alpha(cls, given: Any) -> Any:
        """The published formula has one alpha; whoever gives it beside the mode means that of the mode too."""
        if not isinstance(given, dict) or "alpha" not in given or ("mode" not in given and given.get("loop") is True):
            return given  # pyright: ignore[reportUnknownVariableType]
        mode: Any = given.get("mode", "hybrid")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        mode = {"name": mode} if isinstance(mode, str) else mode
        if isinstance(mode, dict) and mode.get("name", "hybrid") in _OF_THE_FORMULA and "alpha" not in mode:
            return {**given, "mode": {**mode, "alpha": given["alpha"]}}
        return given

    @field_validator("mode", mode="after")
    @classmethod
    def _of_classes(cls, value: Config) -> Config:
        if getattr(value, "instances", False):
            raise ValueError("a set holds masks of classes; for masks of instances call the mode itself (burnish.refine.modes.build)")
        return value


class RefineConfig(HybridSetConfig):
    """Improve the weak masks of a prepared dataset with a model, once or in rounds of training and improving."""

    model: str = ""
    """Run folder of the network that improves the masks; the loop trains a baseline where none is given."""
    second: str | None = None
    """Run folder of a second network, for mode agreement."""
    flips: Literal["none", "mirror", "both", "all"] = "none"
    """How many ways of laying each picture down are averaged when predicting."""
    loop: bool = False
    """Go on: train a fresh network on the refined set, compare, refine again, until nothing is gained."""
    rounds: Annotated[int, Field(ge=1)] = 3
    """Most rounds of the loop."""
    training: TrainConfig = TrainConfig()
    """How the networks of the loop are trained."""
    reviewed: str | None = None
    """What people said of the refined set before this one: a file of refused pictures, one name a line, or the shapes as they left them."""
    device: str | None = None
    """For instance cuda or cpu; the best there is when not given."""

    @model_validator(mode="before")
    @classmethod
    def _mode_of_a_loop(cls, given: Any) -> Any:
        """Once means the published formula; a loop is after the best masks, which mode makes them being another one on other pictures."""
        return {"mode": "best", **given} if isinstance(given, dict) and given.get("loop") is True else given

    @model_validator(mode="after")
    def _what_modes_ask_for(self) -> Self:
        modes = [getattr(one, "name", "") for one in (self.mode, *getattr(self.mode, "among", ()))]
        if "agreement" in modes and self.second is None:
            raise ValueError("mode agreement asks two models; name the run folder of the other one with 'second' (--second RUN)")
        if "prompted" in modes:
            raise ValueError("mode prompted asks a segmenter such as SAM, which only Python can give (Improver.segmenter, docs/refine.md)")
        return self

    @model_validator(mode="after")
    def _reviewed_once(self) -> Self:
        if self.loop and self.reviewed is not None:
            raise ValueError("a review is of one set, and a loop makes several; refine once with 'reviewed', then go on with the loop")
        return self

    @property
    def named_files(self) -> tuple[str, ...]:
        """The list of refused pictures, where there is one."""
        return (self.reviewed,) if self.reviewed is not None and Path(self.reviewed).is_file() else ()

    def set_of(self, number: int) -> HybridSetConfig:
        """The settings of one set."""
        kept = {name: getattr(self, name) for name in HybridSetConfig.model_fields}
        return HybridSetConfig.make(**{**kept, "number": number})
