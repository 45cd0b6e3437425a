"""Points that change places in a mirror are told by their names."""

import pytest

from burnish.train.augs.mirroring import mirror_pairs

COCO = "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow"


def test_the_points_of_people_pair_by_left_and_right():
    assert mirror_pairs(COCO.split()) == ((1, 2), (3, 4), (5, 6), (7, 8))


@pytest.mark.parametrize("names", [["L_hand", "R_hand"], ["handLeft", "handRight"], ["Left Hand", "Right Hand"], ["hand.r", "hand.l"]])
def test_other_ways_to_write_sides_are_known(names):
    assert mirror_pairs(names) == ((0, 1),)


@pytest.mark.parametrize("names", [[], ["nose"], ["left_eye", "right_ear"], ["bottle", "bright"], ["left", "leftover"]])
def test_points_without_a_partner_stay(names):
    assert mirror_pairs(names) == ()
