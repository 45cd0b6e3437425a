from typing import get_args

import numpy as np
import pytest

from burnish.audit.confident import (
    Quality,
    Rule,
    confident_issues,
    confident_joint,
    confident_thresholds,
    inverse_noise_matrix,
    label_quality,
    noise_matrix,
)

SEEDS = range(60)
RULES = get_args(Rule)


def predictions(seed):
    """Random labels and probabilities: few and many classes, empty classes, ties, both float widths, with and without signal."""
    rng = np.random.default_rng(seed)
    classes, count = int(rng.integers(2, 9)), int(rng.integers(12, 300))
    labels = rng.integers(0, max(2, classes - seed % 3), count)
    labels[:2] = 0, 1
    probabilities = rng.dirichlet(np.full(classes, rng.choice([0.1, 0.5, 2])), count)
    if seed % 2:
        probabilities[np.arange(count), labels] += rng.random()
    if seed % 5 == 0:
        probabilities = np.round(probabilities * 10) + 1
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return labels, probabilities.astype(np.float32 if seed % 4 == 0 else np.float64)


@pytest.mark.filterwarnings("ignore:May not flag all label issues:UserWarning")
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_flags_the_same_examples_as_cleanlab(rule):
    find = pytest.importorskip("cleanlab.filter").find_label_issues
    for seed in SEEDS:
        labels, probabilities = predictions(seed)
        ours = confident_issues(labels, probabilities, rule)
        assert np.array_equal(ours, find(labels, probabilities, filter_by=rule, n_jobs=1)), seed


@pytest.mark.parametrize("calibrate", [True, False])
def test_the_confident_joint_is_that_of_cleanlab(calibrate):
    compute = pytest.importorskip("cleanlab.count").compute_confident_joint
    for seed in SEEDS:
        labels, probabilities = predictions(seed)
        ours = confident_joint(labels, probabilities, calibrate=calibrate)
        assert np.array_equal(ours, compute(labels, probabilities, calibrate=calibrate)), seed


@pytest.mark.parametrize("quality", get_args(Quality))
def test_every_quality_is_that_of_cleanlab(quality):
    scores = pytest.importorskip("cleanlab.rank").get_label_quality_scores
    for seed in SEEDS:
        labels, probabilities = predictions(seed)
        np.testing.assert_allclose(label_quality(labels, probabilities, quality), scores(labels, probabilities, method=quality), atol=1e-6)


def test_the_calibrated_joint_counts_every_example_once():
    labels, probabilities = predictions(7)
    joint = confident_joint(labels, probabilities)
    assert joint.sum(axis=1).tolist() == np.bincount(labels, minlength=len(joint)).tolist()


def test_a_class_without_examples_is_never_confident():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.full((4, 3), 1 / 3)
    assert confident_thresholds(labels, probabilities)[2] == 2


def test_noise_matrices_hold_conditional_probabilities():
    joint = np.array([[8, 2], [0, 10]])
    assert noise_matrix(joint).tolist() == [[1.0, 2 / 12], [0.0, 10 / 12]]
    assert inverse_noise_matrix(joint).tolist() == [[0.8, 0.0], [0.2, 1.0]]


def test_pruning_leaves_the_asked_number_of_examples_in_each_class():
    labels = np.zeros(6, dtype=np.int64)
    labels[:3] = 1
    probabilities = np.tile([0.9, 0.1], (6, 1))
    flagged = confident_issues(labels, probabilities, "prune_by_noise_rate", min_examples_per_class=3)
    assert not flagged.any()
