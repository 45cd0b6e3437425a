"""Confident learning: the joint of given and true labels counted from out-of-sample predictions, and the rules that prune by it.

Source: C. Northcutt, L. Jiang, I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021
(https://arxiv.org/abs/1911.00068). Written from the description, and equal to cleanlab 2.9 to the last row, ties included: where two
examples are equally suspicious the order of `numpy.argsort` decides, as it does there.

Throughout, `labels` are `(N,)` class indices, `probabilities` are `(N, K)` out-of-sample class probabilities (float32 or float64), and
a joint is `(K, K)` with given classes in rows and true classes in columns. Inputs are trusted here; `burnish.audit.label_issues` checks
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from scipy.special import xlogy

from burnish.audit.chunks import row_chunks, rows_by_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

Rule = Literal[
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
]
Quality = Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"]

_TIE = 1e-6  # two probabilities nearer than this are taken as equal
_NEVER = 2  # a threshold that no probability reaches: the class has no example to learn one from


def confident_thresholds(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    """The mean probability that each class receives on the examples given to it, `(K,)`; 2 for a class with no example."""
    groups = rows_by_class(labels, probabilities.shape[1])
    means = [np.mean(probabilities[rows, k]) if len(rows) else _NEVER for k, rows in enumerate(groups)]
    return np.clip(means, 2 * _TIE, None)


def confident_joint(labels: NDArray[np.int64], probabilities: Floats, *, calibrate: bool = True) -> NDArray[np.int64]:
    """Count the examples given to class a (row) whose prediction is confidently class b (column), `(K, K)`.

    Args:
        labels: Given class indices, `(N,)`.
        probabilities: Out-of-sample class probabilities, `(N, K)`.
        calibrate: Scale the rows to the number of examples given to each class, so that the whole sums to N.
    """
    return _joint_of(labels, _confident_guesses(labels, probabilities), probabilities.shape[1], calibrate=calibrate)


def noise_matrix(joint: NDArray[np.int64] | Floats) -> NDArray[np.float64]:
    """P(given class | true class), `(K, K)`: rows are given classes, each column sums to 1 (or is empty)."""
    return joint / np.maximum(joint.sum(axis=0, keepdims=True), 1e-100)


def inverse_noise_matrix(joint: NDArray[np.int64] | Floats) -> NDArray[np.float64]:
    """P(true class | given class), `(K, K)`: rows are true classes, each column sums to 1 (or is empty)."""
    return noise_matrix(joint.T)


def confident_issues(
    labels: NDArray[np.int64],
    probabilities: Floats,
    rule: Rule = "prune_by_noise_rate",
    *,
    min_examples_per_class: int = 1,
) -> NDArray[np.bool_]:
    """Flag the examples that a rule of confident learning takes for wrongly labelled.

    Args:
        labels: Given class indices, `(N,)`.
        probabilities: Out-of-sample class probabilities, `(N, K)`.
        rule: `prune_by_noise_rate` takes, for each pair of classes, as many examples as the joint counts; `prune_by_class` as many of each
            given class; `both` what these two share; `confident_learning` the off-diagonal of the joint itself; `predicted_neq_given` every
            disagreement; `low_normalized_margin` and `low_self_confidence` the lowest of these qualities, as many as the joint counts.
        min_examples_per_class: Examples that pruning leaves in every class.

    Returns:
        A mask, `(N,)`.
    """
    if rule == "predicted_neq_given":
        flagged = np.ones(len(labels), dtype=np.bool_)
    elif rule in {"low_normalized_margin", "low_self_confidence"}:
        return _lowest(labels, probabilities, rule)
    elif rule == "confident_learning":
        flagged = _off_diagonal(labels, probabilities)
    else:
        flagged = _pruned(labels, probabilities, rule, min_examples_per_class)
    return flagged & ~_given_is_top(labels, probabilities)


def label_quality(labels: NDArray[np.int64], probabilities: Floats, quality: Quality = "self_confidence") -> Floats:
    """How much the prediction supports each given label, `(N,)` in [0, 1], low is suspicious.

    `self_confidence` is p(given); `normalized_margin` is (p(given) - max p(other) + 1) / 2; `confidence_weighted_entropy` is the normalised
    entropy of the prediction over p(given), mapped to [0, 1].
    """
    return _QUALITIES[quality](labels, probabilities)


def _confident_guesses(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.int64]:
    """The class that each prediction confidently says, `(N,)`; -1 where it says none."""
    limits = confident_thresholds(labels, probabilities) - _TIE
    guesses = np.empty(len(labels), dtype=np.int64)
    for rows in row_chunks(probabilities):
        confident = probabilities[rows] >= limits
        number = confident.sum(axis=1)
        # With two or more confident classes the largest of the whole row decides, even if that one is under its own threshold.
        guesses[rows] = np.where(number > 1, probabilities[rows].argmax(axis=1), confident.argmax(axis=1))
        guesses[rows][number == 0] = -1
    return guesses


def _joint_of(labels: NDArray[np.int64], guesses: NDArray[np.int64], classes: int, *, calibrate: bool) -> NDArray[np.int64]:
    said = guesses >= 0
    cells = guesses[said] * classes + labels[said]
    # Laid out with the true class first, as there, so that sums of the scaled counts round the same way to the last bit.
    joint = np.bincount(cells, minlength=classes * classes).reshape(classes, classes).T
    np.fill_diagonal(joint, joint.diagonal().clip(min=1))
    return _calibrated(joint, np.bincount(labels, minlength=classes)) if calibrate else joint


def _calibrated(joint: NDArray[np.int64], given_counts: NDArray[np.int64]) -> NDArray[np.int64]:
    scaled = (joint.T / np.clip(joint.sum(axis=1), 1e-100, None) * given_counts).T
    scaled = scaled / np.clip(scaled.sum(), 1e-100, None) * given_counts.sum()
    return np.stack([_rounded_keeping_sum(row) for row in scaled])


def _rounded_keeping_sum(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round to integers; those with the largest residuals move by one until the sum is that of `values`."""
    whole = values.round()
    missing = round(float(values.sum().round() - whole.sum()))
    while missing:
        step = 1 if missing > 0 else -1
        most = np.argsort(values - whole)[::-step][: abs(missing)]
        whole[most] += step
        missing = round(float(values.sum().round() - whole.sum()))
    return whole.astype(np.int64)


