"""Networks from their descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from burnish.config import Config
from burnish.descriptions import maker
from burnish.errors import ConfigError, WeightsError
from burnish.models.networks.names import NetworkTask, describe_network
from burnish.models.networks.settings import ClassifierConfig, DetrConfig, NetworkConfig
from burnish.models.networks.sources import load_whole, read_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import nn

    from burnish.models.classifiers import Licences


_DETR_WEIGHTS = {
    "rt_detr": "Apache-2.0 (PekingU's)",
    "rt_detr_v2": "Apache-2.0 (PekingU's)",
    "d_fine": "Apache-2.0 (ustc-community's)",
    "rf_detr": "Apache-2.0 (Roboflow's Nano to Large; XLarge and 2XLarge have a licence of their own)",
}


def build_network(
    given: Config | Mapping[str, Any] | str, *, outputs: int, image_size: tuple[int, int] = (224, 224), task: NetworkTask | None = None
) -> nn.Module:
    """Build a network that takes (N, C, H, W) uint8 pictures, C = 3 being RGB.

    Args:
        given: A name, a mapping with `name` and settings (also below `args`), or a description.
        outputs: Classes, for keypoints the points of a skeleton.
        image_size: Height and width of the pictures that it will see.
        task: What it must be for; None takes that of the name.

    Raises:
        ConfigError: The name or a setting is wrong, or the network is for another task, or cannot be built so.
        WeightsError: Weights cannot be had or do not fit; the message names what does not.
        MissingExtra: It needs a library that is not installed.
    """
    _check_outputs(given, outputs)
    kind, description = describe_network(given, task=task)
    network: Any = maker(kind, description)(description, outputs, image_size)
    weights = cast("NetworkConfig", description).weights
    if weights is not None and not isinstance(description, (ClassifierConfig, DetrConfig)):
        source, state = read_source(weights, lambda: _no_pretrained(description))
        load_whole(network.network, state, source=source, head=network.head)
    return network


def network_licences(given: Config | Mapping[str, Any] | str) -> Licences:
    """Licences of a network's code and of its pretrained weights.

    Raises:
        ConfigError: The name or a setting is wrong.
    """
    from burnish.models.classifiers import Licences, licences  # noqa: PLC0415 - torch, only where it is asked for

    _, description = describe_network(given)
    if isinstance(description, ClassifierConfig):
        return licences(description.network)
    if isinstance(description, DetrConfig):
        return Licences("Apache-2.0", _DETR_WEIGHTS[description.name])
    encoder: str | None = getattr(description, "encoder", None)
    if encoder is None:
        return Licences("MIT", "none exist")
    from burnish.models.networks.encoders import encoder_licences  # noqa: PLC0415 - smp, only where an encoder is named

    return encoder_licences(encoder)


def _check_outputs(given: Config | Mapping[str, Any] | str, outputs: int) -> None:
    """Other tools write `classes` beside the settings: it must say what `outputs` says."""
    if outputs < 1:
        raise ConfigError(f"A network of {outputs} outputs was asked for; expected at least 1.")
    if isinstance(given, (str, Config)):
        return
    args = given.get("args")
    for values in (given, args if isinstance(args, dict) else {}):
        if values.get("classes", outputs) != outputs:
            raise ConfigError(f"'classes' of the network '{given.get('name')}' is {values['classes']!r}, but the data want {outputs}.")


def _no_pretrained(description: Config) -> Path:
    name: str = getattr(description, "name", "")
    message = f"There are no pretrained weights for the whole network {name}: 'weights' is a file, a folder or a hub name."
    raise WeightsError(f"{message} An encoder has some: encoder_weights: pretrained.")
