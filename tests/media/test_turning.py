import numpy as np
import pytest

from burnish.media.turning import turn


def test_no_angle_changes_nothing():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 13, 3)).astype(np.uint8)
    assert np.array_equal(turn(pixels, 0.0), pixels)


@pytest.mark.parametrize("size", [(40, 60), (60, 40), (7, 90), (1, 5)])
@pytest.mark.parametrize("degrees", [-15, 7.5, 15])
def test_no_black_corner_comes_in(size, degrees):
    assert (turn(np.full((*size, 3), 200, np.uint8), degrees) == 200).all()
    assert (turn(np.full(size, 1, np.uint8), degrees, smooth=False) == 1).all()


def test_a_mask_keeps_its_two_values_and_a_soft_one_gets_more():
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 20:40] = 255
    assert set(np.unique(turn(mask, 11, smooth=False))) == {0, 255}
    assert len(np.unique(turn(mask, 11))) > 2


def test_there_and_back_is_nearly_the_same():
    mask = np.zeros((60, 60), np.uint8)
    mask[20:40, 15:45] = 255
    again = turn(turn(mask, 12, smooth=False), -12, smooth=False)
    assert np.count_nonzero(again != mask) < 0.1 * np.count_nonzero(mask)


def test_it_turns_counter_clockwise():
    mask = np.zeros((41, 41), np.uint8)
    mask[18:23, 35:38] = 255
    rows = np.flatnonzero(turn(mask, 15, smooth=False).any(axis=1))
    assert rows.mean() < 18
