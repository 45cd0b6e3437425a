"""Changes of place: what is drawn of each description, and the map that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import extra
from burnish.train.augs import views
from burnish.train.augs.choices import between, either_way, ratio_between
from burnish.train.augs.settings import pair

with extra("train"):
    import cv2

if TYPE_CHECKING:
    from numpy.random import Generator

    from burnish.config import Config
    from burnish.train.augs.choices import Choice
    from burnish.train.augs.geometric_settings import (
        PerspectiveConfig,
        RandomCropConfig,
        RotationConfig,
        ScaleConfig,
        ShearConfig,
        ShiftConfig,
    )
    from burnish.train.augs.views import ImageSize, View


def nothing_drawn(_config: Config, _rng: Generator) -> Choice:
    """For what is done or not, and always in the same way."""
    return {}


def mirror(_choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """Left becomes right."""
    return views.from_symmetry((True, 0), size), size


def upside_down(_choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """Top becomes bottom."""
    return views.from_symmetry((True, 2), size), size


def draw_quarters(_config: Config, rng: Generator) -> Choice:
    """How many quarter turns, clockwise."""
    return {"quarters": int(rng.integers(1, 4))}


def quarters(choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """Quarter turns."""
    turns = int(choice["quarters"])
    return views.from_symmetry((False, turns), size), (size[1], size[0]) if turns % 2 else size


def draw_rotation(config: RotationConfig, rng: Generator) -> Choice:
    """Degrees, clockwise as seen."""
    return {"degrees": either_way(config.degrees, rng)}


def rotation(choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """A turn about the middle."""
    return views.about_middle(views.turned(choice["degrees"]), size), size


def draw_scale(config: ScaleConfig, rng: Generator) -> Choice:
    """Factors of width and height."""
    factor = ratio_between(*config.factors, rng)
    stretch = ratio_between(1 / config.stretch, config.stretch, rng) ** 0.5
    return {"across": factor * stretch, "down": factor / stretch}


def scale(choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """Larger or smaller about the middle."""
    return views.about_middle(views.scaled(choice["across"], choice["down"]), size), size


def draw_shear(config: ShearConfig, rng: Generator) -> Choice:
    """Slants in degrees."""
    return {"uprights": either_way(config.degrees, rng), "levels": either_way(config.degrees, rng)}


def shear(choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """Slanted about the middle."""
    across, down = np.tan(np.deg2rad([choice["uprights"], choice["levels"]]))
    slant = np.array([[1.0, across, 0.0], [down, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return views.about_middle(slant, size), size


def draw_shift(config: ShiftConfig, rng: Generator) -> Choice:
    """Ways, as shares of width and height."""
    return {"right": either_way(config.share, rng), "down": either_way(config.share, rng)}


def shift(choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """Moved."""
    return views.shifted(choice["right"] * size[1], choice["down"] * size[0]), size


def draw_perspective(config: PerspectiveConfig, rng: Generator) -> Choice:
    """How far each corner moves inwards, as shares of half the width and height; from the upper left one, clockwise."""
    return {"inwards": rng.uniform(0, config.distortion, (4, 2)).tolist()}


def perspective(choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """Each corner stays in its quarter of the picture, as in torchvision's RandomPerspective; the four are convex, so all lies in front."""
    height, width = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    towards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    new = corners + towards * np.asarray(choice["inwards"]) * [width / 2, height / 2]
    return np.asarray(cv2.getPerspectiveTransform(corners, new.astype(np.float32)), dtype=np.float64), size


def draw_crop(config: RandomCropConfig, rng: Generator) -> Choice:
    """The part's share of the picture and its proportions, its place as shares of the room that is left, and the size of the result."""
    drawn = {"area": between(*config.area, rng), "ratio": ratio_between(*config.ratio, rng)}
    place = {"left": float(rng.random()), "top": float(rng.random())}
    return {**drawn, **place, "size": None if config.size is None else list(pair(config.size))}


def crop(choice: Choice, size: ImageSize) -> tuple[View, ImageSize]:
    """A part of whole pixels, scaled to the size of the result: alone, or with flips, that is a plain resize."""
    height, width = size
    result = size if choice["size"] is None else (int(choice["size"][0]), int(choice["size"][1]))
    across, down = (max(1, round(side)) for side in _fitted(choice, size, result))
    left, top = round(choice["left"] * (width - across)), round(choice["top"] * (height - down))
    return views.scaled(result[1] / across, result[0] / down) @ views.shifted(-left, -top), result


def _fitted(choice: Choice, size: ImageSize, result: ImageSize) -> tuple[float, float]:
    """Width and height of the part in pixels: the result's proportions times the drawn ratio, as large as there is room."""
    height, width = size
    ratio, area = choice["ratio"] * result[1] / result[0], choice["area"] * width * height
    across, down = (area * ratio) ** 0.5, (area / ratio) ** 0.5
    room = min(1.0, width / across, height / down)
    return across * room, down * room
