import numpy as np
from scipy import ndimage

from burnish.geometry import distance


def test_distance_is_the_exact_euclidean_one(random):
    mask = random.random((40, 60)) < 0.02
    assert np.allclose(distance.to_mask(mask), ndimage.distance_transform_edt(~mask), atol=1e-5)


def test_the_outline_is_at_zero_between_the_pixels():
    values = distance.signed(np.array([[0, 0, 1, 1, 1]], dtype=bool))
    assert values.tolist() == [[1.5, 0.5, -0.5, -1.5, -2.5]]


def test_the_sign_is_the_mask(random):
    mask = random.random((30, 30)) < 0.5
    assert np.array_equal(distance.signed(mask) < 0, mask)
    assert np.array_equal(distance.signed(~mask), -distance.signed(mask))


def test_empty_and_full_masks_are_infinitely_far_from_an_outline():
    assert (distance.signed(np.zeros((2, 3), bool)) == np.inf).all()
    assert (distance.signed(np.ones((2, 3), bool)) == -np.inf).all()
