"""Settings of networks as other tools write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = {"encoder_name": "encoder", "dropout_rate": "dropout"}


def read_unet(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of `UNet` and `UNetAttention`: encoder_name, encoder_weights, in_channels, classes, freeze_encoder, dropout_rate.

    `classes` is passed over here, because who builds a network says how many outputs it has; `build_network` checks that the two agree.

    Raises:
        ConfigError: A setting is given twice, under their name and ours.
    """
    twice = [f"{theirs} and {ours}" for theirs, ours in _OURS.items() if theirs in values and ours in values]
    if twice:
        raise ConfigError(f"One setting is given twice: {', '.join(twice)}. Keep one of the two.")
    return {_OURS.get(key, key): value for key, value in values.items() if key != "classes"}
