"""Rain, fog, snow, sun and shadows, drawn over pictures. Nothing moves, so targets stay as they are.

Each takes 1 to 4 ms for 512 x 512 pixels on one core: what is smooth is computed small and scaled up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.errors import extra
from burnish.train.augs.choices import between, either_way, seed
from burnish.train.augs.photometric import Picture, as_bytes, toned

with extra("train"):
    import cv2

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.train.augs.choices import Choice
    from burnish.train.augs.pixel_settings import FogConfig, RainConfig, ShadowConfig, SnowConfig, SunFlareConfig

_MIST: Final = (226, 230, 233)
_SUN: Final = np.array([255.0, 244.0, 214.0])
_DROP_TONE: Final = 110
_SMALL: Final = 48  # pixels on each side, in which smooth things are computed
_TONES: Final = np.arange(256, dtype=np.float64)
_FRACTION_BITS: Final = 4  # of places that OpenCV draws at


def draw_rain(config: RainConfig, rng: Generator) -> Choice:
    """How dense, how slanted, and the seed of the drops."""
    return {"density": between(config.density / 3, config.density, rng), "slant": either_way(config.slant, rng), "seed": seed(rng)}


def rain(picture: Picture, choice: Choice) -> Picture:
    """Streaks of several lengths on a picture with a fifth less light."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng(choice["seed"])
    count = round(choice["density"] * height * width / 150)
    starts = rng.random((count, 2)) * [width, height * 1.1] - [0, height * 0.1]
    lengths = max(height, 8) * (0.02 + 0.06 * rng.random(count))
    lean = np.tan(np.deg2rad(choice["slant"]))
    ends = starts + lengths[:, None] * [lean, 1.0]
    layer = np.zeros((height, width), np.uint8)
    lines = _fixed(np.stack([starts, ends], axis=1))
    if count:
        cv2.polylines(layer, list(lines), isClosed=False, color=_DROP_TONE, thickness=1, lineType=cv2.LINE_AA, shift=_FRACTION_BITS)
    drops = cv2.cvtColor(layer, cv2.COLOR_GRAY2RGB)
    return as_bytes(cv2.addWeighted(picture, 1 - 0.3 * choice["density"] ** 0.5, drops, 0.7, 0.0))


def draw_fog(config: FogConfig, rng: Generator) -> Choice:
    """How dense, and the seed of the banks."""
    return {"density": between(config.density / 3, config.density, rng), "seed": seed(rng)}


def fog(picture: Picture, choice: Choice) -> Picture:
    """Banks of mist over a gradient that grows towards the top."""
    rng = np.random.default_rng(choice["seed"])
    banks = cv2.resize(rng.random((6, 6), dtype=np.float32), (_SMALL, _SMALL), interpolation=cv2.INTER_CUBIC)
    gradient = np.linspace(1.0, 0.4, _SMALL, dtype=np.float32)[:, None]
    hidden = choice["density"] * np.clip(gradient * (0.6 + 0.6 * banks), 0, 1)
    return _covered(picture, np.full_like(picture, _MIST), hidden)


def draw_snow(config: SnowConfig, rng: Generator) -> Choice:
    """How dense, how white, and the seed of the flakes."""
    return {"density": between(config.density / 3, config.density, rng), "cover": between(0, config.cover, rng), "seed": seed(rng)}


def snow(picture: Picture, choice: Choice) -> Picture:
    """Tones above the middle are drawn towards white, and flakes of several sizes fall."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng(choice["seed"])
    whiter = toned(picture, _TONES + choice["cover"] * np.clip(_TONES - 96, 0, 96) / 96 * (255 - _TONES))
    count = round(choice["density"] * height * width / 200)
    centres = _fixed(rng.random((count, 2)) * [width, height])
    radii = _fixed(np.maximum(max(height, width) / 512 * (0.8 + 2.4 * rng.random(count) ** 3), 0.9))
    layer = np.zeros((height, width), np.uint8)
    for (x, y), radius in zip(centres.tolist(), radii.tolist(), strict=True):
        cv2.circle(layer, (x, y), max(radius, 1), 235, -1, cv2.LINE_AA, _FRACTION_BITS)
    flakes = cv2.cvtColor(layer, cv2.COLOR_GRAY2RGB)
    return as_bytes(cv2.max(whiter, cv2.addWeighted(flakes, 0.95, whiter, 0.05, 0.0)))


def draw_sun_flare(config: SunFlareConfig, rng: Generator) -> Choice:
    """Where the sun stands, as shares of width and height, and how bright it is."""
    place = {"x": float(rng.random()), "y": between(0, 0.5, rng)}
    return {**place, "strength": between(config.strength / 3, config.strength, rng), "rings": rng.uniform(0.4, 2.0, 4).tolist()}


def sun_flare(picture: Picture, choice: Choice) -> Picture:
    """A glow that falls off with the distance, and faint discs on the line from the sun through the middle."""
    height, width = picture.shape[:2]
    rows, columns = (np.mgrid[0:_SMALL, 0:_SMALL] + 0.5) / _SMALL
    long = max(height, width)
    away = np.hypot((columns - choice["x"]) * width / long, (rows - choice["y"]) * height / long)
    light = np.exp(-((away / 0.12) ** 2)) + 0.5 * np.exp(-away / 0.35)
    for place in choice["rings"]:
        x, y = choice["x"] + place * (0.5 - choice["x"]) * 2, choice["y"] + place * (0.5 - choice["y"]) * 2
        distance = np.hypot((columns - x) * width / long, (rows - y) * height / long)
        light += 0.15 * np.clip((0.02 + 0.03 * place - distance) / 0.02, 0, 1)
    glow = np.clip(choice["strength"] * light[..., None] * _SUN, 0, 255).astype(np.uint8)
    return as_bytes(cv2.add(picture, cv2.resize(glow, (width, height), interpolation=cv2.INTER_LINEAR)))


def draw_shadow(config: ShadowConfig, rng: Generator) -> Choice:
    """Four corners, as shares of width and height, and how dark it is."""
    left, right = sorted(rng.random(2).tolist()), sorted(rng.random(2).tolist())
    corners = [[left[0], 0.0], [left[1], 0.0], [right[1], 1.0], [right[0], 1.0]]
    return {"corners": corners, "strength": between(config.strength / 3, config.strength, rng)}


def shadow(picture: Picture, choice: Choice) -> Picture:
    """Darker between two lines from the upper to the lower edge, with a soft rim."""
    layer = np.zeros((_SMALL * 2, _SMALL * 2), np.uint8)
    cv2.fillPoly(layer, [_fixed(np.asarray(choice["corners"]) * _SMALL * 2)], 255, cv2.LINE_AA, _FRACTION_BITS)
    hidden = cv2.blur(layer, (3, 3)).astype(np.float32) / 255
    return _covered(picture, toned(picture, _TONES * (1 - choice["strength"])), hidden)


def _covered(picture: Picture, cover: Picture, hidden: NDArray[np.floating[Any]]) -> Picture:
    """The picture under a cover that hides so much of it, given in fewer pixels."""
    height, width = picture.shape[:2]
    weights = cv2.resize(np.asarray(hidden, dtype=np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return as_bytes(cv2.blendLinear(cover, picture, weights, 1 - weights))


def _fixed(places: NDArray[np.float64]) -> NDArray[np.int32]:
    """Fixed-point places, as OpenCV draws between pixels."""
    return np.round(places * (1 << _FRACTION_BITS)).astype(np.int32)
