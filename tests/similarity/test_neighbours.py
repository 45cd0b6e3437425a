import numpy as np
import pytest
from scipy.spatial.distance import cdist

from burnish.errors import DataError
from burnish.similarity import neighbours
from burnish.similarity.neighbours import nearest


@pytest.fixture
def rows():
    return np.random.default_rng(0).standard_normal((80, 6)).astype(np.float32) + 3


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbours_equal_those_of_all_distances(rows, metric):
    full = cdist(rows.astype(float), rows.astype(float), metric)
    np.fill_diagonal(full, np.inf)
    found = nearest(rows, 5, metric=metric)
    np.testing.assert_array_equal(found.indices, np.argsort(full, axis=1)[:, :5])
    np.testing.assert_allclose(found.distances, np.sort(full, axis=1)[:, :5], atol=2e-3)


def test_chunks_make_no_difference(rows, monkeypatch):
    whole = nearest(rows, 4)
    monkeypatch.setattr(neighbours, "_CHUNK_VALUES", 100)
    np.testing.assert_array_equal(nearest(rows, 4).indices, whole.indices)


def test_queries_find_their_own_rows(rows):
    found = nearest(rows, 1, queries=rows[10:20])
    assert found.indices[:, 0].tolist() == list(range(10, 20))


def test_ties_stand_in_the_order_of_the_rows():
    found = nearest(np.ones((5, 2)), 3)
    assert found.indices[3].tolist() == [0, 1, 2]


def test_more_neighbours_than_rows_gives_all_others(rows):
    assert nearest(rows[:3], 10).indices.shape == (3, 2)
    assert nearest(rows[:1], 10).indices.shape == (1, 0)
    assert nearest(rows[:0], 10).indices.shape == (0, 0)


def test_zero_rows_are_at_distance_one_and_bad_numbers_are_named():
    assert nearest(np.array([[0.0, 0.0], [1.0, 0.0]]), 1).distances.tolist() == [[1.0], [1.0]]
    with pytest.raises(DataError, match="first is row 1"):
        nearest(np.array([[0.0], [np.nan]]), 1)
    with pytest.raises(DataError, match="3 numbers each, embeddings 2"):
        nearest(np.zeros((2, 2)), 1, queries=np.zeros((1, 3)))
    with pytest.raises(DataError, match=r"expected \(rows, numbers\)"):
        nearest(np.zeros(3), 1)
