"""Colour changes equal torchvision's functions of the same names."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sample_builders import smooth_picture

from burnish.descriptions import describe
from burnish.train.augs import photometric
from burnish.train.augs.names import AUGS
from burnish.train.augs.pixel_settings import ChannelShuffleConfig
from burnish.train.augs.steps import STEPS, Colour, chooser

torch = pytest.importorskip("torch")
functional = pytest.importorskip("torchvision.transforms.v2.functional")


def picture(seed=0, height=40, width=56):
    rng = np.random.default_rng(seed)
    noisy = smooth_picture(height, width, seed).astype(int) + rng.integers(-20, 20, (height, width, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def theirs(function, pixels, *args, **options):
    return function(torch.from_numpy(pixels.transpose(2, 0, 1).copy()), *args, **options).numpy().transpose(1, 2, 0).astype(int)


@pytest.mark.parametrize(
    ("ours", "function", "values"),
    [
        (photometric.brightened, functional.adjust_brightness, (0.0, 0.6, 1.0, 1.7)),
        (photometric.contrasted, functional.adjust_contrast, (0.0, 0.6, 1.0, 1.7)),
        (photometric.saturated, functional.adjust_saturation, (0.0, 0.6, 1.0, 1.7)),
        (lambda pixels, factor: photometric.sharpness(pixels, {"factor": factor}), functional.adjust_sharpness, (0.0, 0.5, 1.5, 2.0)),
        (lambda pixels, exponent: photometric.gamma(pixels, {"exponent": exponent}), functional.adjust_gamma, (0.5, 1.0, 2.0)),
        (lambda pixels, bits: photometric.posterize(pixels, {"bits": bits}), functional.posterize, (1, 4, 8)),
        (lambda pixels, tone: photometric.solarize(pixels, {"threshold": tone}), functional.solarize, (0, 100, 255)),
    ],
    ids=["brightness", "contrast", "saturation", "sharpness", "gamma", "posterize", "solarize"],
)
def test_a_dialled_change_equals_torchvisions_but_for_rounding(ours, function, values):
    for value in values:
        assert np.abs(ours(picture(), value).astype(int) - theirs(function, picture(), value)).max() <= 2, value


@pytest.mark.parametrize(("turn", "steps"), [(0.0, 2), (0.1, 9), (-0.3, 9), (0.5, 9)])
def test_hue_turns_as_torchvisions_to_a_256th_of_the_circle(turn, steps):
    apart = np.abs(photometric.hue_turned(picture(), turn).astype(int) - theirs(functional.adjust_hue, picture(), turn))
    assert apart.max() <= steps


@pytest.mark.parametrize("name", ["autocontrast", "equalize", "invert"])
def test_a_change_without_a_dial_equals_torchvisions(name):
    for seed in range(5):
        apart = np.abs(getattr(photometric, name)(picture(seed), {}).astype(int) - theirs(getattr(functional, name), picture(seed)))
        assert apart.max() <= 1, seed


def test_shuffled_channels_are_the_same_three_in_another_order():
    before = picture()
    orders = set()
    for seed in range(40):
        choice = photometric.draw_channels(ChannelShuffleConfig(), np.random.default_rng(seed))
        changed = photometric.channels_shuffled(before, choice)
        orders.add(tuple(choice["order"]))
        assert [changed[..., i].tolist() for i in range(3)] == [before[..., i].tolist() for i in choice["order"]]
    assert len(orders) == 6


def test_grey_has_three_equal_channels_of_torchvisions_tone():
    changed = photometric.grey(picture(), {})
    assert (changed == changed[..., :1]).all()
    assert np.abs(changed.astype(int) - theirs(functional.rgb_to_grayscale, picture(), num_output_channels=3)).max() <= 1


@pytest.mark.parametrize("sigma", [0.2, 1.0, 2.5])
def test_blur_equals_torchvisions(sigma):
    side = 2 * int(np.ceil(3 * sigma)) + 1
    apart = np.abs(
        photometric.blur(picture(), {"sigma": sigma}).astype(int) - theirs(functional.gaussian_blur, picture(), [side] * 2, [sigma] * 2)
    )
    assert apart.max() <= 2


@pytest.mark.parametrize("quality", [20, 60, 95])
def test_jpeg_leaves_the_traces_that_pillow_leaves(quality):
    changed = photometric.jpeg(picture(), {"quality": quality}).astype(int)
    Image.fromarray(picture()).save(file := io.BytesIO(), "jpeg", quality=quality)
    assert np.abs(changed - np.asarray(Image.open(file))).mean() < 1
    assert np.abs(changed - picture()).mean() > 0.3


@settings(max_examples=25)
@given(st.floats(4, 30), st.integers(0, 2**32 - 1))
def test_noise_has_the_width_and_shape_that_is_asked_for(sigma, seed):
    grey = np.full((120, 120, 3), 128, np.uint8)
    added = photometric.noise(grey, {"sigma": sigma, "seed": seed}).astype(float) - 128
    assert added.std() == pytest.approx(sigma, rel=0.05, abs=0.1)
    assert abs(added.mean()) < 0.05 * sigma
    assert np.mean(np.abs(added) <= sigma) == pytest.approx(0.683, abs=0.1)


def test_noise_does_not_wrap_around():
    bright = photometric.noise(np.full((50, 50, 3), 254, np.uint8), {"sigma": 10.0, "seed": 0})
    assert bright.min() > 200


def test_clahe_spreads_the_tones_of_a_dull_picture_and_keeps_grey_grey():
    dull = np.repeat((100 + smooth_picture(64, 64)[..., :1] // 8), 3, axis=2)
    changed = photometric.clahe(dull, {"clip": 4.0, "tiles": 4})
    assert changed.astype(int).std() > 1.3 * dull.std()
    assert np.ptp(changed.astype(int), axis=2).max() <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_tiny_pictures_go_through_every_change(size):
    tiny = picture(0, 8, 8)[: size[0], : size[1]]
    for name, step in STEPS.items():
        if isinstance(step, Colour):
            for seed in range(5):
                changed = step.change(tiny, chooser(describe(AUGS, name))(np.random.default_rng(seed)))
                assert changed.shape == tiny.shape, name
                assert changed.dtype == np.uint8, name
