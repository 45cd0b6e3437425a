"""Samples made of several keep what is known of each."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_builders import assert_same, full_sample, smooth_picture, task_sample

from burnish.errors import DataError
from burnish.geometry import masks
from burnish.train.augs.mixing import copy_paste, cutmix, mixup, mosaic
from burnish.train.augs.moving import Rules
from burnish.train.samples import IGNORED, Sample

KEEP_ALL = Rules(min_visible=0.0)
POINT = {"x": 0.5, "y": 0.5, "places": [[0.5, 0.5]] * 4}


def coloured(tone, size=(40, 60), label=0):
    """One colour, one class, one box in the middle with its mask and a point in its middle."""
    height, width = size
    box = np.array([[width // 4, height // 4, 3 * width // 4, 3 * height // 4]], np.float32)
    instance = np.zeros((1, height, width), np.uint8)
    instance[0, height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = 1
    return Sample(
        np.full((height, width, 3), tone, np.uint8),
        mask=np.full((height, width), tone // 50, np.uint8),
        boxes=box,
        classes=np.array([tone // 50]),
        instances=instance,
        points=np.array([[[width / 2, height / 2, 2]]], np.float32),
        label=np.eye(4, dtype=np.float32)[label],
    )


def test_a_mosaic_has_four_quarters_with_the_objects_of_each():
    parts = [coloured(50 * (n + 1), label=n) for n in range(4)]
    mixed = mosaic(parts[0], parts[1:], POINT, KEEP_ALL)
    assert [int(mixed.picture[row, column, 0]) for row, column in ((5, 5), (5, 55), (35, 5), (35, 55))] == [50, 100, 150, 200]
    assert np.array_equal(mixed.mask, mixed.picture[..., 0] // 50)
    assert mixed.label.tolist() == [0.25] * 4
    assert mixed.classes.tolist() == [1, 2, 3, 4]
    assert np.array_equal(mixed.boxes, [[7.5, 5, 22.5, 15], [37.5, 5, 52.5, 15], [7.5, 25, 22.5, 35], [37.5, 25, 52.5, 35]])
    assert mixed.points[:, 0].tolist() == [[15, 10, 2], [45, 10, 2], [15, 30, 2], [45, 30, 2]]
    found = np.concatenate([masks.box(mask) for mask in mixed.instances])
    assert np.abs(found - mixed.boxes).max() <= 0.5


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.integers(0, 100))
def test_in_a_mosaic_boxes_lie_about_their_masks_and_points_on_them(x, y, seed):
    rng = np.random.default_rng(seed)
    parts = [full_sample(*rng.integers(30, 80, 2), seed=seed + n) for n in range(4)]
    mixed = mosaic(parts[0], parts[1:], {"x": x, "y": y, "places": rng.random((4, 2)).tolist()}, Rules(min_visible=0.5))
    assert mixed.size == parts[0].size
    assert len(mixed.boxes) == len(mixed.instances) == len(mixed.points) == len(mixed.classes)
    assert mixed.label.sum() == pytest.approx(1, abs=1e-6)
    assert (mixed.instances.sum(axis=0) == 0)[mixed.mask == 0].all()
    for box, mask in zip(mixed.boxes, mixed.instances, strict=True):
        assert np.abs(masks.box(mask)[0] - box).max() <= 1


def test_a_mosaic_of_pictures_without_objects_has_none():
    parts = [task_sample("detection", count=0, seed=n) for n in range(4)]
    mixed = mosaic(parts[0], parts[1:], POINT, Rules())
    assert mixed.boxes.shape == (0, 4)
    assert mixed.boxes.dtype == np.float32


def test_mixup_blends_pictures_labels_and_beliefs_and_joins_objects():
    one, other = (
        replace(coloured(tone, label=n), mask=None, beliefs=np.full((40, 60, 5), tone, np.uint8)) for n, tone in enumerate((50, 200))
    )
    mixed = mixup(one, [other], {"share": 0.75}, Rules())
    assert (mixed.picture == 88).all()
    assert (mixed.beliefs == 88).all()
    assert mixed.label.tolist() == [0.75, 0.25, 0, 0]
    assert mixed.classes.tolist() == [1, 4]
    assert mixed.instances.shape == (2, 40, 60)


def test_mixup_brings_the_other_sample_to_the_size_of_the_first():
    mixed = mixup(replace(coloured(50), mask=None), [replace(coloured(100, (80, 60)), mask=None)], {"share": 0.5}, Rules())
    assert np.array_equal(mixed.boxes[0], mixed.boxes[1])


def test_mixup_refuses_class_masks():
    with pytest.raises(DataError, match=r"no class between two classes\. Take cutmix"):
        mixup(coloured(50), [coloured(100)], {"share": 0.5}, Rules())


def test_cutmix_shares_labels_by_the_pixels_that_are_really_covered():
    mixed = cutmix(coloured(50), [coloured(200, label=1)], {"share": 0.75, "x": 1.0, "y": 1.0}, KEEP_ALL)
    covered = (mixed.picture[..., 0] == 200).mean()
    assert covered == pytest.approx(1 / 16, abs=0.01), "three quarters of the rectangle lie outside"
    assert mixed.label.tolist() == pytest.approx([1 - covered, covered, 0, 0])
    assert np.array_equal(mixed.mask, mixed.picture[..., 0] // 50)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(0, 50))
def test_in_cutmix_each_pixel_belongs_to_one_sample_with_its_mask(share, x, y, seed):
    one, other = full_sample(seed=seed), full_sample(60, 50, seed=seed + 1)
    mixed = cutmix(one, [other], {"share": share, "x": x, "y": y}, KEEP_ALL)
    assert mixed.label.sum() == pytest.approx(1, abs=1e-6)
    assert (mixed.instances.any(axis=0) == (mixed.mask > 0)).all()
    assert len(mixed.boxes) == len(mixed.instances) == len(mixed.points)


def test_pasted_instances_cover_what_lies_below():
    below, above = coloured(50), coloured(200, label=1)
    choice = {"count": 3, "which": 0, "right": 0.25, "down": 0.0, "scale": 1.0}
    mixed = copy_paste(below, [above], choice, Rules())
    assert mixed.classes.tolist() == [1, 4]
    assert (mixed.instances.sum(axis=0) <= 1).all()
    assert np.array_equal(mixed.picture[..., 0] == 200, mixed.instances[1] > 0)
    assert np.array_equal(mixed.mask == 4, mixed.instances[1] > 0)
    assert mixed.boxes.tolist() == [[15, 10, 30, 30], [30, 10, 60, 30]], "the lower one's box shrank to what is left"
    assert mixed.points[:, 0, 2].tolist() == [1, 2], "the lower one's middle is hidden"
    assert np.array_equal(mixed.label, below.label)


def test_an_instance_that_is_covered_too_far_goes():
    choice = {"count": 1, "which": 0, "right": 0.05, "down": 0.0, "scale": 1.0}
    assert copy_paste(coloured(50), [coloured(200)], choice, Rules(min_visible=0.2)).classes.tolist() == [4]


def test_as_many_instances_are_pasted_as_the_choice_says():
    one, other = full_sample(count=2), full_sample(count=6, seed=1)
    choice = {"count": 4, "which": 7, "right": 0.0, "down": 0.0, "scale": 1.0}
    assert len(copy_paste(one, [other], choice, KEEP_ALL).boxes) <= 6
    assert len(copy_paste(replace(one, boxes=one.boxes[:0], classes=one.classes[:0], instances=one.instances[:0], points=one.points[:0]),
                          [other], choice, KEEP_ALL).boxes) == 4  # fmt: skip


def test_pasting_needs_instance_masks():
    with pytest.raises(DataError, match="needs instance masks"):
        copy_paste(task_sample("detection"), [task_sample("detection")], {}, Rules())


def test_pasting_onto_beliefs_of_many_classes():
    one, other = (replace(coloured(tone), mask=None, beliefs=np.full((40, 60, 7), tone, np.uint8)) for tone in (50, 200))
    choice = {"count": 1, "which": 0, "right": 0.0, "down": 0.0, "scale": 1.0}
    mixed = copy_paste(one, [other], choice, Rules())
    assert np.array_equal(mixed.beliefs == 200, np.repeat(mixed.instances[-1][..., None] > 0, 7, axis=2))


def test_turned_and_upright_boxes_mix():
    upright = Sample(smooth_picture(), boxes=np.array([[10, 10, 20, 20]], np.float32), classes=np.zeros(1, int))
    turned = replace(upright, rotations=np.array([30], np.float32))
    for one, other, expected in ((upright, turned, [0, 30]), (turned, upright, [30, 0])):
        assert mixup(one, [other], {"share": 0.5}, Rules()).rotations.tolist() == pytest.approx(expected, abs=1e-3)


def test_ignored_pixels_stay_ignored():
    ignoring = Sample(smooth_picture(), beliefs=np.full((48, 64, 2), 9, np.uint8), mask=np.full((48, 64), IGNORED, np.uint8))
    plain = replace(ignoring, mask=None)
    assert (mixup(plain, [ignoring], {"share": 0.5}, Rules()).mask == IGNORED).all()
    covered = cutmix(plain, [ignoring], {"share": 0.75, "x": 0.5, "y": 0.5}, Rules()).mask
    assert (covered == IGNORED).mean() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"boxes": None, "classes": None, "points": None, "instances": None}, "the first one has boxes, the other one has none"),
        ({"mask": None}, "one of them has a mask"),
        ({"label": np.zeros(9, np.float32)}, r"label of one kind; found shapes \(4,\) and \(9,\)"),
        ({"points": np.zeros((3, 5, 3), np.float32)}, "points of one kind"),
    ],
)
def test_samples_that_know_different_things_are_not_mixed(other, message):
    with pytest.raises(DataError, match=message):
        cutmix(full_sample(), [replace(full_sample(seed=1), **other)], {"share": 0.5, "x": 0.5, "y": 0.5}, Rules())


def test_nothing_is_changed_in_place():
    samples = [full_sample(seed=n) for n in range(4)]
    mosaic(samples[0], samples[1:], POINT, Rules())
    cutmix(samples[0], samples[1:], {"share": 0.5, "x": 0.5, "y": 0.5}, Rules())
    copy_paste(samples[0], samples[1:], {"count": 3, "which": 0, "right": 0.1, "down": 0.1, "scale": 1.3}, Rules())
    for n, sample in enumerate(samples):
        assert_same(sample, full_sample(seed=n))
