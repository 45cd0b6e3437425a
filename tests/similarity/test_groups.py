import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from burnish.similarity.groups import best_of_groups, group_pairs


def test_pairs_join_into_groups_numbered_by_their_first_members():
    assert group_pairs(7, [5, 1, 2], [6, 2, 4]).tolist() == [-1, 0, 0, -1, 0, 1, 1]


def test_without_pairs_all_are_alone():
    assert group_pairs(3, [], []).tolist() == [-1, -1, -1]
    assert group_pairs(0, [], []).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
def test_both_ends_of_every_pair_are_in_one_group(pairs):
    pairs = [(a, b) for a, b in pairs if a != b]
    groups = group_pairs(10, [a for a, _ in pairs], [b for _, b in pairs])
    assert all(groups[a] == groups[b] >= 0 for a, b in pairs)
    numbers = [int(number) for number in groups if number >= 0]
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))
    assert all(numbers.count(number) > 1 for number in numbers)


def test_the_best_of_a_group_is_kept_by_the_first_reason_that_tells():
    groups = np.array([0, 0, 0, -1, 1, 1])
    annotations = np.array([2, 3, 3, 0, 1, 1])
    pixels = np.array([9, 5, 6, 1, 4, 4])
    assert best_of_groups(groups, annotations, pixels).tolist() == [False, False, True, True, True, False]


def test_exactly_one_of_every_group_is_kept():
    groups = np.array([-1, 0, 1, 0, 1, 0, -1])
    kept = best_of_groups(groups)
    assert kept.tolist() == [True, True, True, False, False, False, True]
