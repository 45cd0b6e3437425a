import numpy as np
import pytest

from burnish.errors import DataError
from burnish.geometry.guided import guided_filter


def _two_halves(height=20, width=30):
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, width // 2 :] = (200, 120, 40)
    return picture


def test_an_even_map_stays_even(random):
    picture = random.integers(0, 256, (12, 16, 3)).astype(np.uint8)
    assert np.allclose(guided_filter(np.full((12, 16), 0.4), picture), 0.4)


def test_a_map_that_is_linear_in_the_colours_is_kept():
    picture = _two_halves()
    values = picture[..., 0] / 255
    assert np.allclose(guided_filter(values, picture, epsilon=1e-9), values, atol=1e-5)


def test_a_blurred_outline_gets_the_edge_of_the_picture():
    ramp = np.clip((np.arange(30) - 10) / 10, 0, 1) * np.ones((20, 1))
    sharp = guided_filter(ramp, _two_halves(), radius=8, epsilon=1e-6)
    assert sharp[10, 15] - sharp[10, 14] > 3 * (ramp[10, 15] - ramp[10, 14])


def test_another_size_is_refused():
    with pytest.raises(DataError, match="one height and width"):
        guided_filter(np.zeros((3, 3)), np.zeros((4, 3, 3), np.uint8))
