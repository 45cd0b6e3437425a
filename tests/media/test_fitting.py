"""Reading at the size that is needed: the same picture as reading whole and shrinking, whatever the file."""

import numpy as np
import pytest
from PIL import Image

from burnish.media import fitting
from burnish.media.fitting import fitting_decoder, read_fitted, shrink
from burnish.media.images import UnreadableImage, encode_jpeg, read_image, resize


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng(0)
    layers = [resize(rng.integers(0, 256, (480 >> s, 640 >> s, 3), np.uint8), (480, 640)).astype(float) for s in (6, 4, 3)]
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode_jpeg(np.rint(np.average(layers, axis=0, weights=(8, 4, 1))).astype(np.uint8), 90))
    return path


@pytest.fixture(params=["simplejpeg", "pillow"])
def decoder(request, monkeypatch):
    if request.param == "simplejpeg":
        pytest.importorskip("simplejpeg")
        pytest.importorskip("cv2")
    monkeypatch.setattr(fitting, "fitting_decoder", lambda: request.param)
    return request.param


@pytest.mark.parametrize("size", [(480, 640), (240, 320), (224, 224), (100, 150), (30, 40)])
def test_pixels_are_nearly_those_of_the_whole_picture_averaged_over_areas(photo, decoder, size):
    pixels, original = read_fitted(photo, lambda _: size)
    assert original == (480, 640)
    assert pixels.shape == (*size, 3)
    exact = resize(read_image(photo), size).astype(int)
    assert np.abs(pixels - exact).mean() < {"simplejpeg": 2, "pillow": 6}[decoder]  # Pillow's filter is wider than an area


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_upright_and_fitted_by_their_upright_size(photo, tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    turned = tmp_path / "turned.jpg"
    with Image.open(photo) as picture:
        picture.save(turned, exif=exif, quality=95)
    whole = read_image(turned)
    pixels, original = read_fitted(turned, lambda size: (size[0] // 3, size[1] // 5))
    assert original == whole.shape[:2]
    exact = resize(whole, (original[0] // 3, original[1] // 5)).astype(int)
    assert pixels.shape == exact.shape
    assert np.abs(pixels - exact).mean() < 2


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_grey_cmyk_and_progressive_files_read_as_they_do_whole(photo, tmp_path, mode, progressive):
    path = tmp_path / "other.jpg"
    with Image.open(photo) as picture:
        picture.convert(mode).save(path, quality=95, progressive=progressive)
    np.testing.assert_allclose(read_fitted(path, lambda size: size)[0], read_image(path), atol=1)


@pytest.mark.usefixtures("decoder")
def test_odd_files_read_alike_and_fail_for_the_same_reasons(shared_data):
    def attempt(read, *more):
        try:
            return read(*more)
        except UnreadableImage as error:
            return error.reason

    paths = [path for path in sorted((shared_data / "badimages").iterdir()) if path.suffix not in {".md", ".jsonl"}]
    assert len(paths) > 50
    for path in paths:
        whole, fitted = attempt(read_image, path), attempt(read_fitted, path, lambda size: size)
        if isinstance(whole, str):
            assert whole == fitted, path
        else:
            np.testing.assert_array_equal(fitted[0], whole, err_msg=path.name)
            assert fitted[1] == whole.shape[:2]


def test_a_cut_file_is_refused_not_read_with_grey_below(photo):
    photo.write_bytes(photo.read_bytes()[:-2000])
    with pytest.raises(UnreadableImage, match="photo"):
        read_fitted(photo, lambda _: (50, 50))


def test_the_extra_decoder_is_taken_where_it_is_installed():
    pytest.importorskip("simplejpeg")
    pytest.importorskip("cv2")
    assert fitting_decoder() == "simplejpeg"


@pytest.mark.usefixtures("decoder")
def test_shrinking_averages_and_growing_is_smooth():
    ramp = np.repeat(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], 60, axis=0).repeat(3, axis=2)
    assert np.abs(shrink(ramp, (20, 40)).astype(int) - resize(ramp, (20, 40))).max() <= 1
    np.testing.assert_array_equal(shrink(ramp, (120, 240)), resize(ramp, (120, 240)))
