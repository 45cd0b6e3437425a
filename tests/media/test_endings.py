"""Whether files of pictures have their ends: pictures of every format, whole, cut short, and with something behind them."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from burnish.media.endings import has_its_end, why_incomplete
from burnish.media.images import UnreadableImage

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
DECODED = ("BMP", "TIFF")


def content(form):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_a_whole_picture_has_its_end(tmp_path, form):
    (tmp_path / "1").write_bytes(content(form))
    assert has_its_end(tmp_path / "1") is True


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_picture_cut_short_lacks_its_end_and_cannot_be_decoded(tmp_path, form, share):
    whole = content(form)
    (tmp_path / "1").write_bytes(whole[: int(len(whole) * share)])
    assert has_its_end(tmp_path / "1") is False
    assert why_incomplete(tmp_path / "1")


@pytest.mark.parametrize("form", DECODED)
def test_formats_whose_ends_say_nothing_are_decoded(tmp_path, form):
    whole = content(form)
    (tmp_path / "1").write_bytes(whole)
    (tmp_path / "2").write_bytes(whole[:-1000])
    assert has_its_end(tmp_path / "1") is None
    assert why_incomplete(tmp_path / "1") is None
    assert why_incomplete(tmp_path / "2") is not None


@pytest.mark.parametrize("form", [*FORMATS, *DECODED])
def test_what_a_program_appended_does_not_make_a_picture_incomplete(tmp_path, form):
    (tmp_path / "1").write_bytes(content(form) + b"a short film of the same moment" * 20)
    assert why_incomplete(tmp_path / "1") is None


def test_a_jpeg_that_lost_nothing_but_its_end_mark_cannot_be_decoded_either(tmp_path):
    (tmp_path / "1.jpg").write_bytes(content("JPEG")[:-2])
    assert why_incomplete(tmp_path / "1.jpg") == "the JPEG file is cut short; copy or download it again"


def test_padding_behind_the_end_of_a_jpeg_is_known_without_decoding(tmp_path):
    (tmp_path / "1.jpg").write_bytes(content("JPEG") + b"\0" * 16)
    assert has_its_end(tmp_path / "1.jpg") is True


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UnreadableImage, match="there is no such file"):
        has_its_end(tmp_path / "1.jpg")
    assert why_incomplete(tmp_path / "1.jpg") == "there is no such file"


def test_pictures_of_fractions_are_looked_at_for_values_that_are_no_numbers(tmp_path):
    values = np.full((4, 4), 0.5, np.float32)
    Image.fromarray(values).save(tmp_path / "1.tif")
    values[0, 0] = np.nan
    Image.fromarray(values).save(tmp_path / "2.tif")
    assert why_incomplete(tmp_path / "1.tif") is None
    assert "1 of its 16 pixels (6.25 %) are no numbers" in why_incomplete(tmp_path / "2.tif")
