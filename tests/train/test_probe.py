import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.train.probe import fit_probe, probe_probabilities


def clusters(count=300, classes=3, width=8, spread=1.0, seed=0):
    """Gaussian clusters around random centres: features and true classes."""
    random = np.random.default_rng(seed)
    truth = np.arange(count) % classes
    centres = random.normal(size=(classes, width)) * 2
    return (centres[truth] + spread * random.normal(size=(count, width))).astype(np.float32), truth


def exchanged(truth, classes, share, seed=0):
    random = np.random.default_rng(seed)
    labels = truth.copy()
    wrong = random.random(len(truth)) < share
    labels[wrong] = (labels[wrong] + 1) % classes
    return labels, wrong


def surprise(probabilities, labels):
    return -np.mean(np.log(probabilities[np.arange(len(labels)), labels]))


def test_clusters_are_told_apart():
    features, truth = clusters(600)
    probe = fit_probe(features[:300], truth[:300], 3)
    assert np.mean(probe_probabilities(probe, features[300:]).argmax(axis=1) == truth[300:]) > 0.95


def test_probabilities_are_calibrated_against_labels_of_which_a_fifth_is_wrong():
    features, truth = clusters(4000, spread=0.3)
    labels, _ = exchanged(truth, 3, 0.2)
    probe = fit_probe(features[:2000], labels[:2000], 3, wary=False)
    top = probe_probabilities(probe, features[2000:]).max(axis=1)
    assert top.mean() == pytest.approx(0.8, abs=0.05)


def test_wrong_labels_that_follow_a_pattern_are_ranked_better_by_a_wary_probe():
    features, truth = clusters(1200, classes=4, width=24, spread=3.0)
    labels, wrong = exchanged(truth, 4, 0.3)
    ranks = []
    for wary in (False, True):
        probe = fit_probe(features[:600], labels[:600], 4, wary=wary)
        score = 1 - probe_probabilities(probe, features[600:])[np.arange(600), labels[600:]]
        ranks.append(np.mean(score[wrong[600:], None] > score[~wrong[600:]]))
    assert ranks[1] > ranks[0]


def test_features_that_say_nothing_give_the_shares_of_the_classes():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [270, 30])
    probe = fit_probe(random.normal(size=(300, 20)), labels, 2)
    assert probe_probabilities(probe, random.normal(size=(100, 20)))[:, 1].mean() == pytest.approx(0.1, abs=0.03)


def test_identical_features_are_no_error():
    probe = fit_probe(np.ones((10, 4)), np.arange(10) % 2, 2)
    assert np.allclose(probe_probabilities(probe, np.ones((3, 4))), 0.5, atol=0.01)


def test_balanced_classes_find_more_of_a_rare_class():
    features, truth = clusters(2000, classes=2, spread=4.0, seed=5)
    kept = np.flatnonzero((truth == 0) | (np.arange(2000) % 20 == 1))
    found = [
        probe_probabilities(fit_probe(features[kept], truth[kept], 2, balanced=balanced), features[truth == 1])[:, 1].mean()
        for balanced in (False, True)
    ]
    assert found[1] > found[0] + 0.2


def test_a_class_without_training_rows_gets_a_column_and_little_probability():
    features, truth = clusters(90)
    probabilities = probe_probabilities(fit_probe(features, truth, 4), features)
    assert probabilities.shape == (90, 4)
    assert probabilities[:, 3].max() < 0.05


def test_more_features_than_rows_give_the_same_probe_as_their_span():
    features, truth = clusters(40, width=8)
    wide = features @ np.linalg.qr(np.random.default_rng(1).normal(size=(200, 8)))[0].T.astype(np.float32)
    narrow_probe, wide_probe = fit_probe(features, truth, 3), fit_probe(wide, truth, 3)
    assert np.allclose(probe_probabilities(narrow_probe, features), probe_probabilities(wide_probe, wide), atol=0.01)


def test_the_scale_of_the_features_does_not_matter():
    features, truth = clusters(100)
    small, large = features * 1e-3, features * 1e3 + 5
    assert np.allclose(
        probe_probabilities(fit_probe(small, truth, 3), small), probe_probabilities(fit_probe(large, truth, 3), large), atol=0.01
    )


def test_one_row_of_each_class_is_enough_to_go_on():
    features, truth = clusters(3)
    assert np.isfinite(probe_probabilities(fit_probe(features, truth, 3), features)).all()


def test_regularisation_left_to_a_sample_of_the_rows_gives_nearly_the_same(monkeypatch):
    features, truth = clusters(800)
    whole = probe_probabilities(fit_probe(features, truth, 3), features)
    monkeypatch.setattr("burnish.train.probe._JUDGED_ROWS", 200)
    sampled = probe_probabilities(fit_probe(features, truth, 3, seed=1), features)
    assert surprise(sampled, truth) == pytest.approx(surprise(whole, truth), abs=0.05)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(1, 60), st.integers(2, 6), st.integers(0, 1000))
def test_probabilities_are_positive_and_sum_to_one(count, width, classes, seed):
    random = np.random.default_rng(seed)
    features, labels = random.normal(size=(count, width)), random.integers(0, classes, count)
    for balanced in (False, True):
        probabilities = probe_probabilities(fit_probe(features, labels, classes, balanced=balanced), features)
        assert (probabilities >= 0).all()
        assert np.allclose(probabilities.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), "at least 1"),
        (np.zeros((4, 3)), np.zeros(5, int), r"\(4, 3\) and \(5,\)"),
        (np.zeros((2, 3)), np.array([0, 2]), "from 0 to 1"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), "integers"),
        (np.array([[0.0], [np.nan]]), np.array([0, 1]), "first: row 1"),
    ],
)
def test_what_cannot_be_fitted_is_said(features, labels, message):
    with pytest.raises(DataError, match=message):
        fit_probe(features, labels, 2)
