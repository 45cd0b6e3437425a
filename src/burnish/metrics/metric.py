"""What every metric is: a state of a batch, and numbers of a state; between them states merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.descriptions import build as build_described
from burnish.metrics.names import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from burnish.config import Config
    from burnish.metrics.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric, ready to measure.

    Attributes:
        description: What it was made of.
        measure: The state of a batch of predictions and targets, arrays; what else it takes stands in its own docstring.
        result: Numbers by name, of the state of everything.
        of_counts: The state of counts (N, K, 4) of a batch, where that is all it needs: whoever can count elsewhere, on a GPU say, may.
    """

    description: Config
    measure: Callable[..., State]
    result: Callable[[State], dict[str, float]]
    of_counts: Callable[[NDArray[np.int64]], State] | None = None


def build(given: Config | Mapping[str, Any] | str) -> Metric:
    """Make a metric of its name (`"iou"`), a mapping with the key `name`, or a description.

    Raises:
        ConfigError: The name or a key is unknown, or a value does not fit.
    """
    return build_described(METRICS, given)
