"""A pipeline of augmentations: chance is drawn first, as numbers that can be kept, then applied; so all can be applied again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from burnish.descriptions import build, describe
from burnish.errors import ConfigError
from burnish.train.augs.moving import Rules, moved
from burnish.train.augs.names import AUGS
from burnish.train.augs.pipeline_settings import AugsConfig
from burnish.train.augs.presets import BORDERS, PRESETS
from burnish.train.augs.steps import Colour, Covering, Geometric, Mixing, stage, step_of
from burnish.train.augs.views import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from numpy.random import Generator

    from burnish.config import Config
    from burnish.train.augs.choices import Choice
    from burnish.train.samples import Sample

    Drawing = Callable[[Generator], Sample]


@dataclass(frozen=True, slots=True)
class Augs:
    """Augmentations in the order in which they act.

    Attributes:
        steps: Descriptions.
        choosers: What draws the choices of each.
        rules: What happens at the edges of pictures.
    """

    steps: tuple[Config, ...]
    choosers: tuple[Callable[[Generator], Choice], ...]
    rules: Rules

    @property
    def mixes(self) -> bool:
        """Whether other samples may be asked for."""
        return any(stage(_value(step, "name")) == 0 and _value(step, "p") > 0 for step in self.steps)

    def augment(self, sample: Sample, rng: Generator, draw: Drawing | None = None) -> Sample:
        """Change a sample at random; the generator decides everything.

        Args:
            sample: The picture and its targets; its arrays are not changed.
            rng: Where chance comes from; `generator` makes one for a place in an epoch.
            draw: Gives another training sample; the same one for the same state of its generator.

        Raises:
            ConfigError: A step takes other samples, and there is no `draw`.
            DataError: Samples that are to be mixed do not know the same things.
        """
        return self.replay(sample, self.choose(rng), draw)

    def choose(self, rng: Generator) -> list[Choice]:
        """Draw what is to be done: plain values, which JSON can hold, and which fit a picture of any size."""
        chosen: list[Choice] = []
        for step, chooser in zip(self.steps, self.choosers, strict=True):
            own = rng.spawn(1)[0]  # what one step draws does not move the others
            if own.random() < _value(step, "p"):
                chosen.append(chooser(own))
        return chosen

    def replay(self, sample: Sample, choices: Iterable[Choice], draw: Drawing | None = None) -> Sample:
        """Apply what was drawn before. Changes of place that follow one another sample the picture once.

        Raises:
            ConfigError: As `augment`, or a choice is of no known augmentation.
            DataError: As `augment`.
        """
        view, size = same(), sample.size
        for choice in choices:
            step = step_of(choice)
            if isinstance(step, Geometric):
                next_view, size = step.view(choice, size)
                view = next_view @ view
                continue
            sample = _applied(moved(sample, view, size, self.rules), choice, step, self.rules, draw)
            view, size = same(), sample.size
        return moved(sample, view, size, self.rules)


def build_augs(config: AugsConfig | Mapping[str, Any] | None = None) -> Augs:
    """Make a pipeline of its settings.

    Raises:
        ConfigError: A name or a key is unknown, or a value does not fit.
        MissingExtra: OpenCV is not installed.
    """
    chosen = config if isinstance(config, AugsConfig) else AugsConfig.make(**(config or {}))
    steps = arranged(chosen)
    border = chosen.border or (BORDERS[chosen.preset] if chosen.preset else "black")
    rules = Rules(border, chosen.min_visible, chosen.mirror_points)
    return Augs(steps, tuple(build(AUGS, step) for step in steps), rules)


def arranged(config: AugsConfig) -> tuple[Config, ...]:
    """The steps of a preset with those that replace or are added to them, in the order in which they act."""
    steps = [describe(AUGS, step) for step in (PRESETS[config.preset][config.strength] if config.preset else ())]
    for step in config.steps:
        place = next((index for index, known in enumerate(steps) if type(known) is type(step)), len(steps))
        steps[place : place + 1] = [step]
    return tuple(sorted(steps, key=lambda step: stage(_value(step, "name"))))


def generator(seed: int, epoch: int, row: int) -> Generator:
    """The generator of one sample in one epoch: the same in whichever worker, and whatever came before."""
    return np.random.default_rng([seed, epoch, row])


def _applied(sample: Sample, choice: Choice, step: Colour | Covering | Mixing, rules: Rules, draw: Drawing | None) -> Sample:
    if isinstance(step, Colour):
        return replace(sample, picture=step.change(sample.picture, choice))
    if isinstance(step, Covering):
        return step.cover(sample, choice, rules)
    if draw is None:
        raise ConfigError(f"{choice['name']} takes other samples: give `draw`, or take the step out with {{name: {choice['name']}, p: 0}}.")
    return step.mix(sample, [draw(np.random.default_rng(number)) for number in choice["others"]], choice, rules)


def _value(step: Config, name: str) -> Any:
    return getattr(step, name)
