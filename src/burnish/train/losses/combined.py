"""Several losses as one: a weighted sum whose weights may change, every part with its own sum and count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from burnish.errors import ConfigError
from burnish.train.losses.loss import Part, Result, scaled
from burnish.train.losses.settings.combined import Ramp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from burnish.train.losses.box_supervised import Boxed
    from burnish.train.losses.loss import Loss
    from burnish.train.losses.settings.combined import CombinedConfig

_KNOWS_DISTANCES = frozenset({"surface", "surface2edge", "hausdorff_dt"})
_KNOWS_PROGRESS = frozenset({"combined", "box_supervised"})
_KNOWS_BOXES = frozenset({"combined", "box_supervised"})


def combined(
    config: CombinedConfig,
    losses: Mapping[str, Loss],
    predicted: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None,
    progress: float | None = None,
    distances: Tensor | None = None,
    boxed: Boxed | None = None,
    **given: Any,
) -> Result:
    """The weighted parts.

    Args:
        config: The description.
        losses: Made of it, by the same names.
        predicted: Scores, which all losses get.
        target: What they should have been.
        weight: Of pictures, pixels or items.
        progress: How far the training is, from 0 to 1; needed where a weight changes.
        distances: From `signed_distances`, for the losses at outlines.
        boxed: Pictures and boxes, for the loss that learns masks from these.
        **given: What all losses take besides.

    Raises:
        ConfigError: A weight changes and there is no progress.
    """
    parts: dict[str, Part] = {}
    for name, member in config.parts.items():
        own = given | ({"distances": distances} if losses[name].name in _KNOWS_DISTANCES else {})
        own = own | ({"progress": progress} if losses[name].name in _KNOWS_PROGRESS and progress is not None else {})
        own = own | ({"boxed": boxed} if losses[name].name in _KNOWS_BOXES and boxed is not None else {})
        factor = weight_at(member.weight, progress, name)
        found = losses[name].compute(predicted, target, weight=weight, **own)
        result = scaled(found if isinstance(found, Result) else Result({"": found}), factor)
        parts |= {f"{name}/{below}" if below else name: part for below, part in result.parts.items()}
    return Result(parts)


def weight_at(weight: float | Ramp, progress: float | None, name: str = "a part") -> float:
    """The weight at a share of the training.

    Raises:
        ConfigError: It changes and there is no progress.
    """
    if not isinstance(weight, Ramp):
        return weight
    if progress is None:
        raise ConfigError(f"The weight of '{name}' changes with the training; call the loss with progress=, from 0 to 1.")
    length = weight.ends - weight.begins
    done = float(progress >= weight.ends) if length == 0 else min(max((progress - weight.begins) / length, 0.0), 1.0)
    if weight.shape == "cosine":
        done = (1 - math.cos(math.pi * done)) / 2
    return weight.start + (weight.end - weight.start) * done
