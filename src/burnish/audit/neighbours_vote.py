"""A second opinion from embeddings: what the labels of the nearest examples say.

After Z. Zhu, Z. Dong, Y. Liu, "Detecting Corrupted Labels Without Training a Model to Predict", 2022 (https://arxiv.org/abs/2110.06283),
with one change: how much the neighbours are believed is not set but fitted, as the weight under which prediction and vote together explain
the given labels best. Embeddings that know nothing about the classes get the weight 0 and change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from burnish.audit.calibration import calibrated_likelihood, fit_rows
from burnish.audit.chunks import row_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

_NEIGHBOURS = 10
_REFERENCES = 20_000  # examples that may be neighbours: enough for a vote, and a million rows take minutes, not hours
_WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
_WORTH = 10.0  # log likelihood that the vote must add before it is listened to


def with_neighbours(labels: NDArray[np.int64], probabilities: Floats, embeddings: Floats) -> Floats:
    """Probabilities `(N, K)` blended with the vote of the nearest examples in `embeddings`, `(N, D)`.

    The vote is out of sample: an example is never its own neighbour. The blend is geometric, p ** (1 - w) * vote ** w, normalised; where
    the vote adds nothing the input itself is returned.
    """
    votes = _neighbour_labels(labels, embeddings)
    rows = fit_rows(*probabilities.shape)
    sample, given, voted = probabilities[rows], labels[rows], votes[rows]
    gains = {weight: calibrated_likelihood(given, _blend(sample, voted, weight)) for weight in (0.0, *_WEIGHTS)}
    best = max(_WEIGHTS, key=gains.__getitem__)
    if gains[best] - gains[0.0] < _WORTH:
        return probabilities
    blended = np.empty(probabilities.shape, dtype=np.float32)
    for part in row_chunks(probabilities):
        blended[part] = _blend(probabilities[part], votes[part], best)
    return blended


def _neighbour_labels(labels: NDArray[np.int64], embeddings: Floats) -> NDArray[np.int64]:
    """Given labels of the nearest examples by cosine, `(N, k)`; an example is not its own neighbour."""
    count = len(labels)
    references = np.sort(np.random.default_rng(2).permutation(count)[:_REFERENCES])
    pool = _unit(embeddings[references])
    number = min(_NEIGHBOURS, len(references) - 1)
    place = np.full(count, -1, dtype=np.int64)
    place[references] = np.arange(len(references))
    votes = np.empty((count, number), dtype=np.int64)
    for rows in row_chunks(np.empty((count, 0)), cells=max(1, (1 << 24) // len(references))):
        similar = _unit(embeddings[rows]) @ pool.T
        own = place[rows]
        similar[np.flatnonzero(own >= 0), own[own >= 0]] = -np.inf
        nearest = np.argpartition(-similar, number - 1, axis=1)[:, :number]
        votes[rows] = labels[references][nearest]
    return votes


def _unit(rows: Floats) -> NDArray[np.float32]:
    single = rows.astype(np.float32)
    return single / np.maximum(np.linalg.norm(single, axis=1, keepdims=True), np.float32(1e-12))


def _blend(probabilities: Floats, votes: NDArray[np.int64], weight: float) -> NDArray[np.float32]:
    if not weight:
        return probabilities.astype(np.float32)
    count, classes = probabilities.shape
    counts = np.zeros((count, classes), dtype=np.float32)
    np.add.at(counts, (np.arange(count)[:, None], votes), 1)
    vote = (counts + np.float32(1 / classes)) / np.float32(votes.shape[1] + 1)
    logs = np.float32(1 - weight) * np.log(probabilities.astype(np.float32) + np.float32(1e-6)) + np.float32(weight) * np.log(vote)
    logs -= logs.max(axis=1, keepdims=True)
    blended = np.exp(logs, out=logs)
    return blended / blended.sum(axis=1, keepdims=True)
