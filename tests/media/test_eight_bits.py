import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from burnish.media.eight_bits import to_eight_bits, to_grey, to_rgb


@pytest.mark.parametrize(("white", "expected"), [(255, 255), (1023, 255), (4095, 255), (16383, 255), (65535, 255), (512, 128)])
def test_the_depth_is_the_smallest_that_holds_the_largest_value(white, expected):
    assert to_eight_bits(np.array([[0, white]], np.uint16)).tolist() == [[0, expected]]


def test_fractions_up_to_one_and_up_to_255_are_told_apart():
    assert to_eight_bits(np.array([0.0, 0.5, 1.0])).tolist() == [0, 128, 255]
    assert to_eight_bits(np.array([0.0, 99.6, 255.0])).tolist() == [0, 100, 255]


def test_other_ranges_are_stretched_and_what_is_not_finite_is_black():
    assert to_eight_bits(np.array([-2.0, 0.0, 2.0, np.nan, np.inf])).tolist() == [0, 128, 255, 0, 0]
    assert to_eight_bits(np.array([-1, 70000], np.int32)).tolist() == [0, 255]


def test_flat_and_empty_arrays_are_no_problem():
    assert to_eight_bits(np.full((2, 2), -3.0)).tolist() == [[0, 0], [0, 0]]
    assert to_eight_bits(np.full(2, np.nan)).tolist() == [0, 0]
    assert to_eight_bits(np.array([True, False])).tolist() == [255, 0]


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=20))
def test_brighter_never_becomes_darker(values):
    scaled = to_eight_bits(np.array(sorted(values), np.uint16))
    assert (np.diff(scaled.astype(int)) >= 0).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_every_mode_becomes_colour_and_grey(mode):
    picture = Image.new(mode, (3, 2))
    assert to_rgb(picture).mode == "RGB"
    assert to_grey(picture).mode == "L"
    assert to_rgb(picture).size == (3, 2)
