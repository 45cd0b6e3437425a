import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.formats.decimals import decimal_text, exact, half, minus, plus

doubles = st.floats(allow_nan=False, allow_infinity=False)


@given(doubles)
def test_a_double_comes_back_from_its_text(value):
    assert float(decimal_text(exact(value))) == value
    assert float(json.loads(decimal_text(exact(value)))) == value


@given(doubles, doubles)
def test_a_width_and_a_left_edge_give_the_right_edge_back(left, right):
    width = decimal_text(minus(exact(right), exact(left)))
    assert float(plus(exact(left), exact(width))) == right


@given(doubles, doubles)
def test_a_centre_and_a_radius_give_both_edges_back(left, right):
    centre, radius = half(plus(exact(left), exact(right))), half(minus(exact(right), exact(left)))
    assert (float(minus(centre, radius)), float(plus(centre, radius))) == (left, right)


def test_whole_numbers_have_no_point():
    assert [decimal_text(exact(v)) for v in (12.0, 1e3, 0.0, "7.50", 3)] == ["12", "1000", "0", "7.5", "3"]


def test_numbers_of_numpy_are_numbers():
    assert exact(np.float64(0.1)) == Decimal("0.1")


@pytest.mark.parametrize("value", ["", "x", "nan", float("inf"), None, True])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(DataError):
        exact(value)
