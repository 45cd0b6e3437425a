"""Wrong labels of CIFAR-10N (3,000 pictures of 32 x 32, 40 % wrong human labels) without pretrained weights: ranking and time.

Run: python benchmarks/audit_cifar10n.py [DATA]     DATA defaults to ../shared/data/cifar10n beside the repository.

Features are learned from the pictures, a probe is fitted on 3 x 5 folds, and every picture is ranked by what probes that never
saw its label say.
The true labels are read for the last two columns only.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import orjson
from sklearn.metrics import average_precision_score, roc_auc_score

from burnish.audit.label_issues import label_issues
from burnish.media.images import read_image
from burnish.models.patches import embed_patches
from burnish.train.probe import fit_probe, probe_probabilities

DATA = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "shared" / "data" / "cifar10n"
REPEATS, FOLDS = 3, 5


def main():
    images, given, truth, names = read(DATA)
    wall, cpu = time.perf_counter(), time.process_time()
    features = embed_patches(images, seed=0)[1]
    learned = time.perf_counter() - wall
    probabilities = out_of_fold(features, given, len(names))
    scores = {
        "1 - p(given)": 1.0 - probabilities[np.arange(len(given)), given],
        "label_issues": label_issues(given, probabilities)["score"].to_numpy(),
    }
    seconds, used = time.perf_counter() - wall, time.process_time() - cpu
    wrong = given != truth
    print(f"{len(given)} pictures, {wrong.mean():.1%} wrong; features {features.shape[1]} in {learned:.0f} s")
    print(f"in all {seconds:.0f} s, processor {used:.0f} s\n")
    print("| ranking | average precision | AUROC |\n| --- | --- | --- |")
    for name, score in scores.items():
        print(f"| {name} | {average_precision_score(wrong, score):.4f} | {roc_auc_score(wrong, score):.4f} |")


def read(folder):
    rows = [orjson.loads(line) for line in (folder / "labels.jsonl").read_bytes().splitlines()]
    clean = [orjson.loads(line) for line in (folder / "clean.jsonl").read_bytes().splitlines()]
    names = sorted({row["label"] for row in rows})
    images = np.stack([read_image(folder / row["image"]) for row in rows])
    given, truth = (np.array([names.index(row["label"]) for row in table]) for table in (rows, clean))
    return images, given, truth, names


def out_of_fold(features, given, num_classes):
    total = np.zeros((len(given), num_classes))
    for repeat in range(REPEATS):
        parts = stratified(given, seed=repeat)
        for fold in range(FOLDS):
            train, test = parts != fold, parts == fold
            probe = fit_probe(features[train], given[train], num_classes, seed=repeat)
            total[test] += probe_probabilities(probe, features[test])
    return total / REPEATS


def stratified(given, *, seed):
    """(N,) fold numbers, every class spread evenly."""
    order = np.lexsort((np.random.default_rng(seed).random(len(given)), given))
    parts = np.empty(len(given), dtype=int)
    parts[order] = np.arange(len(given)) % FOLDS
    return parts


if __name__ == "__main__":
    main()
