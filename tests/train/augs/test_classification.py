"""The transforms do what their names say, and the same chance gives the same picture."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import ConfigError
from burnish.train.augs.classification import augment, output_size, prepare
from burnish.train.augs.settings import TransformConfig

ALL = TransformConfig.make(
    resize={"size": [24, 32]},
    rotation={"degrees": 35},
    hflip={"p": 0.5},
    vflip={"p": 0.5},
    perspective={"distortion_scale": 0.5, "p": 0.5},
    color_jitter={"brightness": 0.3, "contrast": 0.2, "saturation": 0.1, "hue": 0.1},
    random_crop={"size": [16, 20]},
    blur={"kernel_size": [5, 9], "sigma": [0.1, 5]},
)


def rng(seed=0):
    return np.random.default_rng(seed)


def picture(height=24, width=32, seed=0):
    return rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 60))
def test_all_transforms_together_give_pictures_of_the_told_size(seed, height, width):
    changed = augment(picture(height, width), ALL, rng(seed))
    assert changed.shape == (*output_size(ALL, (height, width)), 3)
    assert changed.dtype == np.uint8


def test_the_same_chance_gives_the_same_picture():
    assert np.array_equal(augment(picture(), ALL, rng(7)), augment(picture(), ALL, rng(7)))


def test_another_chance_gives_another_picture():
    assert not np.array_equal(augment(picture(), ALL, rng(7)), augment(picture(), ALL, rng(8)))


def test_a_picture_is_not_changed_in_place():
    original = picture()
    augment(original, ALL, rng())
    assert np.array_equal(original, picture())


def test_transforms_that_are_off_leave_the_picture_as_it_is():
    assert np.array_equal(augment(picture(), TransformConfig(), rng()), picture())


def test_a_horizontal_flip_mirrors_to_the_pixel():
    assert np.array_equal(augment(picture(), TransformConfig.make(hflip={"p": 1}), rng()), picture()[:, ::-1])


def test_a_vertical_flip_mirrors_to_the_pixel():
    assert np.array_equal(augment(picture(), TransformConfig.make(vflip={"p": 1}), rng()), picture()[::-1])


def test_a_quarter_turn_goes_against_the_clock():
    square = picture(15, 15)
    turned = augment(square, TransformConfig.make(rotation={"degrees": [90, 90]}), rng())
    assert np.abs(turned.astype(int) - np.rot90(square)).max() <= 1


def test_turning_fills_corners_with_black():
    white = np.full((20, 20, 3), 255, dtype=np.uint8)
    turned = augment(white, TransformConfig.make(rotation={"degrees": [45, 45]}), rng())
    assert turned[0, 0].max() == 0
    assert turned[10, 10].min() == 255


def test_perspective_moves_corners_inwards_only():
    white = np.full((40, 40, 3), 255, dtype=np.uint8)
    view = TransformConfig.make(perspective={"distortion_scale": 0.5, "p": 1})
    changed = [augment(white, view, rng(seed)) for seed in range(20)]
    assert all(0.25 <= c.mean() / 255 <= 1 for c in changed)
    assert all(c[20, 20].min() == 255 for c in changed)


def test_a_random_crop_is_a_part_of_the_picture():
    crop = augment(picture(), TransformConfig.make(random_crop={"size": [8, 8]}), rng(3))
    windows = np.lib.stride_tricks.sliding_window_view(picture(), (8, 8, 3)).reshape(-1, 8, 8, 3)
    assert (windows == crop).all(axis=(1, 2, 3)).any()


def test_random_crops_reach_every_corner():
    numbered = np.zeros((4, 4, 3), dtype=np.uint8)
    numbered[..., 0] = np.arange(16).reshape(4, 4)
    crop = TransformConfig.make(random_crop={"size": [3, 3]})
    assert {int(augment(numbered, crop, rng(seed))[0, 0, 0]) for seed in range(60)} == {0, 1, 4, 5}


def test_brightness_scales_and_does_not_wrap_around():
    bright = augment(picture(), TransformConfig.make(color_jitter={"brightness": [2, 2]}), rng())
    assert np.array_equal(bright, np.minimum(picture().astype(int) * 2, 255))


def test_no_contrast_leaves_one_grey():
    flat = augment(picture(), TransformConfig.make(color_jitter={"contrast": [0, 0]}), rng())
    assert len(np.unique(flat)) == 1


def test_no_saturation_leaves_grey_pixels():
    grey = augment(picture(), TransformConfig.make(color_jitter={"saturation": [0, 0]}), rng()).astype(int)
    assert (np.ptp(grey, axis=2) <= 1).all()


def test_half_a_turn_of_hue_makes_red_cyan():
    red = np.full((4, 4, 3), (255, 0, 0), dtype=np.uint8)
    cyan = augment(red, TransformConfig.make(color_jitter={"hue": [0.5, 0.5]}), rng())[0, 0].tolist()
    assert cyan == pytest.approx([0, 255, 255], abs=5)


def test_a_blur_keeps_the_mean_and_lowers_the_spread():
    blurred = augment(picture(), TransformConfig.make(blur={"kernel_size": 5, "sigma": 2}), rng())
    assert blurred.mean() == pytest.approx(picture().mean(), abs=3)
    assert blurred.std() < picture().std() / 2


def test_at_test_time_only_resize_and_the_middle_of_crops_apply():
    shown = prepare(picture(), ALL.model_copy(update={"resize": None}))
    assert np.array_equal(shown, picture()[4:20, 6:26])


def test_a_crop_larger_than_the_picture_is_refused_with_both_sizes():
    crop = TransformConfig.make(resize={"size": 64}, random_crop={"size": [128, 32]})
    with pytest.raises(ConfigError, match=r"random_crop.size is \[128, 32\], but the pictures have only \[64, 64\]"):
        output_size(crop, (500, 500))


def test_without_opencv_the_extra_is_named_by_its_command():
    program = "import sys; sys.modules['cv2'] = None; import burnish.train.augs.classification"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "MissingExtra" in done.stderr
    assert "pip install 'burnish[audit]'" in done.stderr
