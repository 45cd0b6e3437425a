import numpy as np
import pytest

from burnish.media.text import draw_text, shortened, text_width


def letters(text, size=24):
    drawn = np.zeros((40, 300, 3), np.uint8)
    draw_text(drawn, text, (2, 2), size, (255, 255, 255))
    return drawn


@pytest.mark.parametrize("text", ["Defect", "ТрещинаЁё", "№7", "Σφάλμα", "×…°"])
def test_every_letter_is_drawn_as_itself_and_not_as_the_box_of_a_missing_one(text):
    missing = letters("\U000e0041")
    shapes = [letters(letter) for letter in text]
    assert all(shape.any() and (shape != missing).any() for shape in shapes)
    assert len({shape.tobytes() for shape in shapes}) == len(set(text))


def test_a_letter_that_the_font_lacks_is_a_box_and_not_nothing():
    assert letters("裂").any()


def test_text_stays_within_its_line_and_width():
    pixels = np.zeros((60, 400, 3), np.uint8)
    draw_text(pixels, "Ёgjpqy|", (10, 10), 30, (255, 255, 255))
    ys, xs = np.nonzero(pixels.any(axis=2))
    assert ys.min() >= 10 - 1  # the dots of a capital letter
    assert ys.max() <= 10 + 1.3 * 30
    assert xs.max() <= 10 + text_width("Ёgjpqy|", 30) + 1


def test_a_long_text_loses_its_middle_and_keeps_both_ends():
    short = shortened("images/a/very/long/path/to/picture_0001.png", 150, 14)
    assert short.startswith("imag")
    assert short.endswith(".png")
    assert "…" in short
    assert text_width(short, 14) <= 150
    assert shortened("short", 150, 14) == "short"


def test_no_width_at_all_leaves_no_more_than_an_ellipsis():
    assert shortened("abc", 0, 14) == "…"


def test_line_breaks_do_not_leave_the_line():
    assert text_width("a\nb\tc", 14) == text_width("a b c", 14)
