import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.media.captions import Caption, captions_area, draw_captions, place_captions

SHAPE = (240, 320)
BLUE = (0, 0, 255)
corner = st.floats(-50, 350, allow_nan=False)


@given(st.lists(st.tuples(st.text(max_size=30), corner, corner), max_size=6))
@settings(max_examples=60, deadline=None)
def test_captions_stay_inside_the_picture(rows):
    captions = [Caption(text, BLUE, (x, y, x + 30, y + 20)) for text, x, y in rows]
    plates = place_captions(captions, 14, SHAPE)
    assert (plates[:, :2] >= 0).all()
    assert (plates[:, 2] <= SHAPE[1]).all()
    assert (plates[:, 3] <= SHAPE[0]).all()


def test_captions_of_the_same_box_do_not_cover_one_another():
    captions = [Caption("cell 0.9", BLUE, (100.0, 100.0, 200.0, 150.0)) for _ in range(5)]
    plates = place_captions(captions, 14, SHAPE)
    for index, one in enumerate(plates):
        for other in plates[index + 1 :]:
            low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
            assert (high - low).min() <= 0


def test_a_caption_stands_above_its_box_where_there_is_room():
    plate = place_captions([Caption("cell", BLUE, (100.0, 100.0, 200.0, 150.0))], 14, SHAPE)[0]
    assert plate[0] == 100
    assert plate[3] == 100


def test_captions_without_a_box_are_stacked_in_the_corner():
    plates = place_captions([Caption("day", BLUE), Caption("rain", BLUE)], 14, SHAPE)
    assert plates[0, :2].tolist() == [0, 0]
    assert plates[1, :2].tolist() == [0, plates[0, 3]]


def test_a_picture_smaller_than_its_caption_is_drawn_on_all_the_same():
    pixels = np.zeros((6, 9, 3), np.uint8)
    draw_captions(pixels, [Caption("a long caption", BLUE, (1.0, 1.0, 3.0, 3.0)), Caption("tag", BLUE)], 14)
    assert pixels[..., 2].max() > 100


def test_the_area_is_that_of_all_plates():
    one = captions_area([Caption("cell", BLUE)], 14, SHAPE)
    assert captions_area([Caption("cell", BLUE)] * 3, 14, SHAPE) == 3 * one
