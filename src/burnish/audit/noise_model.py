"""burnish's own model of wrong labels: what the true class is, given the prediction and the given label.

A prediction that was made out of sample is a view of the true class; a given label is another, blurred by a transition matrix
T[a, b] = P(given b | true a). The posterior of the true class y, given the prediction p and the given label g, is

    P(y | p, g)  is proportional to  p_y ** (exponent * sharpness) * T[y, g]

and the score of a label is the posterior mass of all other classes. These things are learned from the given labels alone:

0. `bias`, half of the shift of log p that makes the predicted class shares those of the labels (a model that was trained with balanced
   classes calls too many examples rare). Half, because the other side may be wrong as well: the noise can have moved the labels.
1. `exponent` and `floor`, by maximum likelihood of the given labels under (1 - floor) * softmax(exponent * log p) + floor * class shares.
   This undoes over- and under-confidence, and `floor` is the share of labels that no prediction explains: noise that does not look at
   the example.
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
from scipy.special import expit

from burnish.audit.chunks import in_chunks, row_chunks, rows_by_class
from burnish.audit.transitions import shrunk_transitions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

_EXPONENTS = np.geomspace(0.25, 3.0, 22)  # beyond 3 the likelihood is flat and the order of the sure ones is lost
_TINY = np.float32(1e-6)  # a probability of exactly 0 is a rounding, not a certainty
_SAMPLE_ROWS, _SAMPLE_CELLS = 20_000, 1 << 20  # at most so much is read to fit the two numbers of the calibration ...
_SAMPLE_LEAST = 2_000  # ... but so many rows, however many classes there are
_IMAGINARY, _BIAS_STEPS = 10.0, 12
_SURE_SHARE = 0.25  # of the predictions of a class that serve as its anchors ...
_SURE_LEAST = 20  # ... but at least so many
_EVIDENCE = 4.0  # log likelihood by which predictions must beat the class shares (by chance about once in fifty), ...
_ERRORS = 3.0  # ... or standard errors by which they must agree with the labels more often than if shuffled


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
    """Middle of the range of sharpness for the order of the labels."""
    count_sharpness: float
    """Sharpness for the number of wrong labels."""


def fit_noise_model(labels: NDArray[np.int64], probabilities: Floats) -> NoiseModel:
    """Learn the noise of `labels`, `(N,)`, from out-of-sample `probabilities`, `(N, K)`; deterministic."""
    calibration = fit_calibration(labels, probabilities)
    guesses, sureness = _sureness(probabilities, calibration)
    disagreement = float(np.mean(guesses != labels))
    explained = min(1.0, calibration.floor / max(disagreement, 1e-9))
    classes, surest = probabilities.shape[1], _surest(guesses, sureness, probabilities.shape[1])
    strong, heavy = _strong(sureness), float(np.clip((disagreement - 0.3) / 0.1, 0, 1))
    honest = float(np.clip((2.5 - calibration.exponent) / 0.75, 0, 1))
    return NoiseModel(
        calibration=calibration,
        anchors=shrunk_transitions(_counts(labels[surest], guesses[surest], classes)),
        everywhere=shrunk_transitions(_counts(labels, guesses, classes)),
        informed=calibration.gain > _EVIDENCE or _agreement_beats_chance(labels, guesses, classes),
        disagreement=disagreement,
        explained=explained,
        score_sharpness=1 + (1 - explained) * (1 + 2 * max(strong, heavy)),
        count_sharpness=1 + (1 - explained) * (0.5 + honest * (0.5 + max(2 * strong, 4 * heavy))),
    )


def fit_calibration(labels: NDArray[np.int64], probabilities: Floats) -> Calibration:
    """Bias of the classes, then maximum-likelihood exponent and floor, on a fixed sample of rows."""
    rows = sample_rows(*probabilities.shape)
    shares = _class_shares(labels, probabilities.shape[1])[labels[rows]]
    bias = _fit_bias(labels[rows], probabilities[rows])
    likelihood, floor, exponent = _likeliest(labels[rows], _centred_logs(probabilities[rows], bias), shares)
    return Calibration(bias=bias, exponent=exponent, floor=floor, gain=likelihood - float(np.log(shares).sum()))


def sample_rows(count: int, classes: int) -> NDArray[np.int64]:
    """Rows that stand for all in a fit, ascending and the same every time; fewer of wide tables."""
    number = max(_SAMPLE_LEAST, min(_SAMPLE_ROWS, _SAMPLE_CELLS // classes))
    return np.sort(np.random.default_rng(0).permutation(count)[:number])


def calibrated_likelihood(labels: NDArray[np.int64], probabilities: Floats) -> float:
    """Log likelihood of the given labels under the best exponent and floor: how well predictions explain them at any confidence."""
    return _likeliest(labels, _centred_logs(probabilities), _class_shares(labels, probabilities.shape[1])[labels])[0]


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
    # Contiguous by given class, so that the column of a label is one row of memory.
    anchors, everywhere = (np.ascontiguousarray(t.T, dtype=np.float32) for t in (model.anchors, model.everywhere))
    exponent, trust = model.calibration.exponent, 0.5 + 0.5 * model.explained
    powers = [exponent * sharpness for sharpness in (model.count_sharpness, 1.0, 1.5 * model.score_sharpness)]

    def work(rows: slice) -> None:
        logs, given = _centred_logs(probabilities[rows], model.calibration.bias), labels[rows]
        index, by_anchor, by_all = np.arange(len(given)), anchors[given], everywhere[given]
        own = logs[index, given].astype(np.float64)
        logs[index, given] = -np.inf  # leaves the other classes
        agrees[rows] = own >= 0
        counted, blunt, sharp = (_Evidence(np.exp(logs * np.float32(power)), own * power) for power in powers)
        kept, kept_all = by_anchor[index, given], by_all[index, given]
        counting[rows] = trust * expit(_odds(counted, by_anchor, kept)) + (1 - trust) * expit(_odds(counted, by_all, kept_all))
        # How sharp is right is not known: the order is by the mean of a blunt and a sharp reading.
        score[rows] = expit((_odds(blunt, by_anchor, kept) + _odds(sharp, by_anchor, kept)) / 2)

    in_chunks(work, probabilities)
    return Posteriors(score=score, counting=counting, agrees=agrees)


def suggest(labels: NDArray[np.int64], probabilities: Floats, model: NoiseModel, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """The likeliest class other than the given one for the examples in `rows`, `(n,)`."""
    anchors = np.log(model.anchors.T).astype(np.float32)
    power = np.float32(model.calibration.exponent * model.score_sharpness)
    suggested = np.empty(len(rows), dtype=np.int64)
    for part in row_chunks(np.broadcast_to(np.float32(0), (len(rows), probabilities.shape[1]))):
        given = labels[rows[part]]
        evidence = _centred_logs(probabilities[rows[part]], model.calibration.bias) * power + anchors[given]
        evidence[np.arange(len(given)), given] = -np.inf
        suggested[part] = evidence.argmax(axis=1)
    return suggested


def _class_shares(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    return (np.bincount(labels, minlength=classes) + 1.0) / (len(labels) + classes)


def _fit_bias(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.float32]:
    """Half of the shift after which the mean prediction of each class is its share of the labels; ten imaginary examples hold it back."""
    classes = probabilities.shape[1]
    wanted = np.log(np.bincount(labels, minlength=classes) + _IMAGINARY)
    logs, bias = _centred_logs(probabilities), np.zeros(classes)
    for _ in range(_BIAS_STEPS):
        shifted = np.exp(logs + bias.astype(np.float32))
        bias += wanted - np.log((shifted / shifted.sum(axis=1, keepdims=True)).sum(axis=0, dtype=np.float64) + _IMAGINARY)
        bias -= bias.mean()
    return (bias / 2).astype(np.float32)


def _likeliest(labels: NDArray[np.int64], logs: NDArray[np.float32], shares: NDArray[np.float64]) -> tuple[float, float, float]:
    """The largest log likelihood, and the floor and exponent that reach it; `shares` are those of the given classes, `(n,)`."""
    return max((*_fit_floor(_given_probability(logs, labels, exponent), shares), float(exponent)) for exponent in _EXPONENTS)


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


def _centred_logs(block: Floats, bias: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Log probabilities with the bias added, less the largest of each row."""
    logs = block.astype(np.float32)
    logs += _TINY
    np.log(logs, out=logs)
    if bias is not None:
        logs += bias
    logs -= logs.max(axis=1, keepdims=True)
    return logs


