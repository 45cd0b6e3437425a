"""A linear probe: ridge regression on features, wary of wrong labels, with calibrated probabilities.

The probe is fitted in closed form, so that its leave-one-out predictions on its own training part come for free. They choose
the strength of the regularisation, they fit the temperature that makes the probabilities calibrated with respect to the given
labels, and they say which training labels look wrong: those count less in a second fit. Nothing else is looked at.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from burnish.engine.algebra import single_threaded_algebra
from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float32]

_STRENGTHS = 10.0 ** np.arange(-6.0, -0.99, 0.25)
_JUDGED_ROWS = 5000
_LEAST_TRUST = 0.1
_EM_ROUNDS = 50
_MANY_ROWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A fitted probe; all that `probe_probabilities` needs.

    Attributes:
        weights: (D, K), float32.
        intercept: (K,), float32.
        prior: (K,), float64; smoothed share of each class, which the probabilities fall back to where the features say nothing.
        temperature: What scores are multiplied with before the softmax.
        strength: The regularisation that was chosen, as a share of the features' total variance.
    """

    weights: Floats
    intercept: Floats
    prior: NDArray[np.float64]
    temperature: float
    strength: float


def fit_probe(
    features: NDArray[np.floating],
    labels: ArrayLike,
    num_classes: int,
    *,
    balanced: bool = False,
    wary: bool = True,
    seed: int = 0,
) -> Probe:
    """Fit class probabilities on features.

    Args:
        features: (N, D), finite; patch features or embeddings. One common scale is removed, so they need not be standardised;
            single features keep their relative weight.
        labels: (N,), integers from 0 to `num_classes` - 1; a class may be absent.
        num_classes: K, the number of columns that the probabilities get.
        balanced: Whether all classes count the same, as with a weighted sampler.
        wary: Whether training labels that look wrong to the rest count less in a second fit.
        seed: Chooses the rows that judge regularisation and temperature where there are more than 5000.

    Raises:
        DataError: The arrays do not fit together, hold numbers that are not finite, or there is no row.
    """
    rows, given = _checked(features, labels, num_classes)
    with single_threaded_algebra() if len(rows) < _MANY_ROWS else nullcontext():
        return _fitted(rows, given, num_classes, balanced=balanced, wary=wary, seed=seed)


