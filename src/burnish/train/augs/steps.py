"""All augmentations: how each is drawn, and what its choice does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from burnish.errors import ConfigError
from burnish.train.augs import covering, geometric, mixing, photometric, weather

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.config import Config
    from burnish.train.augs.choices import Choice
    from burnish.train.augs.moving import Rules
    from burnish.train.augs.views import ImageSize, View
    from burnish.train.samples import Sample

    Draw: TypeAlias = "Callable[[Any, Generator], Choice]"


@dataclass(frozen=True, slots=True)
class Geometric:
    """A change of place: a map and the size of the result."""

    draw: Draw
    view: Callable[[Choice, ImageSize], tuple[View, ImageSize]]


@dataclass(frozen=True, slots=True)
class Colour:
    """A change of the picture alone."""

    draw: Draw
    change: Callable[[NDArray[np.uint8], Choice], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Covering:
    """Something that hides a part of the picture and of its targets."""

    draw: Draw
    cover: Callable[[Sample, Choice, Rules], Sample]


@dataclass(frozen=True, slots=True)
class Mixing:
    """A sample made of several; the choice's `others` are the seeds that the other ones are drawn with."""

    draw: Draw
    mix: Callable[[Sample, Sequence[Sample], Choice, Rules], Sample]


Step: TypeAlias = Geometric | Colour | Covering | Mixing

STEPS: Final[Mapping[str, Step]] = {
    "mosaic": Mixing(mixing.draw_mosaic, mixing.mosaic),
    "mixup": Mixing(mixing.draw_mixup, mixing.mixup),
    "cutmix": Mixing(mixing.draw_cutmix, mixing.cutmix),
    "copy_paste": Mixing(mixing.draw_copy_paste, mixing.copy_paste),
    "perspective": Geometric(geometric.draw_perspective, geometric.perspective),
    "horizontal_flip": Geometric(geometric.nothing_drawn, geometric.mirror),
    "vertical_flip": Geometric(geometric.nothing_drawn, geometric.upside_down),
    "quarter_turns": Geometric(geometric.draw_quarters, geometric.quarters),
    "rotation": Geometric(geometric.draw_rotation, geometric.rotation),
    "scale": Geometric(geometric.draw_scale, geometric.scale),
    "shear": Geometric(geometric.draw_shear, geometric.shear),
    "shift": Geometric(geometric.draw_shift, geometric.shift),
    "random_crop": Geometric(geometric.draw_crop, geometric.crop),
    "colour_jitter": Colour(photometric.draw_jitter, photometric.jittered),
    "gamma": Colour(photometric.draw_gamma, photometric.gamma),
    "grey": Colour(geometric.nothing_drawn, photometric.grey),
    "invert": Colour(geometric.nothing_drawn, photometric.invert),
    "channel_shuffle": Colour(photometric.draw_channels, photometric.channels_shuffled),
    "posterize": Colour(photometric.draw_posterize, photometric.posterize),
    "solarize": Colour(photometric.draw_solarize, photometric.solarize),
    "autocontrast": Colour(geometric.nothing_drawn, photometric.autocontrast),
    "equalize": Colour(geometric.nothing_drawn, photometric.equalize),
    "clahe": Colour(photometric.draw_clahe, photometric.clahe),
    "blur": Colour(photometric.draw_blur, photometric.blur),
    "sharpness": Colour(photometric.draw_sharpness, photometric.sharpness),
    "jpeg": Colour(photometric.draw_jpeg, photometric.jpeg),
    "noise": Colour(photometric.draw_noise, photometric.noise),
    "rain": Colour(weather.draw_rain, weather.rain),
    "fog": Colour(weather.draw_fog, weather.fog),
    "snow": Colour(weather.draw_snow, weather.snow),
    "sun_flare": Colour(weather.draw_sun_flare, weather.sun_flare),
    "shadow": Colour(weather.draw_shadow, weather.shadow),
    "dust": Colour(covering.draw_dust, covering.dust),
    "coarse_dropout": Covering(covering.draw_dropout, covering.dropout),
}
"""By the names of `burnish.train.augs.names`."""


def chooser(description: Config) -> Callable[[Generator], Choice]:
    """What draws the choices of a description."""
    name = description.model_dump(include={"name"})["name"]
    return partial(_drawn, name, STEPS[name].draw, description)


def step_of(choice: Choice) -> Step:
    """The augmentation that a choice is of.

    Raises:
        ConfigError: There is none of that name.
    """
    found = STEPS.get(choice.get("name", ""))
    if found is None:
        raise ConfigError(f"A choice names the augmentation {choice.get('name')!r}, which there is not. Replay what `choose` gave.")
    return found


def stage(name: str) -> int:
    """In which order augmentations act: mixing, perspective, other changes of place, then all that changes the picture alone."""
    step = STEPS[name]
    if isinstance(step, Mixing):
        return 0
    return (1 if name == "perspective" else 2) if isinstance(step, Geometric) else 3


def _drawn(name: str, draw: Draw, description: Config, rng: Generator) -> Choice:
    return {"name": name, **draw(description, rng)}
