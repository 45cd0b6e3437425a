"""Settings of the eight transforms, with the seed's keys. One that is omitted is off. No torch here: a config is checked at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from burnish.config import Config

Probability = Annotated[float, Field(ge=0, le=1)]
"""How often a transform is applied."""

Size = Annotated[int, Field(ge=1)] | tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
"""Height and width in pixels; one number means a square."""

Strength = Annotated[float, Field(ge=0, allow_inf_nan=False)] | tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
"""A factor is drawn from 1 - strength to 1 + strength, or from the two given ends."""


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise ValueError(f"a blur has a middle pixel, so its size must be odd; take {size - 1 or 1} or {size + 1}")
    return size


def rising(ends: tuple[float, float]) -> tuple[float, float]:
    """The two ends, the lower one first.

    Raises:
        ValueError: They come the other way round.
    """
    if ends[0] > ends[1]:
        raise ValueError(f"expected the lower end first; take [{ends[1]:g}, {ends[0]:g}]")
    return ends


Kernel = Annotated[int, Field(ge=1), AfterValidator(_odd)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
HueShift = Annotated[float, Field(ge=-0.5, le=0.5)]


class Resize(Config):
    """Bring every picture to one size; the only transform that is also applied at test time."""

    size: Size
    """Height and width in pixels; one number means a square."""


class Rotation(Config):
    """Turn by a random angle; what comes in from outside is black."""

    degrees: Annotated[float, Field(ge=0, le=360)] | Annotated[tuple[float, float], AfterValidator(rising)]
    """The angle is drawn from -degrees to degrees, or from the two given ends."""


class Flip(Config):
    """Mirror."""

    p: Probability = 0.5
    """How often."""


class Perspective(Config):
    """Look at the picture from the side."""

    distortion_scale: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How far the corners move: 0 not at all, 1 up to the middle."""

    p: Probability = 0.5
    """How often."""


class ColorJitter(Config):
    """Change brightness, contrast, saturation and hue, in random order."""

    brightness: Strength = 0.0
    """Strength, or the two ends of the factor."""

    contrast: Strength = 0.0
    """Strength, or the two ends of the factor."""

    saturation: Strength = 0.0
    """Strength, or the two ends of the factor."""

    hue: Annotated[float, Field(ge=0, le=0.5)] | Annotated[tuple[HueShift, HueShift], AfterValidator(rising)] = 0.0
    """Largest turn of the colour circle (0.5 is half of it), or the two ends of the turn."""


class RandomCrop(Config):
    """Cut out a part at a random place; the middle part at test time, so that the network sees the same scale."""

    size: Size
    """Height and width in pixels; one number means a square."""


class Blur(Config):
    """Gaussian blur of a random width."""

    kernel_size: Kernel | tuple[Kernel, Kernel]
    """Odd width and height of the blur in pixels."""

    sigma: Positive | Annotated[tuple[Positive, Positive], AfterValidator(rising)] = (0.1, 2.0)
    """Standard deviation in pixels, or the two ends that it is drawn from."""


class TransformConfig(Config):
    """Transforms of training pictures, applied in this order; one that is omitted is off."""

    resize: Resize | None = None
    """One size for all pictures."""

    rotation: Rotation | None = None
    """Random turns."""

    hflip: Flip | None = None
    """Left becomes right."""

    vflip: Flip | None = None
    """Top becomes bottom."""

    perspective: Perspective | None = None
    """Random views from the side."""

    color_jitter: ColorJitter | None = None
    """Random brightness, contrast, saturation and hue."""

    random_crop: RandomCrop | None = None
    """Random parts."""

    blur: Blur | None = None
    """Random blur."""


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width, where one number means a square."""
    return (size, size) if isinstance(size, int) else size
