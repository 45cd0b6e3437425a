"""From settings to what is sampled."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from burnish.data.samples import Sampling
from burnish.data.scales import parse_scales
from burnish.data.tile_size import parse_tiles
from burnish.errors import ConfigError
from burnish.formats.recognise import FORMATS

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.inspect.settings import ConvertConfig


def sampling_of(dataset: Dataset, config: ConvertConfig) -> Sampling:
    """What the settings ask for.

    Raises:
        ConfigError: Samples are asked of a format that keeps a dataset as it is, without pictures, or with a class that there is not.
    """
    samples = config.samples
    sampling = Sampling(
        scales=parse_scales(config.scale),
        tile=parse_tiles(config.tiles) if config.tiles else None,
        min_visible=samples.min_visible,
        min_visible_of=MappingProxyType(dict(samples.min_visible_of)),
        background=samples.background,
        negatives=samples.negatives,
        stride=samples.stride,
        seed=config.seed,
    )
    unknown = sorted(set(samples.min_visible_of) - set(dataset.class_names().values()))
    if unknown:
        raise ConfigError(f"samples.min_visible_of names the classes {unknown}, which are not in what is written.")
    if FORMATS[config.to].keeps and sampling != Sampling(seed=config.seed):
        raise ConfigError(f"The format {config.to} keeps a dataset as it is; scale, tiles and samples belong to formats for training.")
    if config.media == "none" and sampling.changes_pixels:
        raise ConfigError("With media none no picture is written, so none can be scaled or cut; leave out scale and tiles, or media.")
    return sampling
