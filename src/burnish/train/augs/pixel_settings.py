"""Descriptions of changes of colour and sharpness; nothing moves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from burnish.train.augs.geometric_settings import Share, Sometimes
from burnish.train.augs.settings import rising

Reach = Annotated[float, Field(ge=0, le=1)]
Sigma = Annotated[float, Field(ge=0, le=100)]
Quality = Annotated[int, Field(ge=1, le=100)]
Byte = Annotated[int, Field(ge=0, le=255)]


class ColourJitterConfig(Sometimes):
    """Brightness, contrast, saturation and hue in random order."""

    name: Literal["colour_jitter"] = "colour_jitter"
    """Which augmentation."""
    brightness: Reach = 0.2
    """The factor is drawn from 1 - brightness to 1 + brightness."""
    contrast: Reach = 0.2
    """The same of the contrast."""
    saturation: Reach = 0.2
    """The same of the saturation."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.02
    """Largest turn of the colour circle either way; 0.5 is half of it."""


class GammaConfig(Sometimes):
    """Brighten or darken the middle tones."""

    name: Literal["gamma"] = "gamma"
    """Which augmentation."""
    reach: Annotated[float, Field(ge=1, le=5)] = 1.4
    """The exponent is drawn from 1 / reach to reach."""


class GreyConfig(Sometimes):
    """Take the colours away."""

    name: Literal["grey"] = "grey"
    """Which augmentation."""


class InvertConfig(Sometimes):
    """Make bright what is dark and dark what is bright: for microscopes whose stains differ, for scans of negatives."""

    name: Literal["invert"] = "invert"
    """Which augmentation."""


class ChannelShuffleConfig(Sometimes):
    """Exchange red, green and blue: for objects whose colour says nothing about what they are."""

    name: Literal["channel_shuffle"] = "channel_shuffle"
    """Which augmentation."""


class PosterizeConfig(Sometimes):
    """Fewer tones."""

    name: Literal["posterize"] = "posterize"
    """Which augmentation."""
    bits: Annotated[int, Field(ge=1, le=8)] = 4
    """Fewest bits that are kept."""


class SolarizeConfig(Sometimes):
    """Invert the bright tones."""

    name: Literal["solarize"] = "solarize"
    """Which augmentation."""
    threshold: Byte = 128
    """Lowest tone from which they are inverted; drawn from here to 255."""


class AutocontrastConfig(Sometimes):
    """Spread the tones of each colour over the whole range."""

    name: Literal["autocontrast"] = "autocontrast"
    """Which augmentation."""


class EqualizeConfig(Sometimes):
    """Make all tones of each colour equally frequent."""

    name: Literal["equalize"] = "equalize"
    """Which augmentation."""


class ClaheConfig(Sometimes):
    """Equalise lightness within tiles, with bounded contrast (CLAHE)."""

    name: Literal["clahe"] = "clahe"
    """Which augmentation."""
    clip: Annotated[float, Field(gt=1, le=40)] = 3.0
    """Largest bound of the contrast; drawn from 1 to here."""
    tiles: Annotated[int, Field(ge=1, le=32)] = 8
    """Tiles along each side."""


class BlurConfig(Sometimes):
    """Gaussian blur."""

    name: Literal["blur"] = "blur"
    """Which augmentation."""
    sigma: Annotated[float, Field(gt=0, le=50)] = 1.5
    """Largest standard deviation in pixels."""


class SharpnessConfig(Sometimes):
    """Sharpen or soften."""

    name: Literal["sharpness"] = "sharpness"
    """Which augmentation."""
    reach: Annotated[float, Field(ge=0, le=5)] = 0.5
    """The factor is drawn from 1 - reach (not below 0, which is soft) to 1 + reach."""


class JpegConfig(Sometimes):
    """Traces of JPEG compression."""

    name: Literal["jpeg"] = "jpeg"
    """Which augmentation."""
    quality: Annotated[tuple[Quality, Quality], AfterValidator(rising)] = (40, 90)
    """Ends of the quality."""


class NoiseConfig(Sometimes):
    """Gaussian noise of each colour."""

    name: Literal["noise"] = "noise"
    """Which augmentation."""
    sigma: Annotated[tuple[Sigma, Sigma], AfterValidator(rising)] = (2.0, 10.0)
    """Ends of the standard deviation, in tones of 256."""


class RainConfig(Sometimes):
    """Slanting streaks, and less light."""

    name: Literal["rain"] = "rain"
    """Which augmentation."""
    density: Share = 0.3
    """Most drops: 1 is one for each 150 pixels."""
    slant: Annotated[float, Field(ge=0, le=60)] = 20.0
    """Largest slant in degrees."""


class FogConfig(Sometimes):
    """Uneven mist, denser towards the top."""

    name: Literal["fog"] = "fog"
    """Which augmentation."""
    density: Share = 0.5
    """Most that it hides, at its densest place."""


class SnowConfig(Sometimes):
    """Flakes, and whitened bright places."""

    name: Literal["snow"] = "snow"
    """Which augmentation."""
    density: Share = 0.3
    """Most flakes: 1 is one for each 200 pixels."""
    cover: Share = 0.3
    """Most that bright places are whitened."""


class SunFlareConfig(Sometimes):
    """The sun shines into the lens: a glow, and rings on the line through the middle."""

    name: Literal["sun_flare"] = "sun_flare"
    """Which augmentation."""
    strength: Share = 0.6
    """Brightest glow."""


class ShadowConfig(Sometimes):
    """A shadow with four corners falls over the picture."""

    name: Literal["shadow"] = "shadow"
    """Which augmentation."""
    strength: Share = 0.5
    """Darkest shadow; 1 is black."""


class DustConfig(Sometimes):
    """Specks in one colour, as of dirt on the lens or on what is seen."""

    name: Literal["dust"] = "dust"
    """Which augmentation."""
    colour: tuple[Byte, Byte, Byte] = (40, 36, 30)
    """Red, green and blue."""
    specks: Annotated[int, Field(ge=1, le=10_000)] = 40
    """Most specks."""
    radius: Annotated[float, Field(gt=0, le=0.2)] = 0.008
    """Largest radius, as a share of the shorter side."""
    opacity: Share = 0.9
    """Most that a speck hides."""


class CoarseDropoutConfig(Sometimes):
    """Cover rectangles. What is covered beyond the least visible share is no object any more; covered key points are hidden."""

    name: Literal["coarse_dropout"] = "coarse_dropout"
    """Which augmentation."""
    holes: Annotated[int, Field(ge=1, le=500)] = 4
    """Most rectangles."""
    side: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Longest side, as a share of height and width."""
    fill: tuple[Byte, Byte, Byte] | Literal["mean", "noise"] = "mean"
    """A colour; the mean of the picture; or noise."""
    mask: Literal["keep", "background", "ignored"] = "ignored"
    """What class masks hold under the rectangles."""
