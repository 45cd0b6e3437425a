"""Losses made of their descriptions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from burnish.descriptions import describe, maker
from burnish.train.losses.loss import Loss
from burnish.train.losses.names import LOSSES
from burnish.train.losses.settings.combined import CombinedConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from burnish.config import Config


def build(given: Config | Mapping[str, Any] | str) -> Loss:
    """Make a loss.

    Args:
        given: Its name (`"dice"`), a mapping with the key `name` (`{"name": "tversky", "fp_weight": 0.3}`), or a description.

    Raises:
        ConfigError: The name or a key is unknown, or a value does not fit.
    """
    description = describe(LOSSES, given)
    compute = partial(maker(LOSSES, description), description)
    if isinstance(description, CombinedConfig):
        compute = partial(compute, {name: build(member.loss) for name, member in description.parts.items()})
    return Loss(description.model_dump(include={"name"})["name"], description, compute)
