import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.geometry import boxes, polygons, tiles

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)


@EXAMPLES
@given(st.integers(1, 500), st.integers(1, 500), st.integers(2, 200), st.integers(2, 200), st.integers(0, 199))
def test_tiles_cover_every_pixel_in_equal_steps_with_the_overlap_asked_for(width, height, tile_width, tile_height, overlap_):
    overlap_ = min(overlap_, tile_width - 1, tile_height - 1)
    found = tiles.cut(width, height, tile_width=tile_width, tile_height=tile_height, overlap=overlap_)
    for low, high, length, tile in ((0, 2, width, tile_width), (1, 3, height, tile_height)):
        starts = np.unique(found[:, low])
        assert starts[0] == 0
        assert found[:, high].max() == length
        assert (found[:, high] - found[:, low] == min(length, tile)).all()
        if len(starts) > 1:
            assert np.ptp(np.diff(starts)) <= 1
            assert (starts[:-1] + tile - starts[1:] >= overlap_).all()
            # One tile fewer would not do.
            assert (len(starts) - 1) * (tile - overlap_) + overlap_ < length


def test_a_picture_smaller_than_a_tile_is_one_tile():
    assert tiles.cut(300, 200).tolist() == [[0, 0, 300, 200]]


def test_tiles_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="overlap smaller than a tile"):
        tiles.cut(100, 100, tile_width=10, tile_height=10, overlap=10)
    with pytest.raises(DataError, match="found a picture of 0 x 5"):
        tiles.cut(0, 5)


def test_a_box_is_kept_where_half_of_it_shows():
    shown, rows = tiles.boxes_into([[0, 0, 10, 10], [16, 0, 26, 10], [14, 0, 24, 10], [90, 90, 95, 95]], [10, 0, 20, 20])
    assert rows.tolist() == [2]
    assert shown.tolist() == [[4, 0, 10, 10]]
    _, rows = tiles.boxes_into([[16, 0, 26, 10], [14, 0, 24, 10]], [10, 0, 20, 20], min_visible=[0.4, 0.7])
    assert rows.tolist() == [0]


def test_a_tile_is_one_box():
    with pytest.raises(DataError, match=r"tile: found shape \(2, 4\), expected \(4,\)"):
        tiles.boxes_into([], np.zeros((2, 4)))


def test_a_box_that_does_not_show_is_never_kept():
    _, rows = tiles.boxes_into([[0, 0, 5, 5]], [10, 10, 20, 20], min_visible=0)
    assert rows.tolist() == []


def test_a_box_without_area_goes_with_its_centre():
    _, rows = tiles.boxes_into([[12, 3, 12, 3], [2, 3, 2, 3]], [10, 0, 20, 20])
    assert rows.tolist() == [0]


@EXAMPLES
@given(st.integers(0, 1000))
def test_boxes_come_out_where_they_went_in(seed):
    random = np.random.default_rng(seed)
    array = boxes.straighten(random.integers(0, 100, (5, 4)).astype(float))
    tile = [10, 20, 80, 90]
    shown, rows = tiles.boxes_into(array, tile, min_visible=0.01)
    assert np.allclose(tiles.boxes_out(shown, tile), boxes.intersection(array[rows], [tile]))


def test_a_polygon_is_clipped_and_moved():
    ring = [[0, 0], [20, 0], [20, 10], [0, 10]]
    (shown,) = tiles.polygon_into([ring], [5, 0, 50, 50])
    assert polygons.bounds([shown]).tolist() == [[0, 0, 15, 10]]
    assert polygons.bounds(tiles.polygon_out([shown], [5, 0, 50, 50])).tolist() == [[5, 0, 20, 10]]
    assert tiles.polygon_into([ring], [15, 0, 50, 50]) == []


def test_a_mask_is_cut_out_and_put_back():
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:15, 10:20] = True
    shown = tiles.mask_into(mask, [12, 0, 30, 20])
    assert shown.sum() == 80
    back = tiles.mask_out(shown, [12, 0, 30, 20], 20, 30)
    assert np.array_equal(back, mask & (np.arange(30) >= 12))
    assert tiles.mask_into(mask, [18, 0, 30, 20]) is None
    assert tiles.mask_into(mask, [-9, -9, -1, -1], min_visible=0) is None
    with pytest.raises(DataError, match="for the tile"):
        tiles.mask_out(shown, [0, 0, 5, 5], 20, 30)
