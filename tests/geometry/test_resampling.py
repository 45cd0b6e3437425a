import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.geometry.resampling import linear

sides = st.integers(1, 9)


def test_an_edge_becomes_grey_between_the_centres_of_pixels():
    assert linear([[0.0, 1.0]], (1, 4)).tolist() == [[0.0, 0.25, 0.75, 1.0]]


def test_the_same_size_changes_nothing(random):
    maps = random.random((2, 5, 7)).astype(np.float32)
    assert np.array_equal(linear(maps, (5, 7)), maps)


@given(sides, sides, sides, sides, st.integers(0, 99))
def test_it_agrees_with_opencv_s_linear_interpolation(height, width, to_height, to_width, seed):
    cv2 = pytest.importorskip("cv2")
    maps = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    theirs = cv2.resize(maps, (to_width, to_height), interpolation=cv2.INTER_LINEAR)
    assert np.allclose(linear(maps, (to_height, to_width)), theirs, atol=1e-5)


@given(sides, sides, sides, sides, st.floats(0, 1, width=32))
def test_an_even_map_stays_even(height, width, to_height, to_width, value):
    assert np.allclose(linear(np.full((height, width), value), (to_height, to_width)), value, atol=1e-6)


def test_maps_without_pixels_are_refused():
    with pytest.raises(DataError, match="expected"):
        linear(np.zeros((0, 4)), (2, 2))
