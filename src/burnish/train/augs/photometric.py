"""Changes of colour and sharpness. They equal torchvision's functions of the same names; OpenCV computes them.

Measured on one core for one picture of 512 x 512 pixels, torchvision 0.29 against OpenCV 5: brightness 0.9 and 0.2 ms, contrast 1.4 and
0.4, saturation 2.1 and 0.2, hue 18 and 1.1, gamma 5.3 and 0.3, blur 4.4 and 0.4, sharpness 5.4 and 1.1, solarize 1.9 and 0.3, equalize 3.2
and 0.7, grey 0.6 and 0.1, JPEG 3.1 and 1.7 (and 1 ms to bring the channels to the front and back), noise 31 and 1.3. Workers also need no
torch this way, which takes more than a second to load.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from burnish.errors import extra
from burnish.train.augs.choices import between, either_way, ratio_between, seed

with extra("train"):
    import cv2

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.train.augs.choices import Choice
    from burnish.train.augs.pixel_settings import (
        BlurConfig,
        ChannelShuffleConfig,
        ClaheConfig,
        ColourJitterConfig,
        GammaConfig,
        JpegConfig,
        NoiseConfig,
        PosterizeConfig,
        SharpnessConfig,
        SolarizeConfig,
    )

Picture: TypeAlias = "NDArray[np.uint8]"

GREY_WEIGHTS: Final = np.array([0.2989, 0.587, 0.114])
"""ITU-R BT.601, as torchvision weighs the colours."""

_JITTERED: Final = ("brightness", "contrast", "saturation", "hue")
_TONES: Final = np.arange(256, dtype=np.float64)


def draw_jitter(config: ColourJitterConfig, rng: Generator) -> Choice:
    """Three factors and a turn of the colour circle, in the order in which they are applied."""
    drawn = {
        "brightness": 1 + either_way(config.brightness, rng),
        "contrast": 1 + either_way(config.contrast, rng),
        "saturation": 1 + either_way(config.saturation, rng),
        "hue": either_way(config.hue, rng),
    }
    return {_JITTERED[place]: drawn[_JITTERED[place]] for place in rng.permutation(4)}


def jittered(picture: Picture, choice: Choice) -> Picture:
    """Brightness, contrast, saturation and hue, in the order of the choice."""
    changes = {"brightness": brightened, "contrast": contrasted, "saturation": saturated, "hue": hue_turned}
    for name, value in choice.items():
        picture = changes[name](picture, value) if name in changes else picture
    return picture


def brightened(picture: Picture, factor: float) -> Picture:
    """Blend with black; factors above 1 lead away from it."""
    return _blended(picture, 0.0, factor)


def contrasted(picture: Picture, factor: float) -> Picture:
    """Blend with the mean grey."""
    return _blended(picture, float(np.asarray(cv2.mean(picture)[:3]) @ GREY_WEIGHTS), factor)


def saturated(picture: Picture, factor: float) -> Picture:
    """Blend with the grey of each pixel."""
    if factor == 1:
        return picture
    return as_bytes(cv2.transform(picture, factor * np.eye(3) + (1 - factor) * np.tile(GREY_WEIGHTS, (3, 1))))


def hue_turned(picture: Picture, turn: float) -> Picture:
    """Turn the colour circle; 1 is a full circle."""
    if turn == 0:
        return picture
    hsv = as_bytes(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV_FULL))
    hsv[..., 0] += np.uint8(round(turn * 256) % 256)  # a full circle is 256, so that overflow turns on
    return as_bytes(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL))


def draw_gamma(config: GammaConfig, rng: Generator) -> Choice:
    """The exponent."""
    return {"exponent": ratio_between(1 / config.reach, config.reach, rng)}


def gamma(picture: Picture, choice: Choice) -> Picture:
    """Tones, as shares of white, to a power."""
    return toned(picture, 255 * (_TONES / 255) ** choice["exponent"])


def grey(picture: Picture, _choice: Choice) -> Picture:
    """No colours; still three channels."""
    return saturated(picture, 0.0)


def invert(picture: Picture, _choice: Choice) -> Picture:
    """Every tone t becomes 255 - t."""
    return ~picture


def draw_channels(_config: ChannelShuffleConfig, rng: Generator) -> Choice:
    """Which channel comes where."""
    return {"order": rng.permutation(3).tolist()}


def channels_shuffled(picture: Picture, choice: Choice) -> Picture:
    """Channels in the order that was drawn."""
    return np.ascontiguousarray(picture[..., choice["order"]])


def draw_posterize(config: PosterizeConfig, rng: Generator) -> Choice:
    """How many bits are kept."""
    return {"bits": int(rng.integers(config.bits, 9))}


def posterize(picture: Picture, choice: Choice) -> Picture:
    """Only the highest bits."""
    return picture & np.uint8(256 - (1 << (8 - int(choice["bits"]))))


def draw_solarize(config: SolarizeConfig, rng: Generator) -> Choice:
    """From which tone on they are inverted."""
    return {"threshold": int(rng.integers(config.threshold, 256))}


def solarize(picture: Picture, choice: Choice) -> Picture:
    """Bright tones inverted."""
    return toned(picture, np.where(choice["threshold"] <= _TONES, 255 - _TONES, _TONES))


def autocontrast(picture: Picture, _choice: Choice) -> Picture:
    """The darkest tone of each colour becomes 0, the brightest 255."""
    ends = [cv2.minMaxLoc(channel)[:2] for channel in cv2.split(picture)]
    tables = [np.clip((_TONES - low) * 255 / (high - low), 0, 255) if high > low else _TONES for low, high in ends]
    return as_bytes(cv2.LUT(picture, np.floor(np.stack(tables, axis=1))[:, None].astype(np.uint8)))


def equalize(picture: Picture, _choice: Choice) -> Picture:
    """All tones of each colour equally frequent, by the rule of Pillow and torchvision."""
    tables = [_equalizing(cv2.calcHist([channel], [0], None, [256], [0, 256]).ravel().astype(np.int64)) for channel in cv2.split(picture)]
    return as_bytes(cv2.LUT(picture, np.stack(tables, axis=1)[:, None]))


def draw_clahe(config: ClaheConfig, rng: Generator) -> Choice:
    """The bound of the contrast."""
    return {"clip": between(1, config.clip, rng), "tiles": config.tiles}


def clahe(picture: Picture, choice: Choice) -> Picture:
    """Lightness (of CIELAB) equalised within tiles, which are never smaller than 8 pixels."""
    lab = as_bytes(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB))
    down, across = (min(int(choice["tiles"]), max(1, side // 8)) for side in picture.shape[:2])
    lab[..., 0] = cv2.createCLAHE(choice["clip"], (across, down)).apply(np.ascontiguousarray(lab[..., 0]))
    return as_bytes(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def draw_blur(config: BlurConfig, rng: Generator) -> Choice:
    """Standard deviation in pixels."""
    return {"sigma": between(min(0.1, config.sigma), config.sigma, rng)}


def blur(picture: Picture, choice: Choice) -> Picture:
    """Gaussian blur over three standard deviations."""
    side = 2 * int(np.ceil(3 * choice["sigma"])) + 1
    return as_bytes(cv2.GaussianBlur(picture, (side, side), choice["sigma"], borderType=cv2.BORDER_REFLECT_101))


def draw_sharpness(config: SharpnessConfig, rng: Generator) -> Choice:
    """Factor: 0 is soft, 1 as it is, above is sharper."""
    return {"factor": between(max(0.0, 1 - config.reach), 1 + config.reach, rng)}


def sharpness(picture: Picture, choice: Choice) -> Picture:
    """Blend with a softened picture; the outermost pixels stay."""
    if min(picture.shape[:2]) < 3:  # noqa: PLR2004 - the kernel's width
        return picture
    kernel = np.ones((3, 3)) / 13
    kernel[1, 1] = 5 / 13
    soft = as_bytes(cv2.filter2D(picture, -1, kernel))
    changed = as_bytes(cv2.addWeighted(picture, choice["factor"], soft, 1 - choice["factor"], 0))
    for edge in ((0,), (-1,), (slice(None), 0), (slice(None), -1)):
        changed[edge] = picture[edge]
    return changed


def draw_jpeg(config: JpegConfig, rng: Generator) -> Choice:
    """Quality, 1 to 100."""
    return {"quality": int(rng.integers(config.quality[0], config.quality[1] + 1))}


def jpeg(picture: Picture, choice: Choice) -> Picture:
    """Compressed and read again."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, int(choice["quality"])])
    return as_bytes(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB))


