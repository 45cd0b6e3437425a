import numpy as np
import pytest
from format_builders import label_pictures
from hypothesis import given
from PIL import Image

from burnish.errors import FormatError
from burnish.formats.indexed import paint, parts_of, read_indexed, voc_colour, write_indexed
from burnish.geometry import rle


@given(label_pictures(4))
def test_parts_are_the_masks_of_all_values(values):
    parts = list(parts_of(values))
    assert [part.value for part in parts] == sorted(set(values.ravel().tolist()) - {0})
    for part in parts:
        inside = values == part.value
        assert np.array_equal(rle.decode(rle.decompress(part.mask), *values.shape), inside)
        assert part.mask == rle.compress(rle.encode(inside))
        assert part.area == inside.sum()
        assert part.box == tuple(rle.bounds(rle.encode(inside), values.shape[0])[0])


def test_a_picture_without_pixels_has_no_parts():
    assert list(parts_of(np.zeros((0, 5), dtype=np.int32))) == []


@pytest.mark.parametrize("most", [2, 255, 65535])
def test_written_values_are_read_again(tmp_path, most):
    values = np.array([[0, 1], [2, most]], dtype=np.int32)
    write_indexed(tmp_path / "a.png", values)
    assert read_indexed(tmp_path / "a.png").values.tolist() == values.tolist()


def test_a_palette_is_written_and_read(tmp_path):
    write_indexed(tmp_path / "a.png", np.array([[0, 1], [2, 255]], dtype=np.int32), [voc_colour(n) for n in range(256)])
    indexed = read_indexed(tmp_path / "a.png")
    assert indexed.values.tolist() == [[0, 1], [2, 255]]
    assert [indexed.palette[n] for n in (0, 1, 2, 255)] == ["#000000", "#800000", "#008000", "#e0e0c0"]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "I"])
def test_every_mode_of_whole_numbers_is_read(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "PA" else "a.png")
    try:
        Image.new(mode, (3, 2)).save(path)
    except OSError:
        pytest.skip(f"Pillow writes no {mode}")
    assert read_indexed(path).values.shape == (2, 3)


def test_fractions_and_files_that_are_no_pictures_are_refused(tmp_path):
    Image.new("F", (3, 2)).save(tmp_path / "a.tif")
    (tmp_path / "b.png").write_bytes(b"no picture")
    for name in ("a.tif", "b.png"):
        with pytest.raises(FormatError):
            read_indexed(tmp_path / name)


def test_later_masks_cover_earlier_ones():
    first, second = np.array([[1, 1, 0]], dtype=bool), np.array([[0, 1, 1]], dtype=bool)
    owners, covered = paint([first, second], (3, 1))
    assert owners.tolist() == [[1, 2, 2]]
    assert covered.tolist() == [1, 0]
