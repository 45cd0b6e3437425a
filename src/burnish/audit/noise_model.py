"""burnish's own model of wrong labels: what the true class is, given the prediction and the given label.

A prediction that was made out of sample is a view of the true class; a given label is another, blurred by a transition matrix
T[a, b] = P(given b | true a). The posterior of the true class y, given the prediction p and the given label g, is

    P(y | p, g)  is proportional to  p_y ** (exponent * sharpness) * T[y, g]

and the score of a label is the posterior mass of all other classes. These things are learned from the given labels alone:

0. `bias`, half of the shift of log p that makes the predicted class shares those of the labels (a model that was trained with balanced
   classes calls too many examples rare). Half, because the other side may be wrong as well: the noise can have moved the labels.
1. `exponent` and `floor`, by maximum likelihood of the given labels (see `burnish.audit.calibration`). This undoes over- and
   under-confidence, and `floor` is the share of labels that no prediction explains: noise that does not look at the example.
2. `anchors`, the transitions counted where the model is surest (the surest quarter of the predictions of each class), because there a
   disagreement is a wrong label and not a mistake of the model.
3. `everywhere`, the same counted over all predictions: what the noise would be if the model were always right.
4. Both are shrunk by empirical Bayes: the rate of each class towards the mean rate (beta-binomial), and its spread over the other classes
   towards an even one (Dirichlet-multinomial), each as much as the likelihood of the counts asks for. Sparse noise keeps its zeros, even
   noise becomes even, and a class with few examples borrows from the rest.

Whether a disagreement on an ambiguous example is the annotator's mistake or the model's cannot be told from predictions and labels (both
give the same likelihood). `sharpness` is the side taken: the share of disagreements that the floor does not explain is put down to the
annotator in part, and more so where the probabilities are honest as they are and either all about equally sure (a strong model whose
confidence is capped by label noise) or at odds with very many labels. The constants were chosen on predictions of small models with
injected noise of several kinds, on simulated logits, and on published predictions with synthetic noise
(https://github.com/cgnorthcutt/confidentlearning-reproduce).

The transition model is that of C. Northcutt et al. (https://arxiv.org/abs/1911.00068) and A. Dawid, A. Skene (1979); anchors are those of
T. Liu, D. Tao (https://arxiv.org/abs/1411.7718).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from burnish.audit.calibration import Calibration, centred_logs, fit_calibration, sample_rows
from burnish.audit.chunks import in_chunks, rows_by_class
from burnish.audit.transitions import shrunk_transitions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

_SURE_SHARE = 0.25  # of the predictions of a class that serve as its anchors ...
_SURE_LEAST = 20  # ... but at least so many
_ENOUGH_ROWS, _ENOUGH_PER_CLASS = 100_000, 1_000  # rows that tell the transitions as well as all
_EVIDENCE = 4.0  # log likelihood by which predictions must beat the class shares (by chance about once in fifty), ...
_ERRORS = 3.0  # ... or standard errors by which they must agree with the labels more often than if shuffled


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """What `fit_noise_model` learned; rows of the transitions are true classes, columns given classes, each row sums to 1."""

    calibration: Calibration
    anchors: NDArray[np.float64]
    """Transitions where the model is surest, `(K, K)`."""
    everywhere: NDArray[np.float64]
    """Transitions if every prediction were right, `(K, K)`."""
    informed: bool
    """Whether the predictions know more about the labels than chance; if not, no label can be called wrong on their word."""
    disagreement: float
    """Share of the labels that differ from the prediction."""
    explained: float
    """Share of the disagreements that the floor explains."""
    score_sharpness: float
    """The sharp end of the two readings that order the labels, a multiple of one half; the blunt one is 1."""
    count_sharpness: float
    """Sharpness for the number of wrong labels, a multiple of one half."""
    anchors_share: float
    """Weight of the anchors in the number of wrong labels; the rest is that of the transitions everywhere."""


def fit_noise_model(labels: NDArray[np.int64], probabilities: Floats) -> NoiseModel:
    """Learn the noise of `labels`, `(N,)`, from out-of-sample `probabilities`, `(N, K)`; deterministic. Of very many rows some are read."""
    rows = sample_rows(len(labels), max(_ENOUGH_ROWS, _ENOUGH_PER_CLASS * probabilities.shape[1]))
    if len(rows) < len(labels):
        labels, probabilities = labels[rows], probabilities[rows]
    calibration = fit_calibration(labels, probabilities)
    guesses, sureness = _sureness(probabilities, calibration)
    disagreement = float(np.mean(guesses != labels))
    explained = min(1.0, calibration.floor / max(disagreement, 1e-9))
    classes, surest = probabilities.shape[1], _surest(guesses, sureness, probabilities.shape[1])
    anchors = shrunk_transitions(_counts(labels[surest], guesses[surest], classes))
    alike, heavy = _alikeness(sureness), _ramp(disagreement, 0.3, 0.4)
    strong = _ramp(alike, 0.6, 0.8)
    honest = 1 - _ramp(calibration.exponent, 1.75, 2.5)
    return NoiseModel(
        calibration=calibration,
        anchors=anchors,
        everywhere=shrunk_transitions(_counts(labels, guesses, classes)),
        informed=calibration.gain > _EVIDENCE or _agreement_beats_chance(labels, guesses, classes),
        disagreement=disagreement,
        explained=explained,
        score_sharpness=_to_halves(1.5 + 1.5 * (1 - explained) * (1 + 2 * max(strong, heavy))),
        count_sharpness=_to_halves(1 + (1 - explained) * (0.5 + honest * (0.5 + max(2 * strong, 4 * heavy)))),
        anchors_share=0.5 + 0.5 * explained,
    )


def _sureness(probabilities: Floats, calibration: Calibration) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The predicted class and its calibrated probability, each `(N,)`."""
    guesses, sureness = np.empty(len(probabilities), dtype=np.int64), np.empty(len(probabilities))

    def work(rows: slice) -> None:
        logs = centred_logs(probabilities[rows], calibration.bias)
        guesses[rows] = logs.argmax(axis=1)
        logs *= np.float32(calibration.exponent)
        sureness[rows] = 1 / np.exp(logs, out=logs).sum(axis=1)

    in_chunks(work, probabilities)
    return guesses, sureness


