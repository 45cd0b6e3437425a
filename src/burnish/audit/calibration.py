"""How predictions turn into the probabilities with which the labels were given: bias, exponent and floor, by maximum likelihood.

The fit needs no truth. Labels are taken as drawn from

    P(g | p)  =  (1 - floor) * softmax(exponent * (log p + bias))_g  +  floor * share of class g

so that `exponent` is the inverse of the temperature of C. Guo et al. ("On Calibration of Modern Neural Networks", 2017), fitted to labels
of which a share, `floor`, was given without a look at the example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

_EXPONENTS = np.geomspace(0.25, 3.0, 22)
_COARSE = 4  # every fourth exponent is tried, and then those beside the best
_TINY = np.float32(1e-6)  # a probability of exactly 0 is a rounding, not a certainty
_SAMPLE_ROWS, _SAMPLE_CELLS = 20_000, 1 << 20  # at most so much is read to fit the two numbers of the calibration ...
_SAMPLE_LEAST = 2_000  # ... but so many rows, however many classes there are
_IMAGINARY, _BIAS_STEPS = 10.0, 12


@dataclass(frozen=True, slots=True)
class Calibration:
    """How predictions turn into the probabilities with which the labels were given."""

    bias: NDArray[np.float32]
    """What is added to the log probability of each class, `(K,)`."""
    exponent: float
    """Power that the probabilities are raised to; above 1 the model was too shy, below 1 too sure."""
    floor: float
    """Share of the labels that were given regardless of the example."""
    gain: float
    """Log likelihood by which the predictions explain the sampled labels better than the class shares alone."""


def fit_calibration(labels: NDArray[np.int64], probabilities: Floats) -> Calibration:
    """Bias of the classes, then the likeliest exponent and floor, on a fixed sample of rows."""
    rows = fit_rows(*probabilities.shape)
    given, sample = labels[rows], probabilities[rows]
    shares = _class_shares(labels, probabilities.shape[1])[given]
    bias = _fit_bias(given, sample)
    likelihood, floor, exponent = _likeliest(given, centred_logs(sample, bias), shares)
    return Calibration(bias=bias, exponent=exponent, floor=floor, gain=likelihood - float(np.log(shares).sum()))


def calibrated_likelihood(labels: NDArray[np.int64], probabilities: Floats) -> float:
    """Log likelihood of the given labels under the best exponent and floor: how well predictions explain them at any confidence."""
    return _likeliest(labels, centred_logs(probabilities), _class_shares(labels, probabilities.shape[1])[labels])[0]


def fit_rows(count: int, classes: int) -> NDArray[np.int64]:
    """Rows that a fit of a few numbers reads, fewer of wide tables."""
    return sample_rows(count, max(_SAMPLE_LEAST, min(_SAMPLE_ROWS, _SAMPLE_CELLS // classes)))


def sample_rows(count: int, most: int) -> NDArray[np.int64]:
    """At most so many rows out of `count` that stand for all, ascending and the same every time."""
    return np.arange(count) if most >= count else np.sort(np.random.default_rng(0).permutation(count)[:most])


def centred_logs(block: Floats, bias: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Log probabilities with the bias added, less the largest of each row; a new array."""
    logs = np.add(block, _TINY, dtype=np.float32, casting="same_kind")
    np.log(logs, out=logs)
    if bias is not None:
        logs += bias
    # Faster than a maximum along the rows.
    logs -= logs[np.arange(len(logs)), logs.argmax(axis=1), None]
    return logs


def _class_shares(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    return (np.bincount(labels, minlength=classes) + 1.0) / (len(labels) + classes)


def _fit_bias(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.float32]:
    """Half of the shift after which the mean prediction of each class is its share of the labels; ten imaginary examples hold it back."""
    classes = probabilities.shape[1]
    wanted = np.log(np.bincount(labels, minlength=classes) + _IMAGINARY)
    # Shifting logs is scaling probabilities: a row needs one division, no exponential.
    scaled, factors = probabilities.astype(np.float32) + _TINY, np.ones(classes)
    for _ in range(_BIAS_STEPS):
        weights = factors.astype(np.float32)
        mass = factors * (scaled.T @ (1 / (scaled @ weights))).astype(np.float64)
        bias = np.log(factors) + wanted - np.log(mass + _IMAGINARY)
        factors = np.exp(bias - bias.mean())
    return (np.log(factors) / 2).astype(np.float32)


def _likeliest(labels: NDArray[np.int64], logs: NDArray[np.float32], shares: NDArray[np.float64]) -> tuple[float, float, float]:
    """The largest log likelihood, and the floor and exponent that reach it; `shares` are those of the given classes, `(n,)`."""
    tried: dict[int, tuple[float, float]] = {}

    def worth(place: int) -> float:
        if place not in tried:
            tried[place] = _fit_floor(_given_probability(logs, labels, _EXPONENTS[place]), shares)
        return tried[place][0]

    best = _refined(worth, len(_EXPONENTS))
    return *tried[best], float(_EXPONENTS[best])


def _refined(worth: Callable[[int], float], count: int) -> int:
    """The place of the largest value of a smooth function on `range(count)`, coarse first."""
    coarse = max(range(0, count, _COARSE), key=worth)
    return max(range(max(0, coarse - _COARSE + 1), min(count, coarse + _COARSE)), key=worth)


def _given_probability(logs: NDArray[np.float32], given: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """Softmax probability of the given class, `(n,)`."""
    scaled = logs * np.float32(exponent)
    own = scaled[np.arange(len(given)), given].astype(np.float64)
    return np.exp(own) / np.exp(scaled, out=scaled).sum(axis=1)


def _fit_floor(explained: NDArray[np.float64], shares: NDArray[np.float64]) -> tuple[float, float]:
    """Expectation maximisation of one mixing weight: the log likelihood reached and the weight of `shares`."""
    floor = 0.05
    for _ in range(20):
        unexplained = floor * shares
        floor = float(np.mean(unexplained / (unexplained + (1 - floor) * explained)))
    return float(np.log(floor * shares + (1 - floor) * explained).sum()), floor