def probe_probabilities(probe: Probe, features: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, K) class probabilities; rows sum to 1.

    Args:
        probe: From `fit_probe`.
        features: (N, D) of the same kind as the probe was fitted on.
    """
    return _probabilities(np.asarray(features, np.float32) @ probe.weights + probe.intercept, probe.prior, probe.temperature)


def _fitted(rows: Floats, given: NDArray[np.int64], num_classes: int, *, balanced: bool, wary: bool, seed: int) -> Probe:
    weights = _class_weights(given, num_classes) if balanced else np.ones(len(given), np.float32)
    judges = np.sort(np.random.default_rng(seed).permutation(len(given))[:_JUDGED_ROWS])
    space = _space(rows)
    targets = np.eye(num_classes, dtype=np.float32)[given]
    prior = (weights @ targets + 0.5) / (weights.sum() + 0.5 * num_classes)
    fit = _ridge(space.rows, targets, weights, judges)
    temperature = _temperature(fit.left_out[judges], given[judges], prior)
    if wary and len(given) > num_classes:
        trust = _trust(_probabilities(fit.left_out, prior, temperature), given)
        fit = _ridge(space.rows, targets, weights * np.maximum(trust, _LEAST_TRUST).astype(np.float32), judges)
        temperature = _temperature(fit.left_out[judges], given[judges], prior)
    coefficients = (space.basis @ fit.coefficients).astype(np.float32)
    intercept = (fit.intercept - space.centre @ coefficients).astype(np.float32)
    return Probe(coefficients, intercept, prior, temperature, fit.strength)


@dataclass(frozen=True, slots=True)
class _Space:
    """Rows in coordinates no more numerous than the rows: `original - centre = rows @ basis.T`."""

    rows: Floats
    basis: Floats
    centre: Floats


@dataclass(frozen=True, slots=True)
class _Fit:
    coefficients: Floats
    intercept: Floats
    left_out: Floats
    strength: float


def _checked(features: NDArray[np.floating], labels: ArrayLike, num_classes: int) -> tuple[Floats, NDArray[np.int64]]:
    rows, given = np.asarray(features, np.float32), np.asarray(labels)
    if rows.ndim != 2 or given.shape != rows.shape[:1] or len(given) == 0:  # noqa: PLR2004
        raise DataError(f"a probe needs features (N, D) and labels (N,) with N at least 1, and these are {rows.shape} and {given.shape}")
    if not np.issubdtype(given.dtype, np.integer) or given.min() < 0 or given.max() >= num_classes:
        raise DataError(
            f"labels must be integers from 0 to {num_classes - 1}, and these run from {given.min()} to {given.max()} ({given.dtype})"
        )
    if not np.isfinite(rows).all():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        raise DataError(f"features of {len(bad)} rows are not finite (first: row {bad[0]}): leave these rows out", rows=bad[:20].tolist())
    return rows, given.astype(np.int64)


def _class_weights(given: NDArray[np.int64], num_classes: int) -> Floats:
    counts = np.bincount(given, minlength=num_classes)
    return (len(given) / np.count_nonzero(counts) / counts[given]).astype(np.float32)


def _space(rows: Floats) -> _Space:
    centre = rows.mean(axis=0)
    centred = rows - centre
    scale = float(np.sqrt(np.mean(np.einsum("ij,ij->i", centred, centred)))) or 1.0
    centred /= scale
    if len(rows) >= rows.shape[1]:
        return _Space(centred, np.eye(rows.shape[1], dtype=np.float32) / np.float32(scale), centre)
    variance, vectors = eigh(centred @ centred.T, driver="evd", check_finite=False)
    length = np.sqrt(np.maximum(variance, 1e-6 * max(float(variance[-1]), 1e-6)))
    return _Space(vectors * length, centred.T @ (vectors / length) / np.float32(scale), centre)


def _ridge(rows: Floats, targets: Floats, weights: Floats, judges: NDArray[np.int64]) -> _Fit:
    """Weighted ridge regression with an intercept; strength by leave-one-out squared error on the judges."""
    share = weights / weights.sum()
    centre, level = share @ rows, share @ targets
    centred, wanted = rows - centre, targets - level
    variance, vectors = eigh(centred.T @ (share[:, None] * centred), driver="evd", check_finite=False)
    rotated, answers = centred @ vectors, vectors.T @ (centred.T @ (share[:, None] * wanted))
    variance = np.maximum(variance, 0.0)

    def left_out(strength: float, chosen: NDArray[np.int64] | slice) -> Floats:
        shrunk = (1.0 / (variance + strength)).astype(np.float32)
        part = rotated[chosen]
        leverage = share[chosen] * (1.0 + part**2 @ shrunk)
        residual = wanted[chosen] - part @ (shrunk[:, None] * answers)
        return targets[chosen] - residual / np.maximum(1.0 - leverage, 1e-3)[:, None]

    errors = [float(np.sum(share[judges, None] * (targets[judges] - left_out(value, judges)) ** 2)) for value in _STRENGTHS]
    strength = float(_STRENGTHS[int(np.argmin(errors))])
    coefficients = (vectors @ (answers / (variance + strength).astype(np.float32)[:, None])).astype(np.float32)
    return _Fit(coefficients, level - centre @ coefficients, left_out(strength, slice(None)), strength)


def _probabilities(scores: Floats, prior: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    return softmax(temperature * (scores.astype(np.float64) - prior) + np.log(prior), axis=1)


def _temperature(scores: Floats, given: NDArray[np.int64], prior: NDArray[np.float64]) -> float:
    """The factor under which the given labels are most likely (Guo et al., "On calibration of modern neural networks", ICML 2017)."""
    centred, rows = (scores - prior).astype(np.float64), np.arange(len(given))

    def surprise(log_factor: float) -> float:
        return -float(np.mean(log_softmax(np.exp(log_factor) * centred + np.log(prior), axis=1)[rows, given]))

    return float(np.exp(minimize_scalar(surprise, bounds=(-3.0, 5.0), method="bounded", options={"xatol": 0.01}).x))


def _trust(probabilities: NDArray[np.float64], given: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) probability that each given label is right, under a noise matrix fitted by expectation maximisation (Dawid and Skene, 1979)."""
    count, classes = probabilities.shape
    matrix = 0.7 * np.eye(classes) + 0.3 / classes
    belief = probabilities
    for _ in range(_EM_ROUNDS):
        belief = probabilities * matrix[:, given].T
        belief /= belief.sum(axis=1, keepdims=True)
        joint = np.full((classes, classes), 1e-3)
        for label in range(classes):
            joint[:, label] += belief[given == label].sum(axis=0)
        matrix = joint / joint.sum(axis=1, keepdims=True)
    return belief[np.arange(count), given]
