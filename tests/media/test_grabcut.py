import numpy as np
import pytest

from burnish.errors import DataError
from burnish.media.grabcut import BACKGROUND, LIKELY_BACKGROUND, LIKELY_OBJECT, OBJECT, grab_cut


def _disc():
    random = np.random.default_rng(7)
    down, across = np.mgrid[:40, :40]
    inside = (down - 20) ** 2 + (across - 20) ** 2 < 100
    picture = np.where(inside[..., None], (200, 60, 40), (40, 90, 160)) + random.normal(0, 8, (40, 40, 3))
    return np.clip(picture, 0, 255).astype(np.uint8), inside


def _box_guess():
    guess = np.full((40, 40), BACKGROUND, np.uint8)
    guess[8:32, 8:32] = LIKELY_OBJECT
    return guess


def test_a_box_around_a_disc_is_cut_down_to_the_disc():
    pytest.importorskip("cv2")
    picture, inside = _disc()
    found = grab_cut(picture, _box_guess())
    assert np.count_nonzero(found & inside) / np.count_nonzero(found | inside) > 0.97


def test_the_same_input_gives_the_same_mask_whatever_was_drawn_before():
    cv2 = pytest.importorskip("cv2")
    picture, _ = _disc()
    first = grab_cut(picture, _box_guess())
    cv2.setRNGSeed(77)
    assert np.array_equal(grab_cut(picture, _box_guess()), first)


def test_what_is_sure_never_changes():
    pytest.importorskip("cv2")
    guess = np.full((40, 40), LIKELY_BACKGROUND, np.uint8)
    guess[:4], guess[-4:] = OBJECT, BACKGROUND
    found = grab_cut(np.random.default_rng(7).integers(0, 256, (40, 40, 3)).astype(np.uint8), guess)
    assert found[:4].all()
    assert not found[-4:].any()


def test_a_guess_that_knows_one_side_alone_is_returned():
    picture, _ = _disc()
    assert grab_cut(picture, np.full((40, 40), LIKELY_OBJECT, np.uint8)).all()
    assert not grab_cut(picture, np.full((40, 40), LIKELY_BACKGROUND, np.uint8)).any()


def test_another_size_is_refused():
    with pytest.raises(DataError, match="one height and width"):
        grab_cut(np.zeros((4, 4, 3), np.uint8), np.zeros((3, 4), np.uint8))
