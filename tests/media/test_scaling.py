import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from burnish.media.scaling import resize

SIDE = st.integers(1, 300)


def by_areas(pixels, size):
    """Enlarged until every pixel of the result is made of whole ones, then averaged: slow and sure."""
    height, width = pixels.shape
    large = np.repeat(np.repeat(pixels, size[0], axis=0), size[1], axis=1).astype(float)
    return large.reshape(size[0], height, size[1], width).mean(axis=(1, 3))


@given(SIDE, SIDE, st.integers(1, 12), st.integers(1, 12), st.integers(0, 1000))
@example(height=1, width=29, down=1, across=7, seed=0)  # 29 / 7 * 7 is more than 29
@settings(max_examples=60, deadline=None, derandomize=True)
def test_shrinking_is_the_mean_over_areas(height, width, down, across, seed):
    size = min(height, down), min(width, across)
    # Smooth, as pictures are: blocks of a few pixels are rounded before the rest is averaged.
    pixels = np.cumsum(np.random.default_rng(seed).integers(0, 2, (height, width)), axis=1).astype(np.uint8)
    assert np.abs(resize(pixels, size) - by_areas(pixels, size)).max() <= 2


@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 1), (9, 12, 2), (9, 12, 3), (9, 12, 4)])
@pytest.mark.parametrize("size", [(3, 5), (20, 30), (3, 30)])
def test_every_number_of_channels_can_be_scaled_up_and_down(shape, size):
    scaled = resize(np.full(shape, 77, np.uint8), size)
    assert scaled.shape == (*size, *shape[2:])
    assert (scaled == 77).all()


def test_channels_are_scaled_apart_also_where_the_last_says_transparent():
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., 0] = 200
    assert (resize(pixels, (2, 2))[..., 0] == 200).all()


def test_less_than_a_pixel_is_one_pixel():
    assert resize(np.zeros((4, 4, 3), np.uint8), (0, 2)).shape == (1, 2, 3)
