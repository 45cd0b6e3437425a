import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.metrics.ranking import auroc, average_precision, best_f1, f1

rankings = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40).filter(
    lambda pairs: 0 < sum(wrong for _, wrong in pairs) < len(pairs)
)


@given(rankings)
def test_average_precision_and_auroc_are_those_of_scikit_learn(pairs):
    metrics = pytest.importorskip("sklearn.metrics")
    score, wrong = np.array(pairs, dtype=float).T
    assert average_precision(score, wrong) == pytest.approx(metrics.average_precision_score(wrong, score))
    assert auroc(score, wrong) == pytest.approx(metrics.roc_auc_score(wrong, score))


@given(rankings)
def test_no_threshold_beats_the_best_f1(pairs):
    score, wrong = np.array(pairs, dtype=float).T
    reached = [f1(score >= threshold, wrong) for threshold in np.unique(score)]
    assert best_f1(score, wrong) == pytest.approx(max(reached))


def test_f1_counts_a_clean_set_left_alone_as_perfect():
    assert f1([False, False], [False, False]) == 1
    assert f1([True, False], [True, True]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("score", "wrong", "message"),
    [([1.0], [True, False], "same length"), ([1.0, 2.0], [False, False], "nothing is wrong"), ([np.nan, 1], [True, False], "row 0 is NaN")],
)
def test_a_ranking_that_cannot_be_judged_is_refused(score, wrong, message):
    with pytest.raises(DataError, match=message):
        average_precision(score, wrong)


def test_auroc_needs_right_ones_too():
    with pytest.raises(DataError, match="everything is wrong"):
        auroc([1.0, 2.0], [True, True])


def test_flags_and_truth_must_be_equally_many():
    with pytest.raises(DataError, match="equally many"):
        f1([True], [True, False])
