import numpy as np
import pytest

from burnish.similarity.descriptors import TURNS, frequencies, spread, turn_prints, turned, whitened


@pytest.fixture
def prints():
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32), np.uint8)


@pytest.mark.parametrize("turn", range(8))
def test_turning_a_descriptor_equals_describing_the_turned_picture(prints, turn):
    laid = turn_prints(prints, np.full(5, turn))
    np.testing.assert_allclose(turned(frequencies(prints, 8), turn), frequencies(laid, 8), atol=1e-2)


def test_the_names_of_the_turns_are_right(prints):
    one = prints[:1]
    expected = {
        "same": one[0],
        "mirrored": np.fliplr(one[0]),
        "upside down": np.flipud(one[0]),
        "turned by 180": np.rot90(one[0], 2),
        "transposed": one[0].T,
        "turned left": np.rot90(one[0]),
        "turned right": np.rot90(one[0], -1),
        "transposed across": np.rot90(one[0], 2).T,
    }
    for turn, name in enumerate(TURNS):
        np.testing.assert_array_equal(turn_prints(one, np.array([turn]))[0], expected[name])


def test_brightness_and_contrast_make_no_difference(prints):
    grey = prints.astype(np.float64)
    scale = spread(frequencies(grey, 8))
    np.testing.assert_allclose(whitened(frequencies(grey, 8), scale), whitened(frequencies(grey * 0.5 + 30, 8), scale), atol=1e-5)


def test_descriptors_have_the_length_one_and_flat_pictures_zero(prints):
    with_flat = np.concatenate([prints, np.full((1, 32, 32), 90, np.uint8)])
    coefficients = frequencies(with_flat, 8)
    lengths = np.linalg.norm(whitened(coefficients, spread(coefficients)).reshape(6, -1), axis=1)
    np.testing.assert_allclose(lengths[:5], 1, atol=1e-5)
    assert np.isfinite(lengths[5])


def test_the_spread_is_the_same_for_every_turn(prints):
    coefficients = frequencies(prints, 8)
    for turn in range(8):
        np.testing.assert_allclose(spread(turned(coefficients, turn)), spread(coefficients), rtol=1e-4)
