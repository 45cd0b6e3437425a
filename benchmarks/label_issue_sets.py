"""Development sets for `label_issues`: labels with known errors, and predictions of many models, over- and under-confident.

    python benchmarks/label_issue_sets.py make FOLDER [--pictures ../shared/data/cifar10n]
    python benchmarks/label_issue_sets.py judge FOLDER

`make` writes 378 sets, the same every time, each a folder with `noisy_labels.npy`, `pred_probs.npy` and `true_labels.npy`. The examples
are Gaussian mixtures of 3 to 100 classes, the digits of scikit-learn, and the CIFAR-10N pictures where they are at hand. The noise is
uniform, falls from each class on one other, or falls on examples that are easily confused; the pictures also carry their human labels.
Predictions are out of sample, by three folds. `judge` prints, for each kind of set, how the ranking and the cut-off do. Constants are
chosen on such sets, never on those of `benchmarks/label_issues.py ranking`.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

PICTURES = Path(__file__).resolve().parents[2] / "shared" / "data" / "cifar10n"
FOLDS = 3
FEWEST = 3  # wrong labels, below which a ranking cannot be judged
MODELS = {
    "logistic": lambda: LogisticRegression(max_iter=200),
    "shy": lambda: LogisticRegression(C=1e-3, max_iter=200),
    "neighbours": lambda: KNeighborsClassifier(15),
    "forest": lambda: RandomForestClassifier(60, random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=40, random_state=0),
    "young": lambda: MLPClassifier((64,), max_iter=4, random_state=0),
    "overfit": lambda: MLPClassifier((128,), max_iter=60, alpha=0, random_state=0),
}
NOISES = ("uniform", "pairs", "confused")


@dataclass(frozen=True)
class Examples:
    """Features `(N, D)`, true classes `(N,)`, and what a knowing observer would say `(N, K)`, from which confusions are drawn."""

    name: str
    features: np.ndarray
    truth: np.ndarray
    seen: np.ndarray
    models: tuple[str, ...]
    rates: tuple[float, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["make", "judge"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=Path, default=PICTURES)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if arguments.command == "make":
        make(arguments.folder, arguments.pictures)
    else:
        judge(arguments.folder)


def make(folder: Path, pictures: Path) -> None:
    for examples in all_examples(pictures):
        for noise, rate in product(NOISES, examples.rates):
            write(folder, examples, noise, rate, mislabelled(examples, noise, rate))
    if pictures.is_dir():
        from audit_cifar10n import read

        examples, human = cifar(pictures), read(pictures)[1]
        write(folder, examples, "human", float(np.mean(human != examples.truth)), human)


def all_examples(pictures: Path):
    few, quick = ("logistic", "shy", "neighbours", "forest", "young"), ("logistic", "forest", "young", "overfit")
    for count, classes, spread in ((500, 3, 1.0), (2000, 4, 1.6), (5000, 10, 1.2), (2000, 10, 0.8)):
        yield mixture(count, classes, spread, few, (0.02, 0.1, 0.3))
    yield mixture(20_000, 10, 0.7, quick, (0.1, 0.2, 0.4))
    yield mixture(6_000, 30, 0.9, ("logistic", "neighbours", "young"), (0.05, 0.2))
    yield mixture(10_000, 100, 0.8, ("neighbours", "young"), (0.05, 0.2))
    yield mixture(50_000, 10, 0.6, ("young",), (0.08, 0.2, 0.4))
    yield digits()
    if pictures.is_dir():
        yield cifar(pictures)


def mixture(count: int, classes: int, spread: float, models, rates) -> Examples:
    """Two blobs for each class, in 12 dimensions, and the exact posterior; the wider the spread, the more they overlap."""
    rng = np.random.default_rng(count + classes)
    centres = rng.normal(0, 1, (classes, 2, 12))
    truth = rng.choice(classes, count, p=rng.dirichlet(np.full(classes, 8.0)))
    features = centres[truth, rng.integers(0, 2, count)] + spread * rng.normal(0, 1, (count, 12))
    distances = ((features[:, None, None] - centres[None]) ** 2).sum(axis=3) if count * classes < 400_000 else squared(features, centres)
    return Examples(f"mixture-{count}-{classes}", features, truth, softmax_pairs(distances, spread), models, rates)


def squared(features: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return (features**2).sum(axis=1)[:, None, None] - 2 * np.einsum("nd,kbd->nkb", features, centres) + (centres**2).sum(axis=2)


def softmax_pairs(distances: np.ndarray, spread: float) -> np.ndarray:
    weights = np.exp(-(distances - distances.min(axis=(1, 2), keepdims=True)) / (2 * spread**2)).sum(axis=2)
    return weights / weights.sum(axis=1, keepdims=True)


def digits() -> Examples:
    features, truth = load_digits(return_X_y=True)
    features = features / 16
    seen = out_of_sample(LogisticRegression(C=0.05, max_iter=300), features, truth)
    return Examples("digits", features, truth, seen, tuple(MODELS), (0.03, 0.15, 0.3))


def cifar(folder: Path) -> Examples:
    from audit_cifar10n import read

    from burnish.models.patches import embed_patches

    images, _, truth, _ = read(folder)
    features = embed_patches(images, seed=0)[1][:, :200].astype(np.float64)
    features /= features.std()
    seen = out_of_sample(LogisticRegression(C=1e-2, max_iter=300), features, truth)
    return Examples("pictures", features, truth, seen, ("logistic", "shy", "neighbours", "forest", "young", "overfit"), (0.05, 0.15, 0.35))


def mislabelled(examples: Examples, noise: str, rate: float) -> np.ndarray:
    truth, classes = examples.truth, examples.seen.shape[1]
    rng = np.random.default_rng([len(truth), classes, NOISES.index(noise), int(rate * 100)])
    if noise == "uniform":
        wrong, other = rng.random(len(truth)) < rate, (truth + rng.integers(1, classes, len(truth))) % classes
    elif noise == "pairs":  # some classes suffer much, some nothing
        share = rng.dirichlet(np.full(classes, 1.0)) * classes * rate
        wrong, other = rng.random(len(truth)) < np.minimum(share, 0.6)[truth], (truth + 1) % classes
    else:
        others = examples.seen + 1e-3
        others[np.arange(len(truth)), truth] = 0
        chance = others.sum(axis=1) ** 0.7
        wrong = rng.random(len(truth)) < np.minimum(chance * rate / chance.mean(), 0.9)
        other = (others.cumsum(axis=1) < rng.random((len(truth), 1)) * others.sum(axis=1, keepdims=True)).sum(axis=1).clip(max=classes - 1)
    return np.where(wrong, other, truth)


def write(folder: Path, examples: Examples, noise: str, rate: float, given: np.ndarray) -> None:
    for model in examples.models:
        place = folder / f"{examples.name}-{noise}-{rate:.2f}-{model}"
        if (place / "pred_probs.npy").exists():
            continue
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / "noisy_labels.npy", given)
        np.save(place / "true_labels.npy", examples.truth)
        np.save(
            place / "pred_probs.npy", out_of_sample(MODELS[model](), examples.features, given, examples.seen.shape[1]).astype(np.float32)
        )
        print(place.name, flush=True)


def out_of_sample(model, features: np.ndarray, labels: np.ndarray, classes: int | None = None) -> np.ndarray:
    probabilities = np.zeros((len(labels), classes or labels.max() + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer examples than folds
        parts = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(features, labels))
    for train, test in parts:
        model.fit(features[train], labels[train])
        probabilities[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    return probabilities


def judge(folder: Path) -> None:
    from cleanlab.filter import find_label_issues

    from burnish.audit.label_issues import label_issues
    from burnish.metrics.ranking import average_precision, f1

    kinds: dict[str, list[list[float]]] = {}
    for place in sorted(path.parent for path in folder.rglob("pred_probs.npy")):
        given, truth = (np.load(place / f"{name}_labels.npy").astype(np.int64) for name in ("noisy", "true"))
        probabilities, wrong = np.load(place / "pred_probs.npy"), given != truth
        if wrong.sum() < FEWEST:
            continue
        found = label_issues(given, probabilities)
        rules = [f1(find_label_issues(given, probabilities, n_jobs=1), wrong), f1(probabilities.argmax(axis=1) != given, wrong)]
        row = [
            average_precision(found["score"], wrong),
            average_precision(1 - probabilities[np.arange(len(given)), given], wrong),
            f1(found["is_issue"], wrong),
            *rules,
            found["is_issue"].sum() / wrong.sum(),
        ]
        kinds.setdefault(f"{place.name.split('-')[0]}, {strength(probabilities, truth)}", []).append(row)
    report(kinds)


def strength(probabilities: np.ndarray, truth: np.ndarray) -> str:
    right = np.mean(probabilities.argmax(axis=1) == truth)
    return next(word for limit, word in ((0.55, "weak"), (0.85, "middling"), (1.01, "strong")) if right < limit)


def report(kinds: dict[str, list[list[float]]]) -> None:
    print("| sets, model | number | AP | AP self-confidence | F1 | F1 cleanlab | F1 prediction differs | flagged twice | F1 too low |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    together = [row for rows in kinds.values() for row in rows]
    for kind, rows in (*sorted(kinds.items()), ("all", together)):
        table = np.array(rows)
        over, low = (table[:, 5] > 2).sum(), (table[:, 2] < table[:, 3:5].max(axis=1) - 0.02).sum()
        values = " | ".join(f"{value:.4f}" for value in table[:, :5].mean(axis=0))
        print(f"| {kind} | {len(table)} | {values} | {over} | {low} |")


if __name__ == "__main__":
    main()
