"""How alike two pictures of this very dataset are by chance, and how many false pairs a threshold will let through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MIDDLE, _HIGH, _HIGHER = 0.5, 0.9, 0.99
_LEAST_SAMPLES: Final = 20
_LEAST_FOR_FAR: Final = 300
_MIXTURE: Final = 0.75
_ALMOST_ONE: Final = 1 - 1e-7


@dataclass(frozen=True, slots=True)
class ChanceTail:
    """The upper tail of the correlation of random pairs, exponential in Fisher's z.

    Attributes:
        start: z (the inverse hyperbolic tangent of the correlation) that one random pair in ten exceeds.
        rate: By how much the logarithm of the chance falls with each unit of z.
    """

    start: float
    rate: float

    def chance(self, correlation: ArrayLike) -> NDArray[np.float64]:
        """Chance that a random pair is at least so alike; above the tail's start it is at most 0.1."""
        excess = np.maximum(_fisher(correlation) - self.start, 0.0)
        return (1 - _HIGH) * np.exp(-self.rate * excess)

    def threshold(self, pairs: float, false_pairs: float) -> float:
        """Correlation above which `pairs` random pairs give `false_pairs` by chance."""
        if pairs * (1 - _HIGH) <= false_pairs:
            return math.tanh(self.start)
        return math.tanh(self.start + math.log(pairs * (1 - _HIGH) / false_pairs) / self.rate)


def chance_tail(correlations: ArrayLike) -> ChanceTail:
    """Fit the tail to the correlations of pairs drawn at random from the dataset.

    Some of the drawn pairs are true copies, so the far tail is not looked at. The rate is that between the median and the 90 % point or,
    from 300 pairs on and where it is steeper, three quarters of that between the 90 % and 99 % points. Bell-shaped tails fall faster than
    the first and than the whole of the second; the quarter is taken off because datasets are mixtures: framed pictures, or objects on
    white, are more alike among themselves than pairs in general (on CIFAR-10 that is the rate down to one pair in a million).

    Args:
        correlations: (m,) values in [-1, 1]. With fewer than 20 the tail of unrelated natural pictures is assumed.
    """
    z = _fisher(correlations)
    if len(z) < _LEAST_SAMPLES:
        return ChanceTail(start=0.3, rate=12.0)
    middle, high, higher = np.quantile(z, (_MIDDLE, _HIGH, _HIGHER))
    near = math.log((1 - _MIDDLE) / (1 - _HIGH)) / max(high - middle, 1e-3)
    far = math.log((1 - _HIGH) / (1 - _HIGHER)) / max(higher - high, 1e-3) if len(z) >= _LEAST_FOR_FAR else 0.0
    return ChanceTail(start=float(high), rate=max(near, _MIXTURE * far))


def _fisher(correlation: ArrayLike) -> NDArray[np.float64]:
    return np.arctanh(np.clip(np.asarray(correlation, dtype=np.float64), -_ALMOST_ONE, _ALMOST_ONE))