def draw_noise(config: NoiseConfig, rng: Generator) -> Choice:
    """Standard deviation in tones, and the seed of the noise."""
    return {"sigma": between(*config.sigma, rng), "seed": seed(rng)}


def noise(picture: Picture, choice: Choice) -> Picture:
    """Gaussian noise in 256 steps: random bytes through the normal distribution's quantiles, six times faster than normal draws."""
    raw = np.random.default_rng(choice["seed"]).integers(0, 256, picture.shape, dtype=np.uint8)
    table = np.round(choice["sigma"] * _quantiles()).astype(np.int16)
    return as_bytes(cv2.add(picture, cv2.LUT(raw, table), dtype=cv2.CV_8U))


def toned(picture: Picture, table: NDArray[np.float64]) -> Picture:
    """Each tone replaced by the (256,) table's, cut off to whole tones."""
    return as_bytes(cv2.LUT(picture, np.floor(np.clip(table, 0, 255)).astype(np.uint8)))


def as_bytes(array: object) -> Picture:
    """What OpenCV gives, as the array that it is."""
    return np.asarray(array, dtype=np.uint8)


def _blended(picture: Picture, tone: float, factor: float) -> Picture:
    return picture if factor == 1 else as_bytes(cv2.addWeighted(picture, factor, picture, 0.0, (1 - factor) * tone))


def _equalizing(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    step = (counts.sum() - counts[np.flatnonzero(counts)[-1]]) // 255
    if step == 0:
        return np.arange(256, dtype=np.uint8)
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.clip((before + step // 2) // step, 0, 255).astype(np.uint8)


@cache
def _quantiles() -> NDArray[np.float64]:
    from scipy.special import ndtri  # noqa: PLC0415 - slow to load

    middles = ndtri((np.arange(256) + 0.5) / 256)
    return middles / middles.std()
