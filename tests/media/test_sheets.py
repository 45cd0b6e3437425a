import numpy as np
import pytest

from burnish.errors import ConfigError
from burnish.media.sheets import sheet


def test_a_full_page_has_two_rows_of_five():
    tiles = [np.full((20, 30, 3), 200, np.uint8)] * 10
    page = sheet(tiles, ["id\nGiven: a\nPredicted: b"] * 10, side=100)
    assert page.shape[1] > 5 * 100
    assert page.shape[0] > 2 * 100
    assert page.dtype == np.uint8


def test_a_partial_page_is_as_wide_and_has_only_the_rows_it_needs():
    tiles = [np.full((20, 30), 200, np.uint8)] * 10
    full, partial = sheet(tiles, ["a"] * 10, side=100), sheet(tiles[:3], ["a"] * 3, side=100)
    assert partial.shape[1] == full.shape[1]
    assert partial.shape[0] < full.shape[0]


def test_a_tile_keeps_its_proportions_and_its_colour_frame():
    page = sheet([np.full((10, 40, 3), (1, 250, 3), np.uint8)], [""], side=120, columns=1, rows=1, colours=[(220, 30, 40)])
    green = (page == (1, 250, 3)).all(axis=2)
    ys, xs = np.nonzero(green)
    assert (np.ptp(xs) + 1) / (np.ptp(ys) + 1) == pytest.approx(4, rel=0.1)
    assert (page == (220, 30, 40)).all(axis=2).any()


def test_more_tiles_than_places_are_refused():
    with pytest.raises(ConfigError, match="up to 10 tiles"):
        sheet([np.zeros((2, 2), np.uint8)] * 11, [""] * 11)
    with pytest.raises(ConfigError, match="1 tiles and 0 titles"):
        sheet([np.zeros((2, 2), np.uint8)], [])


def test_an_empty_sheet_is_a_blank_page():
    assert (sheet([], []) == 240).any() or (sheet([], []) == 255).all()
