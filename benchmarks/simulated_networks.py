"""Simulated networks for `label_issue_sets.py`: what a network that learned from noisy labels would predict, without training one.

    python benchmarks/simulated_networks.py FOLDER

Each example has evidence for every class, more for its own by how clear it is. People mislabel what is unclear to them, chance
mislabels the rest; the network sees the evidence through errors of its own, has learned the mean confusion of the labels to some
degree, and is over- or under-confident. All of this is drawn, the same every time; 48 sets are written as `label_issue_sets.py make`
does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    for seed in range(48):
        given, truth, probabilities, name = network(seed)
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / "noisy_labels.npy", given)
        np.save(place / "true_labels.npy", truth)
        np.save(place / "pred_probs.npy", probabilities)


def network(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Given labels, true labels and predictions of one set, and its name."""
    rng = np.random.default_rng(1000 + seed)
    count, classes = int(rng.choice([3000, 10000, 30000])), int(rng.choice([3, 10, 10, 10, 30]))
    count = min(count, 10_000) if classes == 30 else count
    truth = rng.integers(0, classes, count)
    evidence = clean_evidence(rng, truth, classes)
    kind = rng.choice(["uniform", "sparse", "confused", "confused", "mixed"])
    rate = rng.choice([0.03, 0.08, 0.15, 0.2, 0.3, 0.4])
    by_chance = drawn(rng, transitions(rng, kind, rate, classes)[truth])
    by_people = misread(rng, evidence, truth, rate)
    given = {"uniform": by_chance, "sparse": by_chance, "confused": by_people}.get(kind)
    mixed = np.where(rng.random(count) < 0.5, by_chance, by_people)
    given = mixed if given is None else given
    own = softmax((evidence + rng.normal(0, rng.uniform(0.3, 1.6), (count, classes))) * rng.uniform(0.7, 1.1))
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (truth, given), 1)
    learned = rng.uniform(0.3, 1.0)
    predicted = (1 - learned) * own + learned * (own @ (confusion / confusion.sum(axis=1, keepdims=True)))
    power = rng.choice([0.6, 0.8, 1, 1, 1.3, 1.8])
    predicted = predicted**power
    predicted /= predicted.sum(axis=1, keepdims=True)
    return given, truth, predicted.astype(np.float32), f"net-{seed:02d}-{kind}-{rate}-{count}-{classes}-{power}"


def clean_evidence(rng: np.random.Generator, truth: np.ndarray, classes: int) -> np.ndarray:
    similar = rng.normal(0, 1, (classes, classes))
    similar = (similar + similar.T) / 2 * rng.uniform(0.5, 1.5)
    np.fill_diagonal(similar, 0)
    strength, spread = rng.uniform(3.5, 8), rng.uniform(1.0, 2.5)
    evidence = rng.normal(0, rng.uniform(0.8, 1.5), (len(truth), classes)) + similar[truth]
    evidence[np.arange(len(truth)), truth] += rng.normal(strength, spread, len(truth))
    return evidence


def transitions(rng: np.random.Generator, kind: str, rate: float, classes: int) -> np.ndarray:
    """P(given | true): even, or each class falls on two in five of the others."""
    table = np.full((classes, classes), rate / (classes - 1))
    if kind in {"sparse", "mixed"}:
        table = np.zeros((classes, classes))
        for true in range(classes):
            others = [other for other in range(classes) if other != true]
            hit = rng.choice(others, size=max(1, (classes - 1) * 2 // 5), replace=False)
            table[true, hit] = rng.dirichlet(np.ones(len(hit))) * min(0.6, rate * rng.uniform(0.3, 1.7))
    np.fill_diagonal(table, 0)
    np.fill_diagonal(table, 1 - table.sum(axis=1))
    return table


def misread(rng: np.random.Generator, evidence: np.ndarray, truth: np.ndarray, rate: float) -> np.ndarray:
    """Labels by people who mistake what is unclear."""
    seen = softmax(evidence * rng.uniform(0.3, 0.7) + rng.normal(0, 1, evidence.shape) * 0.5)
    seen[np.arange(len(truth)), truth] = 0
    unclear = seen.sum(axis=1) + 1e-9
    wrong = rng.random(len(truth)) < np.minimum(unclear * rate / unclear.mean(), 0.95)
    return np.where(wrong, drawn(rng, seen, unclear[:, None]), truth)


def drawn(rng: np.random.Generator, weights: np.ndarray, total: np.ndarray | float = 1.0) -> np.ndarray:
    below = weights.cumsum(axis=1) < rng.random((len(weights), 1)) * total
    return below.sum(axis=1).clip(max=weights.shape[1] - 1)


def softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