def _pruned(labels: NDArray[np.int64], probabilities: Floats, rule: Rule, keep: int) -> NDArray[np.bool_]:
    """The examples that the counts of the joint remove, class by class."""
    joint = _keeping_some(confident_joint(labels, probabilities), keep)
    flagged = np.zeros(len(labels), dtype=np.bool_)
    for given, rows in enumerate(rows_by_class(labels, len(joint))):
        if len(rows) <= keep:
            continue
        block = probabilities[rows]
        mask = np.ones(len(rows), dtype=np.bool_)
        if rule in {"prune_by_class", "both"}:
            mask &= _smallest(block[:, given], len(rows) - int(joint[given, given]))
        if rule in {"prune_by_noise_rate", "both"}:
            mask &= _largest_margins(block, given, joint[given])
        flagged[rows] = mask
    return flagged


def _keeping_some(joint: NDArray[np.int64], keep: int) -> NDArray[np.int64]:
    """Raise every diagonal to `keep`, taking the amount evenly from the other non-zero counts of the given class."""
    diagonal = np.maximum(joint.diagonal(), keep)
    others = np.maximum(np.count_nonzero(joint, axis=1) - 1.0, 1.0)
    counts = np.maximum(joint - ((diagonal - joint.diagonal()) / others)[:, None], 0)
    np.fill_diagonal(counts, diagonal)
    return counts.astype(np.int64)


def _largest_margins(block: Floats, given: int, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each other class, its count of examples with the largest p(other) - p(given); `block` holds one given class."""
    mask = np.zeros(len(block), dtype=np.bool_)
    for other in np.flatnonzero(counts):
        if other != given:
            mask |= _smallest(-(block[:, other] - block[:, given]), int(counts[other]))
    return mask


def _smallest(values: Floats, number: int) -> NDArray[np.bool_]:
    """The mask of the first `number` in the order of argsort; sorted in full only where a tie straddles the cut."""
    if number <= 0:
        return np.zeros(len(values), dtype=np.bool_)
    if number >= len(values):
        return np.ones(len(values), dtype=np.bool_)
    mask = values <= np.partition(values, number - 1)[number - 1]
    if np.count_nonzero(mask) != number:
        mask[:] = False
        mask[np.argsort(values)[:number]] = True
    return mask


def _off_diagonal(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.bool_]:
    guesses = _confident_guesses(labels, probabilities)
    return (guesses >= 0) & (guesses != labels)


def _lowest(labels: NDArray[np.int64], probabilities: Floats, rule: Rule) -> NDArray[np.bool_]:
    number = int(np.count_nonzero(_off_diagonal(labels, probabilities) & ~_given_is_top(labels, probabilities)))
    quality: Quality = "normalized_margin" if rule == "low_normalized_margin" else "self_confidence"
    mask = np.zeros(len(labels), dtype=np.bool_)
    mask[np.argsort(label_quality(labels, probabilities, quality))[:number]] = True
    return mask


def _given_is_top(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.bool_]:
    """Where the given label is the prediction; it wins against all that are larger by no more than a tie."""
    top = np.empty(len(labels), dtype=np.bool_)
    for rows in row_chunks(probabilities):
        block, given = probabilities[rows].copy(), labels[rows]
        block[np.arange(len(given)), given] += _TIE
        top[rows] = block.argmax(axis=1) == given
    return top


def _self_confidence(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    return probabilities[np.arange(len(labels)), labels]


def _normalized_margin(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    largest_other = np.empty(len(labels), dtype=probabilities.dtype)
    for rows in row_chunks(probabilities):
        block = probabilities[rows].copy()
        block[np.arange(len(block)), labels[rows]] = -np.inf
        largest_other[rows] = block.max(axis=1)
    return (_self_confidence(labels, probabilities) - largest_other + 1) / 2


def _confidence_weighted_entropy(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    entropy = np.empty(len(labels))
    for rows in row_chunks(probabilities):
        entropy[rows] = -xlogy(probabilities[rows], probabilities[rows]).sum(axis=1) / np.log(probabilities.shape[1])
    ratio = entropy / np.clip(_self_confidence(labels, probabilities), _TIE, None)
    return np.log(ratio + 1) / np.clip(ratio, _TIE, None)


_QUALITIES: dict[Quality, Callable[[NDArray[np.int64], Floats], Floats]] = {
    "self_confidence": _self_confidence,
    "normalized_margin": _normalized_margin,
    "confidence_weighted_entropy": _confidence_weighted_entropy,
}
