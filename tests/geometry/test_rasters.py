import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.geometry import masks, polygons, rasters

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

MASKS = st.tuples(st.integers(1, 15), st.integers(1, 15), st.floats(0, 1), st.integers(0, 1000)).map(
    lambda t: np.random.default_rng(t[3]).random((t[0], t[1])) < t[2]
)


@EXAMPLES
@given(MASKS, st.sampled_from([4, 8]))
def test_filling_the_traced_outline_gives_the_mask_again(mask, connectivity):
    rings = [ring for polygon in rasters.trace(mask, connectivity=connectivity) for ring in polygon]
    assert np.array_equal(rasters.fill(rings, *mask.shape), mask)


@EXAMPLES
@given(MASKS, st.sampled_from([4, 8]))
def test_each_connected_component_is_one_polygon_with_its_own_area(mask, connectivity):
    parts = masks.components(mask, connectivity=connectivity)
    found = rasters.trace(mask, connectivity=connectivity)
    assert len(found) == len(parts)
    areas = [sum(polygons.signed_area(ring) for ring in polygon) for polygon in found]
    assert sorted(areas) == sorted(float(part.sum()) for part in parts)
    for polygon in found:
        assert polygons.signed_area(polygon[0]) > 0
        assert all(polygons.signed_area(hole) < 0 for hole in polygon[1:])


def test_a_single_pixel_is_a_square():
    mask = np.zeros((5, 6), dtype=bool)
    mask[2, 3] = True
    assert [ring.tolist() for ring in rasters.trace(mask)[0]] == [[[3, 2], [4, 2], [4, 3], [3, 3]]]


def test_a_ring_of_pixels_has_a_hole():
    mask = np.zeros((7, 7), dtype=bool)
    mask[1:6, 1:6] = True
    mask[3, 3] = False
    (polygon,) = rasters.trace(mask)
    assert [len(ring) for ring in polygon] == [4, 4]


def test_diagonal_pixels_are_one_part_or_two():
    mask = np.eye(2, dtype=bool)
    assert len(rasters.trace(mask, connectivity=8)) == 1
    assert len(rasters.trace(mask, connectivity=4)) == 2


def test_an_empty_mask_has_no_outline():
    assert rasters.trace(np.zeros((4, 4), dtype=bool)) == []
    assert rasters.trace(np.zeros((0, 4), dtype=bool)) == []


def test_a_pixel_is_inside_when_its_centre_is():
    assert rasters.fill([[[0.4, 0], [2.6, 0], [2.6, 1], [0.4, 1]]], 2, 4).tolist() == [[True, True, True, False], [False] * 4]
    assert rasters.fill([[[0.6, 0], [2.4, 0], [2.4, 1], [0.6, 1]]], 2, 4).tolist() == [[False, True, False, False], [False] * 4]


@EXAMPLES
@given(st.integers(0, 10_000))
def test_a_polygons_mask_has_its_area_but_for_half_of_its_outline(seed):
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, 12))
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * random.uniform(20, 60, (12, 1)) + 64
    length = np.hypot(*(ring - np.roll(ring, -1, axis=0)).T).sum()
    assert abs(rasters.fill([ring], 128, 128).sum() - abs(polygons.signed_area(ring))) <= length / 2


@EXAMPLES
@given(st.integers(0, 10_000))
def test_a_fan_of_triangles_covers_each_pixel_once(seed):
    random = np.random.default_rng(seed)
    middle = random.uniform(5, 25, 2)
    frame = np.array([[-5, -5], [13.5, -5], [35, -5], [35, 11.5], [35, 35], [8.5, 35], [-5, 35], [-5, 20.5]])
    count = sum(rasters.fill([np.stack([middle, frame[at], frame[(at + 1) % 8]])], 30, 30).astype(int) for at in range(8))
    assert (count == 1).all()


def test_it_agrees_with_opencv_away_from_the_outline(random):
    ring = random.uniform(0, 200, (7, 2)).round()
    mine = rasters.fill([ring], 200, 200)
    theirs = cv2.fillPoly(np.zeros((200, 200), np.uint8), [ring.astype(np.int32)], 1).astype(bool)
    assert not masks.erode(mine ^ theirs, 2).any()


def test_what_lies_outside_the_picture_is_cut_off():
    assert rasters.fill([[[-50, -50], [50, -50], [50, 50], [-50, 50]]], 3, 4).all()
    assert not rasters.fill([[[60, 60], [70, 60], [70, 70]]], 3, 4).any()


def test_no_rings_and_rings_without_area_fill_nothing():
    assert not rasters.fill([], 3, 4).any()
    assert not rasters.fill([[], [[1, 1]], [[0, 0], [3, 3]]], 3, 4).any()


def test_a_vertex_that_is_not_a_number_is_refused():
    with pytest.raises(DataError, match="NaN or infinity in 1 rows"):
        rasters.fill([[[0, 0], [np.nan, 1], [3, 3]]], 4, 4)
