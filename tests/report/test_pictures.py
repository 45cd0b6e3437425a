import io

import numpy as np
import pytest
from PIL import Image

from burnish.errors import DataError
from burnish.report.pictures import Picture, thumbnail


def _decoded(picture):
    with Image.open(io.BytesIO(picture.data)) as image:
        return np.asarray(image.convert("RGB"))


def test_a_large_picture_becomes_small_and_keeps_its_shape():
    picture = thumbnail(np.zeros((400, 800, 3), np.uint8))
    assert (picture.width, picture.height, picture.pixelated) == (160, 80, False)
    assert _decoded(picture).shape == (80, 160, 3)


def test_a_small_picture_keeps_every_pixel_nearly_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    picture = thumbnail(pixels)
    assert (picture.width, picture.height, picture.pixelated) == (32, 32, True)
    assert np.abs(_decoded(picture).astype(int) - pixels).mean() < 12


def test_transparent_parts_are_white():
    assert _decoded(thumbnail(np.zeros((20, 20, 4), np.uint8))).min() == 255


def test_a_grey_picture_and_a_thin_one_are_fine():
    assert thumbnail(np.full((300, 200), 7, np.uint8)).height == 160
    assert thumbnail(np.zeros((1, 5000, 3), np.uint8)).height == 1


@pytest.mark.parametrize(
    "pixels", [np.zeros((0, 3, 3), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3)), np.zeros(5, np.uint8)]
)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(DataError, match="expected uint8 of shape"):
        thumbnail(pixels)


def test_an_address_tells_the_kind_of_the_bytes():
    assert thumbnail(np.zeros((9, 9), np.uint8)).uri.startswith("data:image/jpeg;base64,/9j/")
    assert thumbnail(np.zeros((90, 90), np.uint8)).uri.startswith("data:image/webp;base64,UklGR")


def test_bytes_of_no_picture_have_no_address():
    with pytest.raises(DataError, match="expected JPEG, PNG, GIF or WebP"):
        _ = Picture(b"<svg onload=alert(1)>", 1, 1).uri
