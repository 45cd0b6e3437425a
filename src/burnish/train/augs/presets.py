"""The steps of each task in each strength, as plain data: whoever names a preset has the same augmentations as everybody else who does."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.train.augs.moving import Border
    from burnish.train.augs.pipeline_settings import Strength, Task

Steps = tuple[dict[str, Any], ...]

_MIRRORED: Final = {"name": "horizontal_flip", "p": 0.5}
_LIGHT_COLOURS: Final = {"name": "colour_jitter", "p": 0.5, "brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.01}
_COLOURS: Final = {"name": "colour_jitter", "p": 0.8, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.02}
_STRONG_COLOURS: Final = {"name": "colour_jitter", "p": 0.9, "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.05}
_MEDIUM_QUALITY: Final[Steps] = (
    {"name": "blur", "p": 0.1, "sigma": 1.5},
    {"name": "noise", "p": 0.1, "sigma": [2, 8]},
    {"name": "jpeg", "p": 0.1, "quality": [50, 90]},
)
_STRONG_QUALITY: Final[Steps] = (
    {"name": "gamma", "p": 0.3, "reach": 1.6},
    {"name": "grey", "p": 0.05},
    {"name": "clahe", "p": 0.1},
    {"name": "shadow", "p": 0.1},
    {"name": "fog", "p": 0.05, "density": 0.4},
    {"name": "blur", "p": 0.2, "sigma": 3.0},
    {"name": "noise", "p": 0.2, "sigma": [3, 15]},
    {"name": "jpeg", "p": 0.2, "quality": [30, 80]},
    {"name": "dust", "p": 0.1},
)

PRESETS: Final[Mapping[Task, Mapping[Strength, Steps]]] = MappingProxyType(
    {
        "classification": {
            "none": (),
            "light": (_MIRRORED, {"name": "random_crop", "p": 1.0, "area": [0.7, 1.0]}, _LIGHT_COLOURS),
            "medium": (
                _MIRRORED,
                {"name": "rotation", "p": 0.3, "degrees": 10},
                {"name": "random_crop", "p": 1.0, "area": [0.4, 1.0]},
                _COLOURS,
                *_MEDIUM_QUALITY,
                {"name": "coarse_dropout", "p": 0.1, "holes": 1, "side": 0.4},
            ),
            "strong": (
                {"name": "mixup", "p": 0.2, "alpha": 0.2},
                {"name": "cutmix", "p": 0.3, "alpha": 1.0},
                _MIRRORED,
                {"name": "rotation", "p": 0.5, "degrees": 20},
                {"name": "shear", "p": 0.3, "degrees": 10},
                {"name": "random_crop", "p": 1.0, "area": [0.2, 1.0]},
                _STRONG_COLOURS,
                {"name": "posterize", "p": 0.05},
                {"name": "solarize", "p": 0.05},
                {"name": "autocontrast", "p": 0.1},
                {"name": "equalize", "p": 0.05},
                *_STRONG_QUALITY,
                {"name": "coarse_dropout", "p": 0.25, "holes": 1, "side": 0.5},
            ),
        },
        "detection": {
            "none": (),
            "light": (_MIRRORED, {"name": "scale", "p": 0.5, "factors": [0.9, 1.1]}, _LIGHT_COLOURS),
            "medium": (
                {"name": "mosaic", "p": 0.3},
                _MIRRORED,
                {"name": "scale", "p": 0.8, "factors": [0.7, 1.4]},
                {"name": "shift", "p": 0.8, "share": 0.1},
                _COLOURS,
                *_MEDIUM_QUALITY,
            ),
            "strong": (
                {"name": "mosaic", "p": 0.6},
                {"name": "mixup", "p": 0.1, "alpha": 8.0},
                _MIRRORED,
                {"name": "perspective", "p": 0.1, "distortion": 0.15},
                {"name": "rotation", "p": 0.3, "degrees": 5},
                {"name": "scale", "p": 0.9, "factors": [0.5, 1.8], "stretch": 1.2},
                {"name": "shift", "p": 0.9, "share": 0.2},
                _STRONG_COLOURS,
                *_STRONG_QUALITY,
                {"name": "coarse_dropout", "p": 0.2, "holes": 6, "side": 0.15},
            ),
        },
        "segmentation": {
            "none": (),
            "light": (_MIRRORED, {"name": "random_crop", "p": 0.5, "area": [0.7, 1.0], "ratio": [0.9, 1.1]}, _LIGHT_COLOURS),
            "medium": (
                _MIRRORED,
                {"name": "rotation", "p": 0.4, "degrees": 10},
                {"name": "random_crop", "p": 0.8, "area": [0.4, 1.0]},
                _COLOURS,
                *_MEDIUM_QUALITY,
            ),
            "strong": (
                {"name": "cutmix", "p": 0.2, "alpha": 1.0},
                _MIRRORED,
                {"name": "perspective", "p": 0.2, "distortion": 0.25},
                {"name": "rotation", "p": 0.5, "degrees": 25},
                {"name": "shear", "p": 0.2, "degrees": 8},
                {"name": "random_crop", "p": 0.9, "area": [0.25, 1.0]},
                _STRONG_COLOURS,
                *_STRONG_QUALITY,
                {"name": "coarse_dropout", "p": 0.2, "holes": 4, "side": 0.2},
            ),
        },
        "keypoints": {
            "none": (),
            "light": (
                _MIRRORED,
                {"name": "rotation", "p": 0.5, "degrees": 10},
                {"name": "scale", "p": 0.5, "factors": [0.9, 1.1]},
                _LIGHT_COLOURS,
            ),
            "medium": (
                _MIRRORED,
                {"name": "rotation", "p": 0.6, "degrees": 25},
                {"name": "scale", "p": 0.8, "factors": [0.75, 1.3]},
                {"name": "shift", "p": 0.5, "share": 0.08},
                _COLOURS,
                *_MEDIUM_QUALITY,
                {"name": "coarse_dropout", "p": 0.1, "holes": 3, "side": 0.15},
            ),
            "strong": (
                _MIRRORED,
                {"name": "perspective", "p": 0.1, "distortion": 0.15},
                {"name": "rotation", "p": 0.7, "degrees": 45},
                {"name": "scale", "p": 0.9, "factors": [0.6, 1.6], "stretch": 1.15},
                {"name": "shift", "p": 0.7, "share": 0.15},
                _STRONG_COLOURS,
                *_STRONG_QUALITY,
                {"name": "coarse_dropout", "p": 0.4, "holes": 6, "side": 0.2},
            ),
        },
    }
)
"""Task, strength, steps. Vertical flips and quarter turns are in none: whether up can be down is known only of the data at hand."""

BORDERS: Final[Mapping[Task, Border]] = MappingProxyType(
    {"classification": "reflect", "detection": "black", "segmentation": "ignored", "keypoints": "black"}
)
"""What comes in from outside. Objects are not reflected, so pictures of which objects are wanted are not either."""
