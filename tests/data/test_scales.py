import numpy as np
import pytest
import yaml

from burnish.data.scales import Scales, parse_scales
from burnish.data.tile_size import TileSize, parse_tiles


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (0.5, Scales((0.5,))),
        ("0.5", Scales((0.5,))),
        ([0.5, 1], Scales((0.5, 1.0))),
        ("0.5,1", Scales((0.5, 1.0))),
        ({1, 0.5}, Scales((0.5, 1.0), drawn=True)),
        (yaml.safe_load("{any: [0.5, [0.7, 1.2]]}"), Scales((0.5, (0.7, 1.2)), drawn=True)),
        ("any:0.5,0.7..1.2", Scales((0.5, (0.7, 1.2)), drawn=True)),
        ([(0.7, 1.2)], Scales(((0.7, 1.2),))),
    ],
)
def test_every_spelling_of_scales_means_the_same_and_can_be_written_again(given, meant):
    assert parse_scales(given) == meant
    assert parse_scales(str(meant)) == meant


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[0.5, 0.7, 1]], "range of 3 members"),
        ("0.5..1..2", "range of 3 members"),
        ([[1, 0.5]], "lower end first"),
        (0, "above 0"),
        (-1, "above 0"),
        ("half", "expected a number"),
        ([], "at least one"),
        ({"all": [1]}, "expected 'any' alone"),
        (True, "above 0"),
    ],
)
def test_what_is_no_scale_is_refused_with_what_was_found(given, message):
    with pytest.raises(ValueError, match=message):
        parse_scales(given)


def test_a_list_gives_all_and_a_set_one_at_random():
    rng = np.random.default_rng(0)
    assert parse_scales([0.5, 1]).of_picture(rng) == [0.5, 1.0]
    drawn = [parse_scales("any:0.5,2..3").of_picture(rng) for _ in range(200)]
    assert all(len(scales) == 1 for scales in drawn)
    values = np.array(drawn).ravel()
    assert 60 < (values == 0.5).sum() < 140
    ranged = values[values != 0.5]
    assert ((ranged >= 2) & (ranged <= 3)).all()
    assert np.ptp(ranged) > 0.8


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("1080x1920", TileSize(1080, 1920)),
        ("640", TileSize(640, 640)),
        ("512x640+32", TileSize(512, 640, 32)),
        ([512, 640], TileSize(512, 640)),
    ],
)
def test_the_size_of_tiles_is_height_then_width_then_overlap(given, meant):
    assert parse_tiles(given) == meant
    assert parse_tiles(str(meant)) == meant


@pytest.mark.parametrize("given", ["0x5", "5x5+5", "wide", [1, 2, 3, 4], True, 2.5])
def test_what_is_no_size_of_tiles_is_refused(given):
    with pytest.raises(ValueError, match="found"):
        parse_tiles(given)
