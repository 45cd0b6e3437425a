"""What is covered counts as the visibility rule says."""

from dataclasses import replace

import numpy as np
import pytest
from sample_builders import full_sample

from burnish.train.augs.covering import dropout, without_covered
from burnish.train.augs.moving import Rules
from burnish.train.samples import IGNORED, Sample


def choice(*holes, fill=(1, 2, 3), mask="ignored"):
    return {"holes": [list(hole) for hole in holes], "fill": fill if isinstance(fill, str) else list(fill), "mask": mask, "seed": 0}


def boxed(**targets):
    boxes = np.array([[0, 0, 50, 50], [40, 40, 60, 60], [80, 80, 100, 100]], dtype=np.float32)
    return Sample(np.full((100, 100, 3), 200, np.uint8), boxes=boxes, classes=np.arange(3), **targets)


def test_rectangles_are_filled_and_nothing_else_changes():
    covered = dropout(boxed(), choice((0.1, 0.2, 0.3, 0.4)), Rules()).picture
    assert (covered[20:40, 10:30] == (1, 2, 3)).all()
    assert (covered != 200).any(axis=2).sum() == 20 * 20


@pytest.mark.parametrize(("fill", "expected"), [("mean", 200.0), ("noise", 127.5)])
def test_rectangles_are_filled_with_the_mean_or_noise(fill, expected):
    assert dropout(boxed(), choice((0, 0, 1, 1), fill=fill), Rules()).picture.mean() == pytest.approx(expected, abs=3)


@pytest.mark.parametrize(("least", "kept"), [(0.0, [0, 2]), (0.83, [0, 2]), (0.85, [2]), (1.0, [2])])
def test_boxes_go_when_less_than_the_least_share_is_left(least, kept):
    covered = dropout(boxed(), choice((0.3, 0.3, 0.6, 0.6), fill="mean"), Rules(min_visible=least))
    assert covered.classes.tolist() == kept, "84 % of the first are left, nothing of the second"


def test_several_rectangles_that_overlap_count_once():
    covered = dropout(boxed(), choice((0, 0, 0.3, 0.5), (0.1, 0, 0.3, 0.5)), Rules(min_visible=0.39))
    assert 0 in covered.classes
    assert 0 not in dropout(boxed(), choice((0, 0, 0.3, 0.5), (0.1, 0, 0.3, 0.5)), Rules(min_visible=0.41)).classes


def test_instances_lose_pixels_and_go_by_those():
    instances = np.zeros((3, 100, 100), np.uint8)
    instances[0, :10, :10] = 1  # its box is larger than it
    instances[1, 45:55, 40:60] = 1
    instances[2, 80:, 80:] = 1
    covered = dropout(boxed(instances=instances), choice((0.4, 0, 1, 0.5)), Rules(min_visible=0.5))
    assert covered.classes.tolist() == [0, 1, 2]
    assert [int(mask.sum()) for mask in covered.instances] == [100, 100, 400]
    assert dropout(boxed(instances=instances), choice((0.4, 0, 1, 0.51)), Rules(min_visible=0.5)).classes.tolist() == [0, 2]


def test_covered_points_are_hidden_not_gone():
    points = np.array([[[5, 5, 2], [45, 5, 2]], [[50, 50, 1], [0, 0, 0]], [[90, 90, 2], [95, 95, 2]]], dtype=np.float32)
    covered = dropout(boxed(points=points), choice((0.4, 0, 0.5, 0.1), (0, 0, 0.02, 0.02)), Rules())
    assert covered.points[..., 2].tolist() == [[2, 1], [1, 0], [2, 2]]


@pytest.mark.parametrize(("how", "value"), [("keep", 3), ("background", 0), ("ignored", IGNORED)])
def test_masks_below_hold_what_is_asked(how, value):
    sample = boxed(mask=np.full((100, 100), 3, np.uint8), beliefs=np.full((100, 100, 2), 9, np.uint8))
    covered = dropout(sample, choice((0.1, 0.2, 0.3, 0.4), mask=how), Rules())
    assert (covered.mask[20:40, 10:30] == value).all()
    assert (covered.mask[50:] == 3).all()
    assert (covered.beliefs[20:40, 10:30] == (0 if how == "background" else 9)).all()


def test_beliefs_without_a_mask_are_ignored_by_a_new_one():
    sample = boxed(beliefs=np.full((100, 100, 2), 9, np.uint8))
    assert (dropout(sample, choice((0.1, 0.2, 0.3, 0.4)), Rules()).mask == IGNORED).sum() == 400


def test_turned_boxes_are_weighed_by_the_upright_ones_around_them():
    sample = replace(boxed(), rotations=np.full(3, 45, np.float32))
    assert dropout(sample, choice((0.75, 0.75, 1, 1)), Rules(min_visible=0.5)).classes.tolist() == [0, 1]


def test_nothing_is_changed_in_place():
    sample, same = full_sample(), full_sample()
    dropout(sample, choice((0.2, 0.2, 0.8, 0.8), mask="background"), Rules())
    for name in ("picture", "mask", "boxes", "instances", "points"):
        assert np.array_equal(getattr(sample, name), getattr(same, name)), name


def test_a_cover_that_covers_nothing_changes_nothing():
    sample = full_sample()
    assert without_covered(sample, np.zeros(sample.size, np.uint8), Rules()) is sample
