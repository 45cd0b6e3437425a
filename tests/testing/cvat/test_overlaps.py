"""Areas that polygons share."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burnish.testing.cvat.overlaps import polygon_overlap, shape_overlap

SQUARE = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
boxes = st.tuples(st.integers(-20, 20), st.integers(-20, 20), st.integers(1, 20), st.integers(1, 20)).map(
    lambda box: [*box[:2], box[0] + box[2], box[1] + box[3]]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(boxes, boxes)
def test_of_upright_boxes_it_is_the_overlap_of_boxes(one, two):

    rings = [np.array([[a, b], [c, b], [c, d], [a, d]], dtype=float) for a, b, c, d in (one, two)]
    shapes = [{"type": "rectangle", "points": points} for points in (one, two)]
    assert polygon_overlap(*rings) == pytest.approx(shape_overlap(*shapes))


def test_a_triangle_in_a_square_has_half_of_it():
    assert polygon_overlap(SQUARE, SQUARE[:3]) == pytest.approx(0.5)


def test_the_direction_of_a_polygon_does_not_matter():
    moved = SQUARE + 1
    assert polygon_overlap(SQUARE, moved[::-1]) == pytest.approx(polygon_overlap(SQUARE, moved)) == pytest.approx(1 / 7)


def test_a_concave_polygon_shares_only_what_it_covers():
    corner = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [1.0, 1.0], [1.0, 2.0], [0.0, 2.0]])
    assert polygon_overlap(corner, SQUARE[:, :] + 1) == pytest.approx(0.0)
    assert polygon_overlap(corner, SQUARE) == pytest.approx(0.75)


def test_polygons_that_cross_themselves_or_have_no_area_match_nothing():
    bow = SQUARE[[0, 2, 1, 3]]
    assert polygon_overlap(bow, SQUARE) == 0
    assert polygon_overlap(SQUARE[[0, 1, 0]], SQUARE) == 0


def test_shapes_of_different_types_match_nothing():
    assert shape_overlap({"type": "rectangle", "points": [0, 0, 2, 2]}, {"type": "polygon", "points": SQUARE.ravel().tolist()}) == 0
    assert shape_overlap({"type": "points", "points": [0, 0]}, {"type": "points", "points": [0, 0]}) == 0
