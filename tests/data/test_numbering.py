import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.data.numbering import expected_positions, position_text, read_roman, roman, split_number


@given(st.integers(1, 3999))
def test_a_roman_number_is_read_back(number):
    assert read_roman(roman(number)) == number


@pytest.mark.parametrize("text", ["", "IIII", "IC", "VX", "ABC", "IM"])
def test_what_is_no_well_formed_roman_number_is_none(text):
    assert read_roman(text) is None


def test_a_roman_number_typed_on_a_russian_keyboard_is_understood():
    assert read_roman("ХІІ") == 12


@given(st.lists(st.integers(1, 200), min_size=1, max_size=6))
def test_a_position_is_read_back_from_its_text(numbers):
    position = tuple(numbers)
    found = split_number(f"{position_text(position)} Bus")
    assert (found.numbers, found.dotted, found.rest) == (position if found.roman else position[1:], True, "Bus")
    assert found.roman == (len(position) == 1)


@pytest.mark.parametrize("text", ["3D printer", "CD player", "I", "", "Bus", "1.1x"])
def test_a_name_that_begins_like_a_number_is_not_cut(text):
    assert split_number(text) is None


def test_the_dot_may_be_missing_or_stand_right_before_the_name():
    assert split_number("1.2 Bus") == ((1, 2), False, False, "Bus")
    assert split_number("1.10.Bus") == ((1, 10), False, True, "Bus")


def test_ten_does_not_look_like_one():
    assert split_number("1.10.").numbers != split_number("1.1.").numbers


def test_a_child_a_sibling_or_a_sibling_of_a_parent_may_follow():
    assert expected_positions((1, 2, 3)) == [(1, 2, 3, 1), (1, 2, 4), (1, 3), (2,)]