def _sureness(probabilities: Floats, calibration: Calibration) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The predicted class and its calibrated probability, each `(N,)`."""
    guesses, sureness = np.empty(len(probabilities), dtype=np.int64), np.empty(len(probabilities))

    def work(rows: slice) -> None:
        logs = _centred_logs(probabilities[rows], calibration.bias)
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


def _strong(sureness: NDArray[np.float64]) -> float:
    """How alike the predictions are in sureness, 0 to 1: a strong model is about as sure of its 10 % as of its 90 % quantile."""
    low, high = np.quantile(sureness, [0.1, 0.9])
    return float(np.clip((low / high - 0.6) / 0.2, 0, 1))


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


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Predictions raised to one power: of the other classes, `(n, K)` with 0 at the given class, and the log of the given one's, `(n,)`."""

    others: NDArray[np.float32]
    own: NDArray[np.float64]


def _odds(evidence: _Evidence, to_given: NDArray[np.float32], kept: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log odds that a label is wrong, `(n,)`.

    Args:
        evidence: The predictions.
        to_given: P(given | each true class), `(n, K)`.
        kept: P(given | the given class is the true one), `(n,)`.
    """
    with np.errstate(divide="ignore"):  # nothing left for the others: the odds are minus infinity, the score 0
        return np.log(np.einsum("nk,nk->n", evidence.others, to_given).astype(np.float64)) - evidence.own - np.log(kept.astype(np.float64))