def _agreement_beats_chance(labels: NDArray[np.int64], guesses: NDArray[np.int64], classes: int) -> bool:
    """Whether predictions and labels agree more often, by standard errors, than if they were shuffled."""
    given, guessed = (np.bincount(values, minlength=classes) / len(labels) for values in (labels, guesses))
    chance = float((given * guessed).sum())
    return float(np.mean(labels == guesses)) - chance > _ERRORS * float(np.sqrt(chance * (1 - chance) / len(labels)))


def _alikeness(sureness: NDArray[np.float64]) -> float:
    """How alike the predictions are in sureness: the 10 % over the 90 % quantile, near 1 for a strong model."""
    low, high = np.quantile(sureness, [0.1, 0.9])
    return float(low / high)


def _to_halves(sharpness: float) -> float:
    """Rounded to a multiple of one half, so that powers of a table are products and roots of it."""
    return round(2 * sharpness) / 2


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between."""
    return float(np.clip((value - low) / (high - low), 0, 1))


def _counts(labels: NDArray[np.int64], guesses: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """How often each class was given (columns) where each was predicted (rows), `(K, K)`."""
    return np.bincount(guesses * classes + labels, minlength=classes**2).reshape(classes, classes).astype(np.float64)


def _surest(guesses: NDArray[np.int64], sureness: NDArray[np.float64], classes: int) -> NDArray[np.intp]:
    """The rows of the surest predictions of each class: the anchors."""
    kept: list[NDArray[np.intp]] = []
    for rows in rows_by_class(guesses, classes):
        number = max(_SURE_LEAST, int(np.ceil(len(rows) * _SURE_SHARE)))
        kept.append(rows if number >= len(rows) else rows[np.argsort(-sureness[rows], kind="stable")[:number]])
    return np.concatenate(kept)
