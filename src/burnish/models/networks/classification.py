"""Classifiers as networks by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.classifiers import PictureClassifier, build_classifier
from burnish.models.hub import hub_file
from burnish.models.networks.sources import HUB_FILES, is_hub_name

if TYPE_CHECKING:
    from burnish.models.networks.settings import ClassifierConfig


def build(config: ClassifierConfig, outputs: int, image_size: tuple[int, int]) -> PictureClassifier:
    """Build any classifier of timm or torchvision, or our small one.

    Raises:
        ConfigError: No network is called so, or it cannot take pictures of this size.
        WeightsError: The weights cannot be had or do not fit.
    """
    weights = config.weights
    if weights is not None and is_hub_name(weights) and not Path(weights).exists():
        weights = str(hub_file(weights, HUB_FILES))
    return build_classifier(config.network, outputs, weights=weights, image_size=image_size)
