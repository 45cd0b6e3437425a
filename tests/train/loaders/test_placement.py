"""To the training's size and home again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.train.loaders.placement import (
    Placement,
    boxes_home,
    find_place,
    mask_home,
    place_beliefs,
    place_boxes,
    place_mask,
    place_picture,
    place_points,
    points_home,
    probabilities_home,
)
from burnish.train.samples import IGNORED

WAYS = st.sampled_from(["stretch", "letterbox", "crop"])
SIDES = st.tuples(st.integers(1, 60), st.integers(1, 60))
NUMBERS = st.floats(-100, 200, allow_nan=False, width=32)


def place_of(original, size, how):
    return find_place(original, Placement(size=size, how=how))


@given(SIDES, SIDES, WAYS)
def test_the_frame_is_filled_padded_or_cut_as_the_way_says(original, size, how):
    place = place_of(original, size, how)
    picture = place_picture(np.full((*original, 3), 200, np.uint8), place, (1, 2, 3))
    assert picture.shape == (*size, 3)
    assert (picture[place.seen] == 200).all()
    padded = np.ones(size, bool)
    padded[place.seen] = False
    assert (picture[padded] == (1, 2, 3)).all()
    if how == "letterbox":
        assert any(inner == side for inner, side in zip(place.inner, size, strict=True))
    else:
        assert not padded.any()


@given(SIDES, SIDES)
def test_letterbox_and_crop_keep_proportions_to_half_a_pixel(original, size):
    for how, pick in (("letterbox", min), ("crop", max)):
        place = place_of(original, size, how)
        scale = pick(size[0] / original[0], size[1] / original[1])
        for inner, side in zip(place.inner, original, strict=True):
            assert abs(inner - max(side * scale, 1)) <= 0.5 + 1e-9


@given(SIDES, SIDES, WAYS, st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=4))
def test_boxes_come_home_exactly(original, size, how, boxes):
    place = place_of(original, size, how)
    np.testing.assert_allclose(boxes_home(place_boxes(boxes, place), place), np.reshape(boxes, (-1, 4)), atol=1e-6)


@given(SIDES, SIDES, WAYS, st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 2)), min_size=1, max_size=4))
def test_points_come_home_exactly_with_their_visibility(original, size, how, points):
    place = place_of(original, size, how)
    there = place_points(points, place)
    assert there[:, 2].tolist() == [point[2] for point in points]
    np.testing.assert_allclose(points_home(there, place), points, atol=1e-6)


@given(SIDES, SIDES, WAYS)
def test_boxes_and_pictures_move_together(original, size, how):
    place = place_of(original, size, how)
    whole = place_boxes([[0, 0, original[1], original[0]]], place)[0]
    rows, columns = place.seen
    clipped = np.clip(whole, 0, [size[1], size[0], size[1], size[0]])
    np.testing.assert_allclose(clipped, [columns.start, rows.start, columns.stop, rows.stop], atol=1e-6)


@given(SIDES, SIDES, WAYS)
def test_a_mask_of_one_class_stays_it_and_only_padding_or_what_was_cut_off_is_ignored(original, size, how):
    place = place_of(original, size, how)
    there = place_mask(np.full(original, 7, np.uint8), place)
    assert (there[place.seen] == 7).all()
    assert np.count_nonzero(there == 7) == there[place.seen].size
    home = mask_home(there, place)
    assert home.shape == original
    assert set(np.unique(home)) <= ({7} if how != "crop" else {7, IGNORED})


@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_masks_that_grow_by_whole_factors_come_home_exactly(original, factor, seed):
    mask = np.random.default_rng(seed).integers(0, 5, original, np.uint8)
    for how in ("stretch", "letterbox", "crop"):
        place = place_of(original, (original[0] * factor, original[1] * factor), how)
        np.testing.assert_array_equal(mask_home(place_mask(mask, place), place), mask)


@given(SIDES, SIDES, WAYS, st.floats(0, 1, width=32))
def test_a_certain_map_comes_home_as_certain_where_it_was_seen(original, size, how, value):
    place = place_of(original, size, how)
    home = probabilities_home(np.full((2, *size), value, np.float32), place)
    assert home.shape == (2, *original)
    assert home.max() <= value + 1e-5
    if how != "crop":
        np.testing.assert_allclose(home, value, atol=1e-5)


def test_a_half_that_is_foreground_is_so_at_home_to_a_pixel():
    place = place_of((90, 160), (64, 64), "letterbox")
    maps = np.zeros((1, 64, 64))
    maps[0, :, 32:] = 1
    home = probabilities_home(maps, place)[0] > 0.5
    assert not home[:, :79].any()
    assert home[:, 81:].all()


def test_beliefs_are_averaged_and_padding_belongs_to_none():
    beliefs = np.zeros((4, 8, 2), np.uint8)
    beliefs[:, ::2, 1] = 255
    placed = place_beliefs(beliefs, place_of((4, 8), (4, 4), "letterbox"))
    assert placed.shape == (4, 4, 2)
    assert not placed[[0, 3]].any()
    assert np.abs(placed[1:3, :, 1].astype(int) - 128).max() <= 1


def test_crop_shows_the_middle():
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = 255
    assert (place_picture(picture, place_of((10, 30), (10, 10), "crop"), (0, 0, 0)) == 255).all()


def test_a_mask_of_another_size_than_its_picture_is_refused():
    place = place_of((10, 30), (10, 10), "crop")
    with pytest.raises(DataError, match="mask of 5 x 5 pixels belongs to a picture of 10 x 30"):
        place_mask(np.zeros((5, 5), np.uint8), place)
    with pytest.raises(DataError, match=r"shape \(10, 10\); expected \(classes, 10, 10\)"):
        probabilities_home(np.zeros((10, 10)), place)
