import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.report.numbers import duration, fixed, number, short, ticks


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (12345, "count", "12,345"),
        (0.1254, "percent", "12.5 %"),
        (0.5, "score", "0.50"),
        (0.12345, "decimal", "0.123"),
        (1234.5, "decimal", "1,234"),
        (999.9, "decimal", "1,000"),
        (99.4, "decimal", "99.4"),
        (3.0, "decimal", "3"),
        (200, "seconds", "3 min 20 s"),
        (None, "count", "–"),
        (float("nan"), "percent", "–"),
        (float("inf"), "decimal", "∞"),
        ("кот", "count", "кот"),
        (7, "text", "7"),
    ],
)
def test_a_value_is_written_in_its_form(value, form, text):
    assert number(value, form) == text


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.500"), (0.0, "0.000"), (float("nan"), "–"), (None, "–"), (float("inf"), "inf")])
def test_a_value_has_its_places_or_is_a_dash(value, text):
    assert fixed(value, 3) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (2.25, "2.2"), (940, "940"), (999.9, "1k"), (1234, "1.2k"), (34_000, "34k"), (999_999, "1M"), (5.6e6, "5.6M")],
)
def test_a_count_is_short_in_a_narrow_place(value, text):
    assert short(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.84, "0.8 s"), (42, "42 s"), (59.7, "1 min 0 s"), (7500, "2 h 5 min")])
def test_a_time_span_is_told_with_its_two_largest_units(seconds, text):
    assert duration(seconds) == text


@given(st.floats(1e-6, 1e12), st.booleans())
def test_ticks_start_at_zero_rise_evenly_and_reach_the_highest_value(highest, whole):
    marks = ticks(highest, whole=whole)
    assert marks[0] == 0
    assert marks[-1] >= highest * (1 - 1e-6)
    assert 2 <= len(marks) <= 7
    assert all(math.isclose(mark, index * marks[1]) for index, mark in enumerate(marks))
    assert not whole or all(mark == int(mark) for mark in marks)
