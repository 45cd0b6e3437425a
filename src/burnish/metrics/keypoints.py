"""Percentage of correct key points (Yang and Ramanan, "Articulated human detection with flexible mixtures of parts", 2013)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError, DataError
from burnish.metrics.metric import Metric
from burnish.metrics.state import State

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burnish.metrics.settings import PckConfig


def correct_keypoints(config: PckConfig) -> Metric:
    """`pck`, and with `per_class` `pck/NAME` of each point.

    It measures points (n, K, 2 or more) of x and y against true ones (n, K, 3) of x, y and visibility, of which 0 does not count; keyword
    `sides` (n,), the longer side of each object's box, in the same unit.
    """
    return Metric(config, partial(_state, config), partial(_result, config))


def _state(config: PckConfig, predicted: ArrayLike, given: ArrayLike, *, sides: ArrayLike) -> State:
    found, true, scale = (np.asarray(values, dtype=np.float64) for values in (predicted, given, sides))
    shapes = found.shape, true.shape, scale.shape
    if found.shape[:2] != true.shape[:2] or found.shape[2:] < (2,) or true.shape[2:] != (3,) or scale.shape != true.shape[:1]:
        told = " and ".join(map(str, shapes))
        raise DataError(f"Points, true points and sides have the shapes {told}; expected (n, K, 2 or more), (n, K, 3) and (n,).")
    known = true[..., 2] > 0
    near = np.hypot(found[..., 0] - true[..., 0], found[..., 1] - true[..., 1]) <= config.share * scale[:, None]
    return State(sums={"near": (near & known).sum(0), "known": known.sum(0)})


def _result(config: PckConfig, state: State) -> dict[str, float]:
    near, known = (state.sums.get(name, np.zeros(0, np.int64)) for name in ("near", "known"))
    told = {"pck": _ratio(int(near.sum()), int(known.sum()))}
    if not config.per_class:
        return told
    names = config.class_names or tuple(str(number) for number in range(len(known)))
    if len(known) and len(names) != len(known):
        raise ConfigError(f"There are {len(names)} class_names, but {len(known)} key points; expected one for each.")
    counts = zip(names, near.tolist(), known.tolist(), strict=False)
    return told | {f"pck/{name}": _ratio(hits, number) for name, hits, number in counts}


def _ratio(hits: int, number: int) -> float:
    return hits / number if number else float("nan")
