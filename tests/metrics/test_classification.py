"""The classification metrics equal scikit-learn's, and parts add up."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from burnish.errors import DataError
from burnish.metrics.classification import accuracy, balanced_accuracy, confusion_matrix, f1_per_class, weighted_f1

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@given(pairs)
def test_the_metrics_equal_those_of_scikit_learn(rows):
    given_classes, predicted = np.array(rows).T
    confusion = confusion_matrix(given_classes, predicted, 5)
    recalls = [np.mean(predicted[given_classes == k] == k) for k in np.unique(given_classes)]
    labels = range(5)
    assert np.array_equal(confusion, oracle.confusion_matrix(given_classes, predicted, labels=labels))
    assert accuracy(confusion) == pytest.approx(oracle.accuracy_score(given_classes, predicted))
    assert balanced_accuracy(confusion) == pytest.approx(np.mean(recalls))
    assert weighted_f1(confusion) == pytest.approx(
        oracle.f1_score(given_classes, predicted, labels=labels, average="weighted", zero_division=0)
    )


@given(pairs, st.integers(0, 40))
def test_confusion_matrices_of_parts_add_up(rows, cut):
    given_classes, predicted = np.array(rows).T
    parts = [confusion_matrix(given_classes[s], predicted[s], 5) for s in (slice(cut), slice(cut, None))]
    assert np.array_equal(sum(parts), confusion_matrix(given_classes, predicted, 5))


def test_a_class_that_is_neither_given_nor_predicted_has_an_f1_of_zero_without_a_warning():
    assert f1_per_class(confusion_matrix([0, 0], [0, 1], 3)).tolist() == pytest.approx([2 / 3, 0, 0])


def test_metrics_without_rows_are_no_numbers():
    empty = confusion_matrix(np.empty(0, dtype=int), np.empty(0, dtype=int), 3)
    assert all(math.isnan(metric(empty)) for metric in (accuracy, balanced_accuracy, weighted_f1))


def test_an_index_that_is_no_class_is_refused_with_its_row():
    with pytest.raises(DataError, match=r"Row 1 of the predicted classes is 3; expected 0 to 2") as caught:
        confusion_matrix([0, 1], [0, 3], 3)
    assert caught.value.rows == (1,)


def test_predictions_of_another_number_are_refused():
    with pytest.raises(DataError, match="3 given classes but 2 predicted"):
        confusion_matrix([0, 1, 1], [0, 1], 2)
