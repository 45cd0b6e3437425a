"""How near key points are to the true ones: object keypoint similarity, and the percentage of correct ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError, DataError
from burnish.metrics.metric import Metric
from burnish.metrics.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from burnish.metrics.settings import PckConfig


def keypoint_similarities(predicted: ArrayLike, given: ArrayLike, areas: ArrayLike, sigmas: Sequence[float]) -> NDArray[np.float64]:
    """Object keypoint similarity (n, m) of predicted skeletons with true ones: the mean of exp(-d^2 / (2 area (2 sigma)^2)).

    The mean is over the points of which the truth is known. COCO's evaluation defines it (https://cocodataset.org/#keypoints-eval).

    Args:
        predicted: (n, K, 2 or more) x, y.
        given: (m, K, 3) x, y and visibility, of which 0 does not count; each has a point that does.
        areas: (m,) of the true objects, in square units of the points.
        sigmas: K, how exactly each point can be placed, as a share of the root of the area.
    """
    found, true = np.asarray(predicted, dtype=np.float64), np.asarray(given, dtype=np.float64)
    gaps = ((found[:, None, :, :2] - true[None, :, :, :2]) ** 2).sum(axis=3)
    scale = 2 * np.asarray(areas, dtype=np.float64)[:, None] * (2 * np.asarray(sigmas, dtype=np.float64)) ** 2
    known = true[..., 2] > 0
    near = np.where(known, np.exp(-gaps / np.maximum(scale, np.finfo(np.float64).tiny)), 0.0)
    return near.sum(axis=2) / np.maximum(known.sum(axis=1), 1)


def correct_keypoints(config: PckConfig) -> Metric:
    """`pck`, and with `per_class` `pck/NAME` of each point (Yang and Ramanan, "Articulated human detection ...", 2013).

    It measures points (n, K, 2 or more) of x and y against true ones (n, K, 3) of x, y and visibility, of which 0 does not count; keyword
    `sides` (n,), the longer side of each object's box, in the same unit.
    """
    return Metric(config, partial(_state, config), partial(_result, config))


def _state(config: PckConfig, predicted: ArrayLike, given: ArrayLike, *, sides: ArrayLike) -> State:
    found, true, scale = (np.asarray(values, dtype=np.float64) for values in (predicted, given, sides))
    shapes = found.shape, true.shape, scale.shape
    if (
        found.shape[:2] != true.shape[:2]
        or len(shapes[0]) != true.ndim
        or found.shape[2:] < (2,)
        or true.shape[2:] != (3,)
        or scale.shape != true.shape[:1]
    ):
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
