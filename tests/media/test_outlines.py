import numpy as np
import pytest

from burnish.media.outlines import Pen, draw_dots, draw_mask, draw_path, draw_rings

RED = (255, 0, 0)
SQUARE = np.array([[10.0, 10.0], [40.0, 10.0], [40.0, 40.0], [10.0, 40.0]])


@pytest.fixture
def pixels():
    return np.zeros((60, 60, 3), np.uint8)


def test_a_fill_is_translucent_and_stays_inside(pixels):
    draw_rings(pixels, [SQUARE], Pen(RED, 1, 0.4))
    assert pixels[25, 25].tolist() == [102, 0, 0]
    assert not pixels[5, 5].any()


def test_an_inner_ring_is_a_hole(pixels):
    inner = np.array([[20.0, 20.0], [30.0, 20.0], [30.0, 30.0], [20.0, 30.0]])
    draw_rings(pixels, [SQUARE, inner], Pen(RED, 1, 0.4))
    assert not pixels[25, 25].any()
    assert pixels[15, 15].tolist() == [102, 0, 0]


def test_a_line_lies_where_its_positions_say(pixels):
    draw_path(pixels, np.array([[10.5, 20.5], [40.5, 20.5]]), Pen(RED, 1, 0))
    assert pixels[20, 25, 0] > 200
    assert not pixels[23].any()
    assert not pixels[17].any()


def test_a_mask_is_filled_and_outlined(pixels):
    mask = np.zeros((60, 60), np.bool_)
    mask[10:30, 10:30] = True
    draw_mask(pixels, mask, Pen(RED, 1, 0.4))
    assert pixels[20, 20].tolist() == [102, 0, 0]
    assert pixels[10, 20, 0] > 200
    assert not pixels[40, 40].any()


def test_dots_have_a_white_rim_and_hollow_ones_a_white_middle(pixels):
    draw_dots(pixels, np.array([[15.5, 15.5], [40.5, 40.5]]), Pen(RED, 2, 0), hollow=np.array([False, True]))
    assert pixels[15, 15].tolist() == [255, 0, 0]
    assert pixels[40, 40].tolist() == [255, 255, 255]


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.array([[np.nan, 1.0], [np.inf, 2.0]]), np.array([[-1e9, 3.0], [1e9, 3.0]])])
def test_empty_and_endless_shapes_do_no_harm(pixels, points):
    draw_rings(pixels, [points], Pen(RED, 1, 0.4))
    draw_path(pixels, points, Pen(RED, 1, 0.4))
    draw_dots(pixels, points, Pen(RED, 1, 0.4))
    draw_mask(pixels, np.zeros((60, 60), np.bool_), Pen(RED, 1, 0.4))


def test_a_turned_box_is_drawn_as_boldly_as_an_upright_one():
    sums = []
    for turn in (0.0, 1e-9):
        canvas = np.zeros((60, 60, 3), np.uint8)
        draw_rings(canvas, [np.add(SQUARE, [[0.0, 0.0], [turn, 0.0], [0.0, 0.0], [0.0, 0.0]])], Pen(RED, 3, 0), fill=False)
        sums.append(canvas[..., 0].sum(dtype=int))
    assert sums[0] == pytest.approx(sums[1], rel=0.02)


@pytest.mark.parametrize("corner", [-40.0, -11.0, 25.0, 58.5])
def test_an_upright_box_that_leaves_the_picture_is_cut_off_at_its_frame(corner):
    small, large = np.zeros((60, 60, 3), np.uint8), np.zeros((260, 260, 3), np.uint8)
    ring = SQUARE - 10 + corner
    draw_rings(small, [ring], Pen(RED, 3, 0), fill=False)
    draw_rings(large, [ring + 100], Pen(RED, 3, 0), fill=False)
    np.testing.assert_array_equal(small, large[100:160, 100:160])
