import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from burnish.audit.cutoff import expected_f1_count, highest


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(0.01, 1)))
def test_no_other_count_has_a_larger_expected_f1(posterior):
    ordered = np.sort(posterior)[::-1]
    expected = [2 * ordered[:n].sum() / (n + ordered.sum()) for n in range(1, len(ordered) + 1)]
    assert expected[expected_f1_count(posterior) - 1] >= max(expected) - 1e-12


def test_certain_suspects_are_all_taken_and_no_others():
    assert expected_f1_count(np.array([1.0, 0.0, 1.0, 0.0])) == 2


def test_nothing_suspected_means_nothing_flagged():
    assert expected_f1_count(np.zeros(5)) == 0
    assert expected_f1_count(np.empty(0)) == 0


def test_equal_scores_are_taken_in_row_order_among_those_allowed():
    allowed = np.array([True, False, True, True])
    assert highest(np.ones(4), 2, allowed).tolist() == [True, False, True, False]
