"""Transition matrices from counts, shrunk by empirical Bayes: as much as the likelihood of the counts asks for, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    from numpy.typing import NDArray


def shrunk_transitions(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(given b | true a), `(K, K)` with rows that sum to 1, from counts of given classes (columns) in true classes (rows).

    The share of wrong labels of a class is drawn towards the mean share (beta-binomial), and its spread over the other classes towards an
    even one (Dirichlet-multinomial; G. Polya).
    """
    classes = len(counts)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    rates = _shrunk_rates(wrong.sum(axis=1), counts.sum(axis=1))
    transitions = _shrunk_spread(wrong) * rates[:, None]
    transitions[np.arange(classes), np.arange(classes)] = 1 - rates
    return transitions


def _shrunk_rates(wrong: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of wrong labels per true class: posterior mean under the beta prior of the likeliest strength."""
    mean = (wrong.sum() + 0.5) / (total.sum() + 1)

    def likelihood(strength: float) -> float:
        a, b = strength * mean, strength * (1 - mean)
        terms = gammaln(wrong + a) + gammaln(total - wrong + b) - gammaln(total + strength)
        return float(terms.sum() + len(wrong) * (gammaln(strength) - gammaln(a) - gammaln(b)))

    strength = max(np.geomspace(1, 1e5, 40), key=likelihood)
    return (wrong + strength * mean) / (total + strength)


def _shrunk_spread(wrong: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which other class a wrong label of each class falls on: posterior mean under an even Dirichlet prior of the likeliest strength."""
    classes = len(wrong)
    totals, seen = wrong.sum(axis=1), wrong[wrong > 0]

    def likelihood(strength: float) -> float:
        each = strength / (classes - 1)
        per_class = gammaln(strength) - gammaln(totals + strength)
        return float(per_class.sum() + (gammaln(seen + each) - gammaln(each)).sum())

    strength = max(np.geomspace(classes * 0.05, 1e5, 40), key=likelihood)
    return (wrong + strength / (classes - 1)) / (totals + strength)[:, None]
