import numpy as np
import pytest

from burnish.refine.flips import flipped


def _brightness(pictures):
    """What a fully convolutional model does: each pixel by itself, so that flips change nothing."""
    return [np.stack([p[..., 0], p[..., 1]]).astype(np.float32) / 255 for p in pictures]


def _from_the_left(pictures):
    """A model with a bias: belief falls from left to right."""
    return [np.broadcast_to(np.linspace(1, 0, p.shape[1], dtype=np.float32), (1, *p.shape[:2])) for p in pictures]


@pytest.mark.parametrize("flips", ["none", "mirror", "both", "all"])
def test_a_model_without_bias_answers_the_same(flips):
    pictures = [np.random.default_rng(n).integers(0, 256, (5 + n, 8, 3)).astype(np.uint8) for n in range(2)]
    for one, other in zip(flipped(_brightness, flips)(pictures), _brightness(pictures), strict=True):
        assert np.allclose(one, other)
        assert one.dtype == np.float32


def test_a_bias_to_one_side_is_evened_out():
    (mean,) = flipped(_from_the_left, "mirror")([np.zeros((3, 6, 3), np.uint8)])
    assert np.allclose(mean, 0.5)
