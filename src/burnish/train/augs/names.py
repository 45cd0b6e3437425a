"""The augmentations by name. Strings only: listing and describing load neither OpenCV nor NumPy."""

from __future__ import annotations

from typing import Final

from burnish.descriptions import Alias, Entry, Kind

_AT: Final = "burnish.train.augs."


def _entry(settings: str, config: str, summary: str) -> Entry:
    return Entry(f"{_AT}{settings}_settings:{config}Config", f"{_AT}steps:chooser", summary)


AUGS: Final = Kind(
    "augmentation",
    {
        "mosaic": _entry("mixing", "Mosaic", "Four samples about one point."),
        "mixup": _entry("mixing", "Mixup", "A blend of two samples."),
        "cutmix": _entry("mixing", "Cutmix", "A rectangle of another sample."),
        "copy_paste": _entry("mixing", "CopyPaste", "Instances of another sample."),
        "perspective": _entry("geometric", "Perspective", "A view from the side."),
        "horizontal_flip": _entry("geometric", "HorizontalFlip", "Left becomes right."),
        "vertical_flip": _entry("geometric", "VerticalFlip", "Top becomes bottom."),
        "quarter_turns": _entry("geometric", "QuarterTurns", "90, 180 or 270 degrees."),
        "rotation": _entry("geometric", "Rotation", "A turn about the middle."),
        "scale": _entry("geometric", "Scale", "Larger, smaller or stretched."),
        "shear": _entry("geometric", "Shear", "Slanted."),
        "shift": _entry("geometric", "Shift", "Moved."),
        "random_crop": _entry("geometric", "RandomCrop", "A part, scaled."),
        "colour_jitter": _entry("pixel", "ColourJitter", "Brightness, contrast, saturation and hue."),
        "gamma": _entry("pixel", "Gamma", "Brighter or darker middle tones."),
        "grey": _entry("pixel", "Grey", "No colours."),
        "invert": _entry("pixel", "Invert", "Dark becomes bright, bright dark."),
        "channel_shuffle": _entry("pixel", "ChannelShuffle", "Red, green and blue in another order."),
        "posterize": _entry("pixel", "Posterize", "Fewer tones."),
        "solarize": _entry("pixel", "Solarize", "Inverted bright tones."),
        "autocontrast": _entry("pixel", "Autocontrast", "Tones spread over the whole range."),
        "equalize": _entry("pixel", "Equalize", "All tones equally frequent."),
        "clahe": _entry("pixel", "Clahe", "Lightness equalised within tiles."),
        "blur": _entry("pixel", "Blur", "Gaussian blur."),
        "sharpness": _entry("pixel", "Sharpness", "Sharper or softer."),
        "jpeg": _entry("pixel", "Jpeg", "Traces of compression."),
        "noise": _entry("pixel", "Noise", "Gaussian noise."),
        "rain": _entry("pixel", "Rain", "Slanting streaks."),
        "fog": _entry("pixel", "Fog", "Uneven mist."),
        "snow": _entry("pixel", "Snow", "Flakes and whitened places."),
        "sun_flare": _entry("pixel", "SunFlare", "Glow and rings of the sun in the lens."),
        "shadow": _entry("pixel", "Shadow", "A shadow with four corners."),
        "dust": _entry("pixel", "Dust", "Specks in one colour."),
        "coarse_dropout": _entry("pixel", "CoarseDropout", "Covered rectangles."),
    },
    {
        "color_jitter": Alias("colour_jitter"),
        "hflip": Alias("horizontal_flip"),
        "vflip": Alias("vertical_flip"),
        "random_resized_crop": Alias("random_crop"),
        "RandomDust": Alias("dust"),
        "grayscale": Alias("grey"),
        "gaussian_blur": Alias("blur"),
        "gaussian_noise": Alias("noise"),
    },
)
