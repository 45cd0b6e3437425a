"""The eight transforms on pictures as arrays.

Turn, flips, perspective and crop become one projective map, so that a picture is sampled once: sharper than four passes, and five to ten
times faster than one torch transform after another (0.6 ms against 4 ms for the usual four at 224 x 224 pixels on one core).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError, extra
from burnish.train.augs.settings import ColorJitter, Perspective, TransformConfig, pair

with extra("audit"):
    import cv2

    from burnish.train.augs.photometric import brightened, contrasted, hue_turned, saturated

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray


def augment(picture: NDArray[np.uint8], config: TransformConfig, rng: Generator) -> NDArray[np.uint8]:
    """Change a training picture at random; the same generator state gives the same picture.

    Args:
        picture: (H, W, 3) uint8, RGB.
        config: The transforms that are on.
        rng: Where chance comes from.

    Returns:
        (h, w, 3) uint8, of the size that `output_size` tells.
    """
    picture = _resized(picture, config)
    size = picture.shape[0], picture.shape[1]
    view = _random_view(config, size, rng)
    if config.color_jitter is not None:
        picture = _jittered(picture, config.color_jitter, rng)
    if config.random_crop is not None:
        height, width = pair(config.random_crop.size)
        top, left = rng.integers(size[0] - height + 1), rng.integers(size[1] - width + 1)
        view = _shift(-float(left), -float(top)) @ view
        size = height, width
    if not np.array_equal(view, np.eye(3)):
        picture = _seen_through(picture, view, size)
    if config.blur is not None:
        across, down = pair(config.blur.kernel_size)
        sigma = _between(config.blur.sigma, rng)
        picture = _uint8(cv2.GaussianBlur(picture, (across, down), sigma, borderType=cv2.BORDER_REFLECT_101))
    return picture


def prepare(picture: NDArray[np.uint8], config: TransformConfig) -> NDArray[np.uint8]:
    """Bring a picture to the size that the network was trained on, with nothing left to chance.

    That is resize, and the middle of the picture where random crops are on.

    Args:
        picture: (H, W, 3) uint8, RGB.
        config: The same transforms as in training.
    """
    picture = _resized(picture, config)
    if config.random_crop is None:
        return picture
    height, width = pair(config.random_crop.size)
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]


def output_size(config: TransformConfig, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width that the network sees for pictures of a given height and width.

    Raises:
        ConfigError: The crop is larger than the picture that it is cut from.
    """
    size = pair(config.resize.size) if config.resize else size
    if config.random_crop is None:
        return size
    crop = pair(config.random_crop.size)
    if crop[0] > size[0] or crop[1] > size[1]:
        message = f"random_crop.size is {list(crop)}, but the pictures have only {list(size)} (height, width) after resize."
        raise ConfigError(f"{message} Take a smaller crop or a larger resize.size.")
    return crop


def _resized(picture: NDArray[np.uint8], config: TransformConfig) -> NDArray[np.uint8]:
    if config.resize is None or pair(config.resize.size) == picture.shape[:2]:
        return picture
    height, width = pair(config.resize.size)
    shrinks = height * width < picture.shape[0] * picture.shape[1]
    return _uint8(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def _random_view(config: TransformConfig, size: tuple[int, int], rng: Generator) -> NDArray[np.float64]:
    """The 3 x 3 map from old to new pixel positions, as (x, y, 1)."""
    height, width = size
    view = np.eye(3)
    if config.rotation is not None:
        view = _turn(_symmetric(config.rotation.degrees, rng), size)
    if config.hflip is not None and rng.random() < config.hflip.p:
        view = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]]) @ view
    if config.vflip is not None and rng.random() < config.vflip.p:
        view = np.array([[1.0, 0, 0], [0, -1, height - 1], [0, 0, 1]]) @ view
    if config.perspective is not None and rng.random() < config.perspective.p:
        view = _perspective(config.perspective, size, rng) @ view
    return view


def _turn(degrees: float, size: tuple[int, int]) -> NDArray[np.float64]:
    centre_x, centre_y = (size[1] - 1) / 2, (size[0] - 1) / 2
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    return _shift(centre_x, centre_y) @ turn @ _shift(-centre_x, -centre_y)


def _perspective(config: Perspective, size: tuple[int, int], rng: Generator) -> NDArray[np.float64]:
    """Each corner moves inwards by up to half of the picture times the scale, as in torchvision's RandomPerspective."""
    right, bottom = size[1] - 1, size[0] - 1
    corners = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], dtype=np.float32)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=np.float32)
    reach = config.distortion_scale * np.array([size[1] / 2, size[0] / 2])
    moved = corners + inwards * rng.uniform(0, 1, (4, 2)) * reach
    return np.asarray(cv2.getPerspectiveTransform(corners, moved.astype(np.float32)), dtype=np.float64)


def _shift(right: float, down: float) -> NDArray[np.float64]:
    return np.array([[1.0, 0, right], [0, 1, down], [0, 0, 1]])


def _seen_through(picture: NDArray[np.uint8], view: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8]:
    return _uint8(cv2.warpPerspective(picture, view, (size[1], size[0]), flags=cv2.INTER_LINEAR))


def _jittered(picture: NDArray[np.uint8], config: ColorJitter, rng: Generator) -> NDArray[np.uint8]:
    for step in rng.permutation(4):
        if step == 0:
            picture = brightened(picture, _factor(config.brightness, rng))
        elif step == 1:
            picture = contrasted(picture, _factor(config.contrast, rng))
        elif step == 2:  # noqa: PLR2004 - the third of the four
            picture = saturated(picture, _factor(config.saturation, rng))
        else:
            picture = hue_turned(picture, _symmetric(config.hue, rng))
    return picture


def _factor(strength: float | tuple[float, float], rng: Generator) -> float:
    ends = strength if isinstance(strength, tuple) else (max(0.0, 1 - strength), 1 + strength)
    return _between(ends, rng)


def _symmetric(reach: float | tuple[float, float], rng: Generator) -> float:
    return _between(reach if isinstance(reach, tuple) else (-reach, reach), rng)


def _between(ends: float | tuple[float, float], rng: Generator) -> float:
    return float(ends) if not isinstance(ends, tuple) else float(rng.uniform(*ends))


def _uint8(array: object) -> NDArray[np.uint8]:
    return np.asarray(array, dtype=np.uint8)
