import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.geometry import masks, symmetries

EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.mark.parametrize("symmetry", symmetries.ALL)
def test_boxes_go_where_their_masks_go(symmetry):
    mask = np.zeros((6, 9), dtype=bool)
    mask[1:3, 2:7] = True
    moved = symmetries.of_mask(mask, symmetry)
    assert moved.shape[::-1] == symmetries.of_size(9, 6, symmetry)
    assert symmetries.of_boxes(masks.box(mask), 9, 6, symmetry).tolist() == masks.box(moved).tolist()


@EXAMPLES
@given(st.sampled_from(symmetries.ALL), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), max_size=5))
def test_every_symmetry_is_undone_by_its_inverse(symmetry, points):
    moved = symmetries.of_points(points, 9, 6, symmetry)
    back = symmetries.of_points(moved, *symmetries.of_size(9, 6, symmetry), symmetries.inverse(symmetry))
    assert back.tolist() == [list(point) for point in points]


def test_a_mirror_sends_the_left_edge_to_the_right_edge():
    assert symmetries.of_points([[0, 2]], 9, 6, symmetries.MIRROR).tolist() == [[9, 2]]
    assert symmetries.of_points([[0, 2]], 9, 6, symmetries.UPSIDE_DOWN).tolist() == [[0, 4]]


def test_a_quarter_turn_goes_clockwise():
    assert symmetries.of_points([[0, 0]], 9, 6, (False, 1)).tolist() == [[6, 0]]


def test_the_eight_symmetries_are_different():
    mask = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    mask[0, 2] = True
    assert len({symmetries.of_mask(mask, symmetry).tobytes() for symmetry in symmetries.ALL}) == 8
