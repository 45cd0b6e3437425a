"""What must hold for any labels and any predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.audit import chunks
from burnish.audit.label_issues import label_issues


@st.composite
def judged_sets(draw, least_classes=2):
    """Labels and predictions that know something about them, sharp or flat, with hard zeros and absent classes among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, classes = draw(st.integers(1, 120)), draw(st.integers(least_classes, 6))
    labels = rng.integers(0, draw(st.integers(1, classes)), count)
    scores = rng.normal(0, 1, (count, classes))
    scores[np.arange(count), labels] += draw(st.sampled_from([0, 1, 4]))
    probabilities = np.exp(scores * draw(st.sampled_from([0.1, 1, 8])))
    if draw(st.booleans()):
        probabilities = (probabilities == probabilities.max(axis=1, keepdims=True)).astype(float)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


@settings(max_examples=60, deadline=None)
@given(judged_sets())
def test_scores_are_probabilities_and_every_row_is_judged(judged):
    labels, probabilities = judged
    table = label_issues(labels, probabilities)
    assert table.height == len(labels)
    assert table["score"].is_between(0, 1).all()
    assert (table.filter("is_issue")["suggested"] != table.filter("is_issue")["given"]).all()


@settings(max_examples=30, deadline=None)
@given(judged_sets())
def test_the_same_input_gives_the_same_table(judged):
    assert label_issues(*judged).equals(label_issues(*judged))


@settings(max_examples=30, deadline=None)
@given(judged_sets(), st.randoms(use_true_random=False))
def test_the_order_of_the_classes_does_not_matter(judged, random):
    labels, probabilities = judged
    order = np.array(random.sample(range(probabilities.shape[1]), probabilities.shape[1]))
    mixed = label_issues(np.argsort(order)[labels], probabilities[:, order])
    # Where two classes are equally likely the first one is predicted, and the transitions are counted by it.
    if len(np.unique(probabilities.max(axis=1))) == len(labels):
        np.testing.assert_allclose(mixed["score"], label_issues(labels, probabilities)["score"], atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(judged_sets())
def test_copies_of_a_row_have_equal_scores(judged):
    labels, probabilities = judged
    score = label_issues(np.tile(labels, 2), np.tile(probabilities, (2, 1)))["score"].to_numpy()
    np.testing.assert_allclose(score[: len(labels)], score[len(labels) :], atol=1e-5)


def clear_set(count=400, classes=4):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, count)
    scores = rng.normal(0, 1, (count, classes))
    scores[np.arange(count), truth] += 4
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return np.where(rng.random(count) < 0.1, (truth + 1) % classes, truth), probabilities


def test_a_set_joined_to_its_copy_is_ranked_alike():
    labels, probabilities = clear_set()
    once = label_issues(labels, probabilities)
    twice = label_issues(np.tile(labels, 2), np.tile(probabilities, (2, 1)))[: len(labels)]
    np.testing.assert_allclose(twice["score"], once["score"], atol=0.1)
    assert (once["is_issue"] != twice["is_issue"]).mean() < 0.01


def test_how_the_table_is_cut_into_pieces_does_not_matter(monkeypatch):
    labels, probabilities = clear_set()
    whole = label_issues(labels, probabilities)
    monkeypatch.setattr(chunks, "CELLS", 40)
    pieces = label_issues(labels, probabilities)
    np.testing.assert_allclose(pieces["score"], whole["score"], atol=1e-5)
    assert pieces["is_issue"].equals(whole["is_issue"])


@pytest.mark.parametrize("classes", [2, 5])
def test_hard_predictions_put_every_disagreement_above_every_agreement(classes):
    truth = np.arange(300) % classes
    labels = truth.copy()
    labels[:20] = (truth[:20] + 1) % classes
    score = label_issues(labels, np.eye(classes)[truth])["score"].to_numpy()
    assert score[:20].min() > score[20:].max()
