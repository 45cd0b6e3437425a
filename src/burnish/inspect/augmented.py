"""Sheets that show what augmentations make of pictures: each as it is, and as training may see it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.inspect.task_samples import NOT_COUNTED, TaskSamples, mirrored_points, task_samples
from burnish.media.drawing import ClassLook, DrawStyle, class_looks, draw_labels
from burnish.media.sheets import sheet
from burnish.train.augs import views
from burnish.train.augs.moving import Rules, moved
from burnish.train.augs.pipeline import Augs, build_augs, generator

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.inspect.settings import PreviewConfig
    from burnish.train.samples import Sample

_COLUMNS = 4
_SIDE = 360  # of a picture on the sheet
_WORKED = 720  # longest side that pictures are changed at: what is larger is shown smaller anyway
_TITLE = 34  # letters that fit above a picture
_LINES = 3
_GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True, eq=False)
class AugmentedSheets:
    """What makes the sheets of a dataset.

    Attributes:
        samples: Its pictures as the task sees them.
        augs: The augmentations.
        looks: How classes are drawn.
        style: How annotations are drawn.
        versions: Changed versions on each sheet.
        seed: Of all chance.
    """

    samples: TaskSamples
    augs: Augs
    looks: dict[int, ClassLook]
    style: DrawStyle
    versions: int
    seed: int

    def sheet(self, image: int) -> NDArray[np.uint8]:
        """One picture as it is, then its versions, each with the names of what was done to it.

        Raises:
            UnreadableImage: It is no picture.
        """
        sample = _smaller(self.samples.sample(image))
        tiles, titles = [self._drawn(sample)], ["as it is\n"]
        for version in range(self.versions):
            choices = self.augs.choose(generator(self.seed, version, image))
            tiles.append(self._drawn(self.augs.replay(sample, choices, self._another)))
            titles.append(_title(version, choices))
        return sheet(tiles, titles, columns=_COLUMNS, rows=-(-len(tiles) // _COLUMNS), side=_SIDE)

    def _another(self, rng: Generator) -> Sample:
        return _smaller(self.samples.another(rng))

    def _drawn(self, sample: Sample) -> NDArray[np.uint8]:
        return draw_labels(sample.picture, self.samples.labels(sample), self.looks, style=self.style)


def augmented_sheets(dataset: Dataset, config: PreviewConfig) -> AugmentedSheets:
    """Prepare the sheets of a dataset.

    Args:
        dataset: What is shown of it.
        config: With `augs`.

    Raises:
        DataError: The dataset has nothing that the task learns from.
        MissingExtra: OpenCV is not installed.
    """
    assert config.augs is not None
    pairs = mirrored_points(dataset) if config.augs == "keypoints" else ()
    augs = build_augs({"preset": config.augs, "strength": config.strength, "mirror_points": pairs})
    looks = {**class_looks(dataset), NOT_COUNTED: ClassLook("not counted", _GREY)}
    style = DrawStyle(fill=config.fill, captions=config.captions)
    return AugmentedSheets(task_samples(dataset, config.augs), augs, looks, style, config.versions, config.seed)


def _smaller(sample: Sample) -> Sample:
    height, width = sample.size
    factor = min(1.0, _WORKED / max(height, width))
    size = max(1, round(height * factor)), max(1, round(width * factor))
    return moved(sample, views.scaled(size[1] / width, size[0] / height), size, Rules(min_visible=0.0))


def _title(version: int, choices: list[dict[str, Any]]) -> str:
    names = [str(choice["name"]).replace("_", " ") for choice in choices]
    lines = textwrap.wrap(", ".join(names) or "unchanged", _TITLE, max_lines=_LINES, placeholder=" ...")
    return "\n".join([str(version + 1), *lines])
