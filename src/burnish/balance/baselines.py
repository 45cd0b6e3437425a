"""What others do: repeat factors of images and instances, and weights of inverse frequency, at any wanted size."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.balance.sparse import applied, column_sums, row_sums, turned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from burnish.balance.incidence import Incidence
    from burnish.geometry.arrays import Floats, Ints

NAMES: Final[Mapping[str, str]] = MappingProxyType({"rfs": "RFS", "irfs": "IRFS", "inverse": "inverse frequency"})
"""The baselines and how tables call them."""

_ROUNDS = 60


def baseline_copies(incidence: Incidence, name: str, samples: int, *, max_copies: int) -> Ints:
    """(N,) copies of a baseline whose one parameter is set so that it comes as near to a number of samples as it can, not above.

    RFS (Gupta, Dollar and Girshick, CVPR 2019): a picture comes max over its classes of max(1, sqrt(t / f)) times, f the share of the
    pictures with the class. IRFS (Yaman et al., 2023): f is the geometric mean of that and of the share of the objects. Inverse
    frequency: a picture comes t times the mean over its objects of 1 / f, f the share of the objects, at least once. Fractions are
    rounded by running sums.

    Args:
        incidence: Who is seen where.
        name: rfs, irfs or inverse.
        samples: Copies in all.
        max_copies: Copies of one picture at most.
    """
    factors = _FACTORS[name](incidence)
    low, high = -30.0, 60.0
    best = np.ones(len(incidence), dtype=np.int64)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        copies = _rounded(np.clip(factors(float(np.exp(middle))), 1.0, max_copies))
        if copies.sum() <= samples:
            low, best = middle, copies
        else:
            high = middle
    return best


def repeat_factors(incidence: Incidence, threshold: float, *, instances: bool = False) -> Floats:
    """(N,) repeat factors of RFS, or of IRFS with `instances`."""
    return _repeat(incidence, instances=instances)(threshold)


def _repeat(incidence: Incidence, *, instances: bool) -> Callable[[float], Floats]:
    counts = incidence.counts
    frequency = np.diff(counts.indptr) / len(incidence)
    if instances:
        objects = row_sums(counts)
        frequency = np.sqrt(frequency * objects / objects.sum())
    # The rarest class of a picture has the largest factor, whatever the threshold.
    rarest = np.full(len(incidence), np.inf)
    np.minimum.at(rarest, counts.indices, np.repeat(frequency, np.diff(counts.indptr)))
    return lambda threshold: np.maximum(1.0, np.sqrt(threshold / rarest))


def _inverse(incidence: Incidence) -> Callable[[float], Floats]:
    counts = incidence.counts
    objects = row_sums(counts)
    held = column_sums(counts)
    weight = applied(turned(counts), objects.sum() / objects) / np.maximum(held, 1)
    return lambda scale: np.maximum(1.0, scale * weight)


def _rounded(factors: Floats) -> Ints:
    base = np.floor(factors)
    return (base + np.diff(np.floor(np.cumsum(factors - base) + 0.5), prepend=0.0)).astype(np.int64)


_FACTORS: Final[dict[str, Callable[[Incidence], Callable[[float], Floats]]]] = {
    "rfs": lambda incidence: _repeat(incidence, instances=False),
    "irfs": lambda incidence: _repeat(incidence, instances=True),
    "inverse": _inverse,
}
