import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from burnish.errors import DataError
from burnish.geometry import masks

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
MASKS = st.tuples(st.integers(1, 20), st.integers(1, 20), st.floats(0, 1), st.integers(0, 1000)).map(
    lambda t: np.random.default_rng(t[3]).random((t[0], t[1])) < t[2]
)
RADII = st.sampled_from([0, 1, 1.5, 2, 3.2, 5])


def disc(radius):
    reach = np.arange(-int(radius), int(radius) + 1)
    return reach[:, None] ** 2 + reach**2 <= radius**2


@EXAMPLES
@given(MASKS, RADII)
def test_dilation_is_by_a_disc(mask, radius):
    assert np.array_equal(masks.dilate(mask, radius), ndimage.binary_dilation(mask, disc(radius)))


@EXAMPLES
@given(MASKS, RADII)
def test_erosion_is_by_a_disc_and_the_frame_eats_nothing(mask, radius):
    assert np.array_equal(masks.erode(mask, radius), ndimage.binary_erosion(mask, disc(radius), border_value=1))


@EXAMPLES
@given(MASKS, RADII)
def test_opening_shrinks_closing_grows_and_twice_is_once(mask, radius):
    opened, closed = masks.opened(mask, radius), masks.closed(mask, radius)
    assert not (opened & ~mask).any()
    assert not (mask & ~closed).any()
    assert np.array_equal(masks.opened(opened, radius), opened)
    assert np.array_equal(masks.closed(closed, radius), closed)


def test_the_radius_may_follow_the_objects_size():
    mask = np.zeros((100, 100), dtype=bool)
    mask[np.hypot(*np.mgrid[-50:50, -50:50]) <= 20] = True
    assert masks.relative_radius(mask, 0.5) == pytest.approx(10, rel=0.01)


def test_a_negative_radius_is_refused():
    with pytest.raises(DataError, match="radius: found -1"):
        masks.dilate(np.ones((2, 2), dtype=bool), -1)


def test_set_algebra_of_masks():
    one, two = np.array([[1, 1, 0]], dtype=bool), np.array([[0, 1, 1]], dtype=bool)
    assert masks.union([one, two]).tolist() == [[True, True, True]]
    assert masks.intersection([one, two]).tolist() == [[False, True, False]]
    assert masks.difference(one, two).tolist() == [[True, False, False]]


def test_masks_of_different_sizes_or_none_are_refused():
    with pytest.raises(DataError, match="all of one size"):
        masks.union([np.zeros((2, 2), bool), np.zeros((2, 3), bool)])
    with pytest.raises(DataError, match="at least one mask"):
        masks.union([])


def test_the_box_of_a_mask_is_half_open():
    mask = np.zeros((6, 8), dtype=bool)
    mask[2:4, 3:7] = True
    assert masks.box(mask).tolist() == [[3, 2, 7, 4]]
    assert masks.centroid(mask).tolist() == [5, 3]
    assert masks.area(mask) == 8


def test_an_empty_mask_has_no_box_and_no_centre():
    empty = np.zeros((3, 3), dtype=bool)
    assert masks.box(empty).shape == (0, 4)
    assert np.isnan(masks.centroid(empty)).all()
    assert masks.components(empty) == []
    assert not masks.dilate(empty, 3).any()
    assert masks.erode(~empty, 3).all()


def test_edges_are_the_pixels_that_touch_the_outside():
    mask = np.ones((4, 5), dtype=bool)
    assert masks.edges(mask).sum() == 4 * 5 - 2 * 3


@EXAMPLES
@given(MASKS)
def test_the_boundary_of_one_pixel_holds_the_edges(mask):
    band = masks.boundary(mask, 1)
    assert not (masks.edges(mask) & ~band).any()
    assert not (band & ~mask).any()


def test_the_boundary_is_two_percent_of_the_diagonal_wide():
    mask = np.ones((300, 400), dtype=bool)
    assert masks.boundary(mask).sum() == 300 * 400 - 280 * 380


@EXAMPLES
@given(MASKS, st.sampled_from([4, 8]))
def test_components_are_apart_and_make_up_the_mask(mask, connectivity):
    parts = masks.components(mask, connectivity=connectivity)
    assert sum((part.astype(int) for part in parts), np.zeros(mask.shape, dtype=int)).tolist() == mask.astype(int).tolist()


def test_small_components_can_be_left_out():
    mask = np.array([[1, 0, 1, 1]], dtype=bool)
    assert [part.tolist() for part in masks.components(mask, min_area=2)] == [[[False, False, True, True]]]


@EXAMPLES
@given(MASKS)
def test_holes_are_filled_as_scipy_fills_them(mask):
    assert np.array_equal(masks.without_holes(mask), ndimage.binary_fill_holes(mask))


def test_floats_become_a_mask_by_an_explicit_threshold():
    assert masks.threshold([[0.4, 0.5, 0.6]], 0.5).tolist() == [[False, False, True]]
    with pytest.raises(DataError, match="Say the threshold"):
        masks.area(np.array([[0.4]]))
