"""The transforms' settings are the seed's, and wrong ones are explained."""

import pytest
import yaml

from burnish.config import validated
from burnish.errors import ConfigError
from burnish.train.augs.settings import TransformConfig

SEED = """
resize:
    size: [224, 224]

rotation:
    degrees: 35

hflip:
    p: 0.5

vflip:
    p: 0.

perspective:
    distortion_scale: 0.1
    p: 0.2

# color_jitter:
#     brightness: 0.3
#     contrast: 0.2
#     saturation: 0.1
#     hue: 0.1

# random_crop:
#     size: [128, 128]

# blur:
#     kernel_size: [5, 9]
#     sigma: [0.1, 5]
"""


def read(text):
    return validated(TransformConfig, yaml.safe_load(text), text=text)


def test_the_seeds_own_block_is_read_as_it_stands():
    transform = read(SEED)
    assert transform.resize.size == (224, 224)
    assert transform.rotation.degrees == 35
    assert (transform.hflip.p, transform.vflip.p) == (0.5, 0)
    assert (transform.perspective.distortion_scale, transform.perspective.p) == (0.1, 0.2)


def test_what_the_seed_comments_out_is_off():
    transform = read(SEED)
    assert transform.color_jitter is transform.random_crop is transform.blur is None


def test_the_seeds_commented_transforms_are_read_too():
    transform = read(SEED.replace("# ", ""))
    assert transform.blur.kernel_size == (5, 9)
    assert transform.blur.sigma == (0.1, 5)
    assert transform.random_crop.size == (128, 128)
    assert transform.color_jitter.hue == 0.1


def test_a_name_whose_settings_are_commented_out_is_off():
    assert read("blur:\n#   sigma: 1\n").blur is None


def test_an_even_blur_is_refused_with_the_sizes_to_take():
    with pytest.raises(ConfigError, match=r"line 2: 'blur\.kernel_size.*must be odd; take 3 or 5"):
        read("blur:\n  kernel_size: 4\n")


def test_an_unknown_transform_is_told_the_nearest_one():
    with pytest.raises(ConfigError, match=r"unknown key 'rotations'\. Did you mean 'rotation'"):
        read("rotations:\n  degrees: 5\n")


def test_a_probability_above_one_is_refused():
    with pytest.raises(ConfigError, match=r"hflip\.p"):
        read("hflip:\n  p: 1.5\n")
