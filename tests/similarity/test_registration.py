import cv2
import numpy as np

from burnish.similarity.registration import normalised, registered


def smooth(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([cv2.resize(rng.random((7, 7), np.float32) * 255, (64, 64), interpolation=cv2.INTER_CUBIC) for _ in range(count)])


def small(pictures):
    return np.stack([cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA) for picture in pictures])


def likeness(one, other):
    return (normalised(one) * normalised(other)).mean((1, 2))


def test_a_slight_crop_is_taken_back():
    pictures = smooth(20)
    whole, cut = small(pictures), small(pictures[:, 2:, 2:])
    before, after = likeness(whole, cut), likeness(whole, registered(whole, cut))
    assert after.min() > 0.99
    assert (after > before).all()


def test_equal_pictures_stay_as_they_are():
    pictures = small(smooth(3))
    np.testing.assert_allclose(registered(pictures, pictures), pictures, atol=0.5)


def test_different_pictures_are_not_bent_into_one_another():
    one, other = small(smooth(200, 1)), small(smooth(200, 2))
    assert np.quantile(likeness(one, registered(one, other)), 0.9) < 0.6


def test_flat_pictures_and_no_pictures_are_no_problem():
    flat = np.full((2, 32, 32), 7, np.float32)
    assert np.isfinite(registered(flat, flat)).all()
    assert registered(flat[:0], flat[:0]).shape == (0, 32, 32)
