import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.media.colours import class_colour, hex_colour, parse_colour, text_colour


def test_a_class_has_the_same_colour_for_ever():
    assert [hex_colour(class_colour(name)) for name in ("car", "person", "трещина")] == ["#caa1fd", "#0b8542", "#be3c04"]


def test_unicode_form_letter_case_and_spaces_make_no_difference():
    assert class_colour(" Трещинай ") == class_colour(unicodedata.normalize("NFD", "трещинай"))


def test_the_classes_own_colour_wins():
    assert class_colour("car", "#ff8000") == (255, 128, 0)
    assert class_colour("car", "#f80") == (255, 136, 0)
    assert class_colour("car", "orange") == class_colour("car")


@pytest.mark.parametrize("text", [None, "", "#12", "#12345", "#12345g", "red", "#1234567"])
def test_what_is_no_colour_is_none(text):
    assert parse_colour(text) is None


@given(st.text())
def test_every_name_has_a_colour_on_which_text_is_readable(name):
    colour = class_colour(name)
    assert all(0 <= channel <= 255 for channel in colour)
    assert contrast(colour, text_colour(colour)) > 4.5


def test_many_classes_have_many_colours():
    assert len({class_colour(f"class {number}") for number in range(100)}) > 95


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
