import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.geometry import boxes, clipping, overlap, polygons, rotated

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

SIDES = st.floats(0.5, 200)
PLACES = st.floats(-300, 300)
ROTATED = st.tuples(PLACES, PLACES, SIDES, SIDES, st.floats(0, 360)).map(lambda row: np.array([row]))


def test_positive_degrees_turn_clockwise_as_seen():
    # A wide box turned by 90 degrees: its upper left corner goes to the upper right.
    assert rotated.corners([[10, 10, 8, 4, 90]])[0, 0].tolist() == [12, 6]


def test_the_tables_form_keeps_the_box_before_the_turn():
    turned = rotated.from_boxes([[10, 20, 30, 60]], 370)
    assert turned.tolist() == [[20, 40, 20, 40, 370]]
    straight, degrees = rotated.to_boxes(turned)
    assert straight.tolist() == [[10, 20, 30, 60]]
    assert degrees.tolist() == [10]


@EXAMPLES
@given(ROTATED)
def test_corners_survive_the_round_trip(box):
    back = rotated.from_corners(rotated.corners(box))
    assert np.allclose(back[:, :4], box[:, :4], atol=1e-6)
    assert np.allclose(rotated.corners(back), rotated.corners(box), atol=1e-6)


def test_corners_listed_the_other_way_round_give_the_same_box():
    points = rotated.corners([[50, 40, 30, 10, 25]])
    again = rotated.from_corners(points[:, ::-1])
    assert np.allclose(rotated.bounds(again), rotated.bounds([[50, 40, 30, 10, 25]]))
    assert (again[:, 2:4] > 0).all()


@EXAMPLES
@given(ROTATED)
def test_the_smallest_box_around_a_rotated_boxs_corners_is_that_box(box):
    found = rotated.around(rotated.corners(box)[0])
    assert np.isclose(np.prod(found[0, 2:4]), np.prod(box[0, 2:4]), rtol=1e-5)
    assert np.allclose(found[0, :2], box[0, :2], atol=1e-3)
    assert 0 <= found[0, 4] < 90


@EXAMPLES
@given(st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=20))
def test_the_smallest_box_holds_every_point(points):
    box = rotated.around(points)
    for point in points:
        local = np.array(point) - box[0, :2]
        angle = np.radians(box[0, 4])
        along = abs(local @ [np.cos(angle), np.sin(angle)])
        across = abs(local @ [-np.sin(angle), np.cos(angle)])
        assert along <= box[0, 2] / 2 + 1e-6
        assert across <= box[0, 3] / 2 + 1e-6


def test_the_smallest_box_is_not_larger_than_opencvs(random):
    for _ in range(30):
        points = random.normal(0, 50, (12, 2)).astype(np.float32)
        _, size, _ = cv2.minAreaRect(points)
        assert np.prod(rotated.around(points)[0, 2:4]) <= np.prod(size) * (1 + 1e-5)


def test_points_on_a_line_and_a_single_point_have_a_box_without_area():
    line = rotated.around([[0, 0], [3, 3], [1, 1]])
    assert np.isclose(line[0, 2:4].max(), np.hypot(3, 3))
    assert np.isclose(line[0, 2:4].min(), 0)
    assert rotated.around([[5, 7]])[0, :4].tolist() == [5, 7, 0, 0]
    assert rotated.around([]).shape == (0, 5)


@EXAMPLES
@given(ROTATED)
def test_bounds_of_quarter_turns_are_exact(box):
    x, y, width, height, _ = box[0]
    assert np.array_equal(rotated.bounds([[x, y, width, height, 0]]), rotated.bounds([[x, y, height, width, 90]]))


@EXAMPLES
@given(ROTATED, ROTATED)
def test_the_common_area_is_that_of_the_clipped_polygon(one, two):
    # Turned back by the second's angle, the second is upright and clips the first exactly.
    angle = -two[0, 4]
    spin = np.array([[np.cos(np.radians(angle)), -np.sin(np.radians(angle))], [np.sin(np.radians(angle)), np.cos(np.radians(angle))]])
    near = two.copy()
    near[0, :2] = one[0, :2] + (two[0, :2] - one[0, :2]) / 10
    ring = (rotated.corners(one)[0] - near[0, :2]) @ spin.T
    half = near[0, 2:4] / 2
    expected = polygons.area(clipping.clip([ring], [-half[0], -half[1], half[0], half[1]]))
    found = rotated.intersection_areas(one, near)[0]
    assert np.isclose(found, expected, rtol=1e-6, atol=1e-5)
    assert np.isclose(found, rotated.intersection_areas(near, one)[0], rtol=1e-6, atol=1e-6)


@EXAMPLES
@given(ROTATED)
def test_a_box_covers_itself_at_any_angle(box):
    area = np.prod(box[0, 2:4])
    assert np.isclose(rotated.intersection_areas(box, box)[0], area, rtol=1e-9)
    assert np.isclose(overlap.rotated_overlaps(box, box + np.array([0, 0, 0, 0, 180]))[0, 0], 1.0)


@EXAMPLES
@given(st.lists(st.tuples(PLACES, PLACES, SIDES, SIDES), max_size=5))
def test_boxes_that_are_not_turned_overlap_like_boxes(rows):
    straight = boxes.from_cxcywh(rows)
    turned = rotated.from_boxes(straight, 0.0)
    assert np.allclose(overlap.rotated_overlaps(turned, turned), overlap.box_overlaps(straight, straight), atol=1e-7)


def test_a_box_without_a_side_overlaps_nothing():
    flat = [[10, 10, 0, 5, 30], [10, 10, 0, 0, 0], [10, 10, -4, 5, 0]]
    assert rotated.intersection_areas(flat, [[10, 10, 20, 20, 15]] * 3).tolist() == [0, 0, 0]


def test_touching_neighbours_have_nothing_in_common():
    assert np.isclose(rotated.intersection_areas([[0, 0, 2, 2, 45]], [[2 * np.sqrt(2), 0, 2, 2, 45]])[0], 0, atol=1e-9)


def test_nothing_in_nothing_out():
    assert rotated.corners([]).shape == (0, 4, 2)
    assert rotated.from_corners([]).shape == (0, 5)
    assert rotated.bounds([]).shape == (0, 4)
    assert rotated.intersection_areas([], []).shape == (0,)


def test_corners_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"expected \(n, 4, 2\)"):
        rotated.from_corners(np.zeros((2, 3, 2)))


def test_a_turn_of_next_to_nothing_the_other_way_is_no_turn():
    assert rotated.corners([[5, 5, 4, 2, -1e-120]]) == pytest.approx(rotated.corners([[5, 5, 4, 2, 0]]))
