"""Weather looks like weather, by what can be measured of it."""

import numpy as np
import pytest
from sample_builders import smooth_picture

from burnish.descriptions import describe
from burnish.train.augs import covering, weather
from burnish.train.augs.names import AUGS
from burnish.train.augs.steps import STEPS, chooser

GREY = np.full((128, 160, 3), 120, np.uint8)


@pytest.mark.parametrize("name", ["rain", "fog", "snow", "sun_flare", "shadow", "dust"])
def test_the_choice_decides_the_pixels_and_the_original_stays(name):
    before = smooth_picture(90, 120)
    choice = chooser(describe(AUGS, name))(np.random.default_rng(3))
    changed = [STEPS[name].change(before, choice) for _ in range(2)]
    assert np.array_equal(*changed)
    assert not np.array_equal(changed[0], before)
    assert np.array_equal(before, smooth_picture(90, 120))


def test_rain_has_streaks_that_lean_as_told():
    slanted = weather.rain(np.zeros((200, 200, 3), np.uint8), {"density": 0.2, "slant": 26.6, "seed": 1})[..., 0].astype(float)
    along = [_likeness(slanted, 6, right) for right in (-3, 0, 3)]
    assert along[2] > 2 * max(along[:2])


def test_rain_takes_light_away():
    assert weather.rain(GREY, {"density": 0.1, "slant": 0.0, "seed": 1}).mean() < 118


def test_fog_hides_contrast_and_more_of_it_above():
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[:, ::2] = 200
    misty = weather.fog(stripes, {"density": 0.8, "seed": 0}).astype(float)
    above, below = misty[:30].std(), misty[-30:].std()
    assert above < below < stripes.std()


def test_snow_whitens_what_is_bright_and_leaves_what_is_dark():
    halves = np.concatenate([np.full((64, 64, 3), 40, np.uint8), np.full((64, 64, 3), 180, np.uint8)])
    snowy = weather.snow(halves, {"density": 0.0, "cover": 0.5, "seed": 0})
    assert (snowy[:64] == 40).all()
    assert (snowy[64:] > 200).all()


def test_flakes_are_as_many_as_told():
    few, many = (weather.snow(GREY, {"density": density, "cover": 0.0, "seed": 0}) for density in (0.1, 0.4))
    white = [(snowy > 160).mean() for snowy in (few, many)]
    assert 0 < 2 * white[0] < white[1]


def test_the_sun_is_brightest_where_it_stands_and_only_adds_light():
    lit = weather.sun_flare(GREY, {"x": 0.25, "y": 0.25, "strength": 0.5, "rings": [0.8, 1.4]})
    assert (lit >= GREY).all()
    row, column = np.unravel_index(lit.sum(axis=2).argmax(), lit.shape[:2])
    assert np.hypot(row - 32, column - 40) < 12


def test_a_shadow_is_dark_between_its_lines_only():
    choice = {"corners": [[0.25, 0], [0.5, 0], [0.5, 1], [0.25, 1]], "strength": 0.5}
    shaded = weather.shadow(GREY, choice)
    assert (shaded[:, 50:70] == 60).all()
    assert (shaded[:, :30] == 120).all()
    assert (shaded[:, 95:] == 120).all()


def test_specks_of_dust_have_their_colour_place_and_size():
    dusty = covering.dust(GREY, {"colour": [250, 10, 10], "specks": [[0.5, 0.25, 0.05, 0.05, 0.0, 1.0]]})
    assert dusty[32, 80].tolist() == [250, 10, 10]
    area = (dusty[..., 0] > 185).sum()
    assert area == pytest.approx(np.pi * (0.05 * 128) ** 2, rel=0.25)


def _likeness(picture, down, right):
    """How alike a picture and itself moved are, above chance."""
    one, other = picture[down:, max(right, 0) : 200 + min(right, 0)], picture[:-down, max(-right, 0) : 200 + min(-right, 0)]
    return max(float(((one - one.mean()) * (other - other.mean())).mean()), 1.0)
