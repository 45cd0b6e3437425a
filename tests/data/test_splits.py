import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.data.splits import divide, group_numbers, joined_groups
from burnish.errors import DataError


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 5))
def test_a_group_is_never_cut(rows, groups, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, groups, rows)
    parts = divide(rng.integers(0, 3, (rows, 4)).astype(float), numbers, [0.7, 0.2, 0.1], seed=seed)
    for group in np.unique(numbers):
        assert len(set(parts[numbers == group])) == 1


def test_each_part_gets_its_share_of_every_class():
    labels = np.repeat([0, 1, 2], [800, 150, 50])
    parts = divide(np.eye(3)[labels], np.arange(1000), [0.8, 0.2])
    assert [np.bincount(labels[parts == p]).tolist() for p in (0, 1)] == [[640, 120, 40], [160, 30, 10]]


def test_without_classes_the_parts_have_their_sizes():
    parts = divide(np.empty((100, 0)), np.arange(100), [0.5, 0.3, 0.2])
    assert np.bincount(parts).tolist() == [50, 30, 20]


def test_a_part_of_share_zero_stays_empty():
    assert set(divide(np.eye(2)[[0, 1] * 20], np.arange(40), [0.8, 0.2, 0.0])) == {0, 1}


def test_the_same_seed_divides_the_same_way_and_another_does_not():
    counts, groups = np.eye(2)[[0, 1] * 50], np.arange(100)
    first = divide(counts, groups, [0.5, 0.5], seed=1)
    assert (divide(counts, groups, [0.5, 0.5], seed=1) == first).all()
    assert (divide(counts, groups, [0.5, 0.5], seed=2) != first).any()


def test_negative_shares_are_refused():
    with pytest.raises(DataError, match="shares"):
        divide(np.empty((2, 0)), np.arange(2), [1.2, -0.2])


def test_missing_group_names_stand_alone():
    assert len(set(group_numbers(["a", None, "a", None]))) == 3


def test_groupings_join_where_they_touch():
    joined = joined_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7]))
    assert joined[0] == joined[1] == joined[2] != joined[3]
