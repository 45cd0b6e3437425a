"""Settings of balancing; nothing heavy is loaded here, so that help is quick."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from burnish.config import Config
from burnish.data.chains import ChainChoice

Share = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class WeightsConfig(Config):
    """How much each part of the objectives cv and variance counts; 0 leaves it out."""

    files: Weight | None = None
    """Evenness of the copies of pictures; without a value 0.01 in cv and 1 in variance."""
    objects: Weight | None = None
    """Evenness of the views of objects within a class; without a value 0 in cv and 1 in variance."""
    classes: Weight = 1.0
    """Evenness of the classes."""
    superclasses: Weight = 1.0
    """Evenness of the superclasses, where there are several."""
    each: dict[str, Weight] = Field(default_factory=dict[str, float])
    """Weight of single classes by name; the others have 1, and a class with 0 may end as it likes."""


class GradientConfig(Config):
    """The optimiser of copybal, for solver torch."""

    steps: Annotated[int, Field(ge=1)] = 10_000
    """Steps at most."""
    lr: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-4
    """Learning rate at the start; halved whenever the objective rises."""
    max_copy_per_step: Annotated[int, Field(ge=1)] = 50_000
    """Copies added in one step at most."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps, or auto."""


class BalanceConfig(Config):
    """How far the training pictures may be repeated, and what balance means."""

    budget: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0
    """Samples after balancing, as a multiple of the training pictures; never exceeded."""
    max_copies: Annotated[int, Field(ge=1)] = 20
    """Times that one picture may come at most."""
    objective: Literal["cv", "ratio", "variance"] = "cv"
    """cv: squared coefficients of variation; ratio: the largest class over the smallest; variance: the four plain variances of copybal."""
    allow_drop: bool = False
    """Pictures may also be left out; the result then has as many samples as before at least, or what a budget below 1 allows."""
    target: dict[str, Share] = Field(default_factory=dict[str, float])
    """Wanted share of each class by name, in any unit; all classes alike when none is given."""
    weights: WeightsConfig = WeightsConfig()
    """What counts how much."""
    split: str = "train"
    """The split to balance; pictures of other splits are never repeated. A dataset that is not divided takes part whole."""
    solver: Literal["burnish", "exact", "torch"] = "burnish"
    """burnish: optimal to a proven gap; exact: integer programming, for small sets; torch: the optimiser of copybal."""
    gradient: GradientConfig = GradientConfig()
    """Settings of solver torch."""
    labels: str | None = None
    """Table of labels (xlsx, csv, tsv): what each class of the dataset means."""
    superlabels: str | None = None
    """Table of superlabels: the classes to balance, and which are unused (number 0) or forbidden (number -1)."""
    chain: ChainChoice = "auto"
    """What the tables make of a class; mark keeps its name and marks superclass, unused and forbidden."""
    loose: bool = False
    """Take labels in any letter case, and a label's meaning in place of the label."""
    outputs: tuple[Literal["list", "weights", "coco"], ...] = ("list", "weights")
    """Also write: a list of pictures with repeats (YOLO's train.txt), sampler weights, a COCO file with repeated ids."""
    duplicates: Literal["none", "hard", "symbolic", "copy", "undo"] = "none"
    """Repeat the files themselves, with their labels and masks, as links or copies beside them; undo removes them again."""

    @property
    def named_files(self) -> tuple[str, ...]:
        """The files that these settings name."""
        return tuple(path for path in (self.labels, self.superlabels) if path)

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        if self.budget < 1 and not self.allow_drop:
            raise ValueError(
                f"the budget is {self.budget:g}, but every picture is kept at least once, which takes 1. "
                "Give 1 or more, or let pictures be left out with allow_drop"
            )
        if self.budget > self.max_copies:
            raise ValueError(
                f"a budget of {self.budget:g} cannot be spent with max_copies {self.max_copies}. Raise max_copies or lower the budget"
            )
        return self

    @model_validator(mode="after")
    def _solver_can(self) -> Self:
        if self.objective == "ratio" and self.solver == "torch":
            raise ValueError("solver torch descends the variances of copybal; for objective ratio take solver burnish or exact")
        if self.solver == "torch" and (self.allow_drop or self.target):
            raise ValueError("solver torch only adds copies of pictures and knows no target; take solver burnish")
        return self
