"""The probability that each label is wrong, under a noise model: what `judge` reports and `suggest` proposes.

Examples are taken class by class of their given label: the column of the transitions that a class needs is then one vector, and a sum over
all other classes one product of a matrix and a vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.special import expit

from burnish.audit.calibration import centred_logs
from burnish.audit.chunks import class_chunks, on_threads, row_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.audit.noise_model import NoiseModel

    Floats: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Posteriors:
    """The judgement of every label, arrays of `(N,)`."""

    score: NDArray[np.float64]
    """Probability that the label is wrong, by which labels are ordered."""
    counting: NDArray[np.float64]
    """The same for the count of wrong labels, between the two readings of the noise."""
    agrees: NDArray[np.bool_]
    """Whether the given class is the one predicted, or as likely."""


def judge(labels: NDArray[np.int64], probabilities: Floats, model: NoiseModel) -> Posteriors:
    """Posterior probability that each label is wrong, a few rows at a time."""
    score, counting, agrees = np.empty(len(labels)), np.empty(len(labels)), np.empty(len(labels), dtype=np.bool_)
    exponent, trust = model.calibration.exponent, np.array([model.anchors_share, 1 - model.anchors_share])

    def work(part: tuple[int, NDArray[np.intp]]) -> None:
        given, rows = part
        logs = centred_logs(probabilities[rows], model.calibration.bias)
        own = exponent * logs[:, given].astype(np.float64)
        agrees[rows] = own >= 0
        logs *= np.float32(exponent)
        evidence = np.exp(logs, out=logs)
        evidence[:, given] = 0  # leaves the other classes
        anchors, columns = model.anchors[:, [given]], np.stack([model.anchors[:, given], model.everywhere[:, given]], axis=1)
        sharp, counted = _raised(evidence, model.score_sharpness), _raised(evidence, model.count_sharpness)
        # How sharp is right is not known: the order is by the mean of a blunt and a sharp reading.
        blunt_odds, sharp_odds = _odds(evidence, own, anchors, given), _odds(sharp, model.score_sharpness * own, anchors, given)
        score[rows] = expit((blunt_odds + sharp_odds)[:, 0] / 2)
        counting[rows] = expit(_odds(counted, model.count_sharpness * own, columns, given)) @ trust

    on_threads(work, class_chunks(labels, probabilities))
    return Posteriors(score=score, counting=counting, agrees=agrees)


def suggest(labels: NDArray[np.int64], probabilities: Floats, model: NoiseModel, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """The likeliest class other than the given one for the examples in `rows`, `(n,)`."""
    transitions = np.log(model.anchors.T).astype(np.float32)
    power = np.float32(model.calibration.exponent * model.score_sharpness)
    suggested = np.empty(len(rows), dtype=np.int64)
    for part in row_chunks(np.broadcast_to(np.float32(0), (len(rows), probabilities.shape[1]))):
        given = labels[rows[part]]
        evidence = centred_logs(probabilities[rows[part]], model.calibration.bias) * power + transitions[given]
        evidence[np.arange(len(given)), given] = -np.inf
        suggested[part] = evidence.argmax(axis=1)
    return suggested


def _raised(evidence: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """`evidence` to the power of a multiple of one half, at least 1, without a logarithm."""
    raised = evidence * np.sqrt(evidence) if power % 1 else evidence
    for _ in range(int(power) - 1):
        raised = raised * evidence
    return raised


def _odds(others: NDArray[np.float32], own: NDArray[np.float64], to_given: NDArray[np.float64], given: int) -> NDArray[np.float64]:
    """Log odds that labels of one class are wrong, `(n, m)`.

    Args:
        others: Evidence for each other class, `(n, K)`, with 0 at the given class.
        own: Log of the evidence for the given class, `(n,)`.
        to_given: P(given | each true class), `(K, m)`, of m readings of the noise.
        given: The given class.
    """
    mass = others @ to_given.astype(np.float32)
    with np.errstate(divide="ignore"):  # nothing left for the others: the odds are minus infinity, the score 0
        return np.log(mass, dtype=np.float64) - own[:, None] - np.log(to_given[given])
