import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.geometry import polylines

COORDINATES = st.floats(-20, 40, allow_nan=False, width=32)
LINES = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=2, max_size=8).map(np.array)


def test_a_line_that_leaves_and_comes_back_falls_in_two():
    pieces = polylines.clip([[1, 1], [15, 1], [15, 5], [1, 5]], [0, 0, 10, 10])
    assert [piece.tolist() for piece in pieces] == [[[1, 1], [10, 1]], [[10, 5], [1, 5]]]


def test_a_line_inside_stays_as_it_is():
    line = np.array([[1.0, 2.0], [3.0, 4.0], [9.0, 1.0]])
    (piece,) = polylines.clip(line, [0, 0, 10, 10])
    assert piece.tolist() == line.tolist()


def test_a_line_that_only_touches_a_corner_is_left_out():
    assert polylines.clip([[-5, 5], [5, -5]], [0, 0, 10, 10]) == []


@given(LINES)
def test_pieces_in_two_halves_are_as_long_as_the_line_in_both(line):
    left, right, both = ([*polylines.clip(line, box)] for box in ([0, 0, 10, 20], [10, 0, 20, 20], [0, 0, 20, 20]))
    on_seam = sum(polylines.length(piece) for piece in left if (piece[:, 0] == 10).all())
    lengths = [sum(map(polylines.length, pieces)) for pieces in (left, right, both)]
    assert lengths[0] + lengths[1] >= lengths[2] - 1e-6
    if on_seam == 0 and not ((np.diff(line[:, 0]) == 0) & (line[:-1, 0] == 10)).any():
        assert lengths[0] + lengths[1] == pytest.approx(lengths[2], abs=1e-6)


@given(LINES)
def test_every_piece_lies_in_the_box(line):
    for piece in polylines.clip(line, [0, 0, 10, 10]):
        assert len(piece) >= 2
        assert (piece >= -1e-6).all()
        assert (piece <= 10 + 1e-6).all()
