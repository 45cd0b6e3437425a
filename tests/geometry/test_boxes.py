import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.geometry import boxes

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

COORDINATES = st.floats(-1e4, 1e4, allow_nan=False).map(lambda value: round(value, 3))
BOXES = st.integers(0, 6).flatmap(lambda count: hnp.arrays(np.float64, (count, 4), elements=COORDINATES))


@EXAMPLES
@given(BOXES)
def test_every_notation_survives_the_round_trip(array):
    for there, back in ((boxes.to_xywh, boxes.from_xywh), (boxes.to_cxcywh, boxes.from_cxcywh)):
        assert np.allclose(back(there(array)), array, atol=1e-8)
    assert np.allclose(boxes.from_yolo(boxes.to_yolo(array, 640, 480), 640, 480), array, atol=1e-8)


def test_yolo_takes_a_size_for_each_row():
    shares = [[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]]
    assert boxes.from_yolo(shares, [100, 200], [50, 80]).tolist() == [[0, 0, 100, 50], [50, 20, 150, 60]]


def test_area_of_an_inside_out_box_is_nothing():
    assert boxes.area([[0, 0, 4, 3], [4, 3, 0, 0], [1, 1, 1, 5]]).tolist() == [12, 0, 0]


@EXAMPLES
@given(BOXES)
def test_clipping_twice_is_clipping_once(array):
    once = boxes.clip(array, 640, 480)
    assert np.array_equal(boxes.clip(once, 640, 480), once)
    assert ((once >= 0) & (once <= [640, 480, 640, 480])).all()


@EXAMPLES
@given(BOXES)
def test_straightened_boxes_are_the_right_way_round(array):
    straight = boxes.straighten(array)
    assert (straight[:, :2] <= straight[:, 2:]).all()
    assert np.array_equal(boxes.straighten(straight), straight)


@EXAMPLES
@given(BOXES)
def test_the_intersection_lies_in_both_and_the_hull_around_both(array):
    one = boxes.straighten(array)
    two = boxes.shift(one, 3.0, -2.0)
    common, hull = boxes.intersection(one, two), boxes.hull(one, two)
    assert (boxes.area(common) <= np.minimum(boxes.area(one), boxes.area(two)) + 1e-9).all()
    assert (boxes.area(hull) >= np.maximum(boxes.area(one), boxes.area(two)) - 1e-9).all()


def test_boxes_that_do_not_meet_have_an_intersection_without_area():
    assert boxes.area(boxes.intersection([[0, 0, 1, 1]], [[5, 5, 6, 6]])).tolist() == [0]


def test_valid_refuses_nan_infinity_and_boxes_without_sides():
    array = [[0, 0, 2, 2], [np.nan, 0, 2, 2], [0, 0, np.inf, 2], [2, 0, 2, 2], [3, 0, 2, 2], [0, 0, 0.5, 9]]
    assert boxes.valid(array, min_size=0.5).tolist() == [True, False, False, False, False, False]


def test_around_is_one_box_or_none():
    assert boxes.around([[0, 1, 2, 3], [-1, 2, 1, 9]]).tolist() == [[-1, 1, 2, 9]]
    assert boxes.around([]).shape == (0, 4)


def test_whole_pixels_are_rounded_outwards_but_not_by_dust():
    assert boxes.to_pixels([[0.2, 1.0, 2.1, 3.0000000001]]).tolist() == [[0, 1, 3, 3]]


def test_no_boxes_are_welcome_everywhere():
    for function in (boxes.from_xywh, boxes.to_xywh, boxes.to_cxcywh, boxes.straighten, boxes.to_pixels):
        assert function([]).shape == (0, 4)
    assert boxes.area([]).shape == (0,)
    assert boxes.clip(np.zeros((0, 4)), 3, 3).shape == (0, 4)


def test_a_single_row_is_told_to_be_wrapped():
    with pytest.raises(DataError, match=r"found shape \(4,\), expected \(n, 4\) .* wrap it"):
        boxes.area([1, 2, 3, 4])
    with pytest.raises(DataError, match=r"found shape \(2, 5\)"):
        boxes.area(np.zeros((2, 5)))


def test_inputs_are_not_changed():
    array = np.array([[5.0, 5.0, 1.0, 1.0]])
    boxes.straighten(array), boxes.clip(array, 2, 2), boxes.to_cxcywh(array), boxes.shift(array, 1, 1)
    assert array.tolist() == [[5, 5, 1, 1]]
