"""All targets move with the picture, and come home by the map back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_builders import assert_same, full_sample, smooth_picture

from burnish.errors import ConfigError
from burnish.geometry import masks, overlap, rotated, symmetries
from burnish.train.augs import sampling, views
from burnish.train.augs.geometric import perspective
from burnish.train.augs.moving import Rules, moved
from burnish.train.samples import IGNORED, Sample

KEEP_ALL = Rules(min_visible=0.0)
SIZE = 48, 64
turns = st.sampled_from(symmetries.ALL)
degrees = st.floats(-180, 180)
factors = st.floats(0.6, 1.6)


def view_of(angle, factor, across=0.0, down=0.0, size=SIZE):
    return views.shifted(across, down) @ views.about_middle(views.turned(angle) @ views.scaled(factor, factor), size)


@given(turns, st.integers(1, 30), st.integers(1, 30), st.integers(0, 5))
def test_laid_down_anew_and_back_is_the_same_to_the_bit(symmetry, height, width, seed):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    sample = Sample(picture, mask=picture[..., 0], beliefs=np.concatenate([picture, picture], axis=2), instances=picture[None, ..., 1] & 1)
    turned_size = symmetries.of_size(width, height, symmetry)[::-1]
    there = moved(sample, views.from_symmetry(symmetry, (height, width)), turned_size, KEEP_ALL)
    back = moved(there, views.from_symmetry(symmetries.inverse(symmetry), turned_size), (height, width), KEEP_ALL)
    assert_same(back, sample)


@given(turns)
def test_pixels_of_a_turned_picture_are_those_of_the_plain_array(symmetry):
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    size = symmetries.of_size(9, 7, symmetry)[::-1]
    mirrored, quarters = symmetry
    expected = np.rot90(picture[:, ::-1] if mirrored else picture, -quarters)
    assert np.array_equal(moved(Sample(picture), views.from_symmetry(symmetry, (7, 9)), size, KEEP_ALL).picture, expected)


@given(turns)
def test_after_flips_and_quarter_turns_the_box_of_a_mask_is_the_moved_box(symmetry):
    sample = full_sample()
    size = symmetries.of_size(SIZE[1], SIZE[0], symmetry)[::-1]
    turned = moved(sample, views.from_symmetry(symmetry, SIZE), size, KEEP_ALL)
    found = np.concatenate([masks.box(mask) for mask in turned.instances])
    assert np.array_equal(found, turned.boxes)


@given(degrees, factors)
def test_after_any_turn_the_box_is_that_of_the_moved_mask(angle, factor):
    view = view_of(angle, factor)
    turned = moved(full_sample(), view, SIZE, KEEP_ALL)
    found = np.concatenate([masks.box(mask) for mask in turned.instances])
    rounding = 1 if views.is_upright(view) else 0  # scaled upright boxes are exact, masks have whole pixels
    assert np.abs(found - turned.boxes).max() <= rounding


@given(degrees, factors)
def test_points_come_home(angle, factor):
    sample = full_sample()
    view = view_of(angle, factor)
    back = moved(moved(sample, view, SIZE, KEEP_ALL), views.undone(view), SIZE, KEEP_ALL)
    there = back.points[..., 2] > 0
    assert there.any()
    assert np.abs(back.points - sample.points)[there].max() < 1e-3


@given(st.floats(0.5, 2.0), st.floats(0.5, 2.0), turns)
def test_boxes_come_home_from_scales_and_turns_by_quarters(across, down, symmetry):
    sample = replace(full_sample(), instances=None, mask=None)
    size = symmetries.of_size(SIZE[1], SIZE[0], symmetry)[::-1]
    view = views.from_symmetry(symmetry, SIZE) @ views.about_middle(views.scaled(across, down), SIZE)
    there = moved(sample, view, size, KEEP_ALL)
    inside = ((there.boxes[:, :2] > 0).all(1)) & (there.boxes[:, 2] < size[1]) & (there.boxes[:, 3] < size[0])
    back = moved(there, views.undone(view), SIZE, KEEP_ALL)
    assert len(back.boxes) == len(sample.boxes)
    assert np.allclose(back.boxes[inside], sample.boxes[inside], atol=1e-3)


@given(degrees, st.floats(0.8, 1.5))
def test_masks_come_home_but_for_their_rims(angle, factor):
    size = 96, 96
    cross = np.zeros((1, *size), np.uint8)
    cross[0, 30:70, 40:52] = cross[0, 38:52, 34:66] = 1
    view = view_of(angle, factor, size=size)
    sample = Sample(np.zeros((*size, 3), np.uint8), mask=cross[0] * 7, instances=cross)
    back = moved(moved(sample, view, size, KEEP_ALL), views.undone(view), size, KEEP_ALL)
    for found, value in ((back.instances[0], 1), (back.mask, 7)):
        assert (found[masks.erode(cross[0], 2)] == value).all()
        assert (found[~masks.dilate(cross[0], 2)] == 0).all()


@given(degrees, factors)
def test_a_picture_comes_home_where_it_stayed_in_sight(angle, factor):
    size = 80, 80
    sample = Sample(smooth_picture(*size))
    view = view_of(angle, factor, size=size)
    back = moved(moved(sample, view, size, KEEP_ALL), views.undone(view), size, KEEP_ALL)
    disc = np.hypot(*(np.mgrid[:80, :80] - 39.5)) < 37 / max(factor, 1)
    assert np.abs(back.picture.astype(int) - sample.picture)[disc].max() <= 12


@given(degrees, factors, st.floats(-8, 8), st.floats(-8, 8), st.integers(0, 20), st.booleans())
def test_a_point_lies_on_the_pixel_that_it_marks(angle, factor, across, down, seed, slanted):  # noqa: PLR0917
    rng = np.random.default_rng(seed)
    column, row = rng.integers(16, 48), rng.integers(12, 36)
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[row - 1 : row + 2, column - 1 : column + 2] = 90
    picture[row, column] = 255
    view = view_of(angle, factor, across, down)
    if slanted:
        view = view @ perspective({"inwards": rng.uniform(0, 0.3, (4, 2)).tolist()}, SIZE)[0]
    sample = Sample(picture, points=np.array([[[column + 0.5, row + 0.5, 2]]], dtype=np.float32))
    turned = moved(sample, view, SIZE, KEEP_ALL)
    if not len(turned.points):
        return
    x, y, seen = turned.points[0, 0]
    brightest = np.unravel_index(turned.picture[..., 0].argmax(), SIZE)
    assert seen == 2
    assert np.abs(np.array(brightest) + 0.5 - [y, x]).max() <= 1.2


@given(degrees, factors, st.booleans())
def test_turned_boxes_keep_their_corners_under_turns_scales_and_mirrors(angle, factor, mirrored):
    boxes = np.array([[20, 15, 40, 25], [30, 20, 44, 38]], dtype=np.float32)
    sample = Sample(smooth_picture(), boxes=boxes, rotations=np.array([30, 200], dtype=np.float32), classes=np.arange(2))
    view = view_of(angle, factor) @ (views.from_symmetry((True, 0), SIZE) if mirrored else views.same())
    turned = moved(sample, view, SIZE, KEEP_ALL)
    found = rotated.corners(rotated.from_boxes(turned.boxes, turned.rotations))
    old = rotated.corners(rotated.from_boxes(boxes, sample.rotations))[turned.classes]
    expected = views.moved_points(old, view)
    apart = np.linalg.norm(found[:, :, None] - expected[:, None], axis=-1)
    assert apart.min(axis=2).max() < 1e-2, "each corner lies where the map takes one"


def test_a_slanted_turned_box_is_the_least_around_its_moved_corners():
    boxes = np.array([[20, 15, 40, 25]], dtype=np.float32)
    sample = Sample(smooth_picture(), boxes=boxes, rotations=np.array([30], dtype=np.float32), classes=np.zeros(1, int))
    slant = np.array([[1, 0.3, -5], [0.1, 1, 0], [0, 0, 1.0]])
    turned = moved(sample, slant, SIZE, KEEP_ALL)
    quad = views.moved_points(rotated.corners(rotated.from_boxes(boxes, sample.rotations)), slant)[0]
    expected = rotated.around(quad)[0]
    found = rotated.from_boxes(turned.boxes, turned.rotations)[0]
    assert found[2] * found[3] == pytest.approx(expected[2] * expected[3], rel=1e-4)
    assert np.allclose(found[:2], expected[:2], atol=1e-3)


def test_mirrored_twice_is_the_same_with_points_that_change_places():
    sample = full_sample()
    rules = Rules(mirror_points=((0, 1),))
    mirror = views.from_symmetry((True, 0), SIZE)
    once = moved(sample, mirror, SIZE, rules)
    assert np.allclose(once.points[:, 0, 0], SIZE[1] - sample.points[:, 1, 0])
    assert_same(moved(once, mirror, SIZE, rules), sample)


def test_points_change_places_only_when_the_picture_is_mirrored():
    rules = Rules(mirror_points=((0, 1),), min_visible=0)
    half_turn = moved(full_sample(), views.from_symmetry((False, 2), SIZE), SIZE, rules)
    assert np.allclose(half_turn.points[:, 0, 0], SIZE[1] - full_sample().points[:, 0, 0])


def test_a_pair_of_points_that_skeletons_do_not_have_is_told():
    with pytest.raises(ConfigError, match="names point 5, but the skeletons have 2"):
        moved(full_sample(), views.from_symmetry((True, 0), SIZE), SIZE, Rules(mirror_points=((0, 5),)))


@pytest.mark.parametrize(("way", "left"), [(0, 3), (-20, 2), (-46, 0)])
def test_objects_of_which_too_little_is_left_go_with_all_that_belongs_to_them(way, left):
    boxes = np.array([[10, 10, 30, 30], [25, 10, 45, 30], [30, 5, 40, 25]], dtype=np.float32)
    sample = replace(full_sample(), boxes=boxes)
    turned = moved(sample, views.shifted(way, 0), SIZE, Rules(min_visible=0.6))
    assert [len(rows) for rows in (turned.boxes, turned.classes, turned.instances, turned.points)] == [left] * 4


def test_the_visible_share_of_a_turned_box_counts_its_real_corners():
    boxes = np.array([[20, 20, 40, 40]], dtype=np.float32)
    sample = Sample(np.zeros((60, 60, 3), np.uint8), boxes=boxes, classes=np.zeros(1, int))
    view = views.shifted(-30, 0) @ views.about_middle(views.turned(45), (60, 60))
    assert len(moved(sample, view, (60, 60), Rules(min_visible=0.49)).boxes) == 1, "half of the diamond is in sight"
    assert len(moved(sample, view, (60, 60), Rules(min_visible=0.51)).boxes) == 0
    seen = moved(sample, view, (60, 60), Rules(min_visible=0.4)).boxes[0]
    reach = 20 / np.sqrt(2)
    assert np.allclose(seen, [0, 30 - reach, reach, 30 + reach], atol=1e-3), "cut off at the edge"


def test_key_points_outside_are_not_there():
    sample = replace(full_sample(count=1), boxes=np.array([[4, 4, 60, 44]], np.float32), instances=None)
    sample.points[0, :, :2] = [[5, 20], [50, 20]]
    turned = moved(sample, views.shifted(-10, 0), SIZE, Rules())
    assert turned.points[0].tolist() == [[0, 0, 0], [40, 20, 2]]


def test_skeletons_without_boxes_go_when_no_point_is_left():
    sample = replace(full_sample(), boxes=None, instances=None, mask=None)
    assert len(moved(sample, views.shifted(-64, 0), SIZE, Rules()).points) == 0
    assert len(moved(sample, views.shifted(1, 0), SIZE, Rules()).points) == 3


@pytest.mark.parametrize(("border", "picture", "mask"), [("black", 0, 0), ("ignored", 0, IGNORED), ("reflect", 200, 3)])
def test_what_comes_in_from_outside(border, picture, mask):
    sample = Sample(np.full((20, 20, 3), 200, np.uint8), mask=np.full((20, 20), 3, np.uint8))
    turned = moved(sample, views.shifted(10, 0), (20, 20), Rules(border=border))
    assert (turned.picture[:, 2] == picture).all()
    assert (turned.mask[:, 2] == mask).all()
    assert (turned.picture[:, 15] == 200).all()
    assert (turned.mask[:, 15] == 3).all()


def test_beside_beliefs_a_mask_says_what_is_ignored():
    sample = Sample(np.zeros((20, 20, 3), np.uint8), beliefs=np.full((20, 20, 6), 100, np.uint8))
    turned = moved(sample, views.shifted(10, 0), (20, 20), Rules(border="ignored"))
    assert turned.beliefs.shape == (20, 20, 6)
    assert (turned.mask[:, :10] == IGNORED).all()
    assert (turned.mask[:, 10:] == 0).all()
    assert (turned.beliefs[:, 11:] == 100).all()


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 9])
@pytest.mark.parametrize(
    "view", [views.turned(20), views.scaled(0.3, 0.3), views.scaled(2, 2) @ views.shifted(-5, -5), views.shifted(3.5, 2)]
)
def test_beliefs_of_any_number_of_classes_move_like_the_picture(channels, view):
    picture = smooth_picture(40, 40)
    beliefs = np.concatenate([picture[..., :1]] * channels, axis=2)
    turned = moved(Sample(picture, beliefs=beliefs), view, (12, 20), KEEP_ALL)
    assert turned.beliefs.shape == (12, 20, channels)
    assert np.abs(turned.beliefs.astype(int) - turned.picture[..., :1]).max() <= 2


def test_a_part_that_fills_the_result_has_no_dark_rim():
    sample = Sample(np.full((20, 30, 3), 200, np.uint8))
    view = views.scaled(2.5, 2.5) @ views.shifted(-0.5, -0.5)
    assert (moved(sample, view, (45, 60), Rules()).picture == 200).all()


@given(st.booleans(), st.booleans(), st.integers(0, 10))
def test_cutting_whole_pixels_samples_as_the_map_does(mirrored, upside_down, seed):
    pixels = smooth_picture(40, 50, seed)
    view = views.scaled(60 / 30, 45 / 25) @ views.shifted(-7, -4)
    view = (views.from_symmetry((True, 0), (45, 60)) if mirrored else views.same()) @ view
    view = (views.from_symmetry((True, 2), (45, 60)) if upside_down else views.same()) @ view
    fast = sampling.seen_through(pixels, view, (45, 60), smooth=True, outside=0)
    nudged = views.shifted(1e-4, 1e-4) @ view
    slow = sampling.seen_through(pixels, nudged, (45, 60), smooth=True, outside=0)
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(fast.astype(int) - slow)[inner].max() <= 3
    mask = pixels[..., 0] // 32
    quick, plain = (sampling.seen_through(mask, each, (45, 60), smooth=False, outside=0) for each in (view, nudged))
    assert (quick != plain)[inner].mean() < 0.1


def test_what_shrinks_much_is_averaged_not_skipped():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    small = moved(Sample(stripes), views.turned(3) @ views.scaled(0.2, 0.2), (12, 12), Rules()).picture
    assert np.abs(small[3:9, 3:9].astype(int) - 100).max() < 30


@given(st.integers(1, 20))
def test_many_instances_move_as_one_does(count):
    rng = np.random.default_rng(count)
    instances = (rng.random((count, 30, 40)) < 0.5).astype(np.uint8)
    view = views.about_middle(views.turned(20), (30, 40))
    boxes = np.tile(np.array([[10, 10, 20, 20]], np.float32), (count, 1))
    together = moved(Sample(np.zeros((30, 40, 3), np.uint8), boxes=boxes, instances=instances), view, (30, 40), KEEP_ALL)
    for place in range(count):
        alone = moved(Sample(np.zeros((30, 40, 3), np.uint8), mask=instances[place]), view, (30, 40), KEEP_ALL)
        assert np.array_equal(together.instances[place], alone.mask)


def test_boxes_without_masks_hold_what_they_held():
    sample = replace(full_sample(), instances=None)
    with_masks = full_sample()
    view = view_of(33, 1.1)
    loose, tight = moved(sample, view, SIZE, KEEP_ALL).boxes, moved(with_masks, view, SIZE, KEEP_ALL).boxes
    assert (loose[:, :2] <= tight[:, :2] + 1).all()
    assert (loose[:, 2:] >= tight[:, 2:] - 1).all()
    assert np.diag(overlap.box_overlaps(loose, tight)).min() > 0.7
