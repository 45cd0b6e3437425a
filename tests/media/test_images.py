import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from burnish.errors import ConfigError, DataError
from burnish.media.images import (
    ImageInfo,
    UnreadableImage,
    encode_jpeg,
    encode_png,
    encode_webp,
    probe_image,
    read_image,
    thumbnail,
    upright,
)

# Height and width as shown of every picture that can be read.
READABLE = {
    "10ct_32bit_128.tiff": (128, 128),
    "16bit.cropped.jp2": (64, 64),
    "16bit.cropped.tif": (64, 64),
    "1_trns.png": (64, 64),
    "UPPER.JPG": (128, 128),
    "apng_mode_16bit.png": (64, 128),
    "avif_hopper.avif": (128, 128),
    "exif_typeerror.jpg": (531, 800),
    "good.jpg": (128, 128),
    "hopper.Lab.tif": (128, 128),
    "hopper.webp": (128, 128),
    "hopper_gray.jpg": (128, 128),
    **{f"hopper_orientation_{number}.jpg": (128, 128) for number in range(2, 9)},
    "i_trns.png": (64, 64),
    "invalid-exif.jpg": (200, 200),
    "jpeg_named.png": (128, 128),
    "junk_jpeg_header.jpg": (768, 1024),
    "multipage.tiff": (10, 10),
    "no_extension": (128, 128),
    "orientation_rectangle.jpg": (2, 1),
    "p_trns_single.png": (64, 64),
    "pil_sample_cmyk.jpg": (100, 100),
    "sugarshack.mpo": (480, 640),
    "tiff_16bit_RGB.tiff": (40, 100),
    "tiff_strip_cmyk_jpeg.tif": (100, 100),
    "trailing_garbage.jpg": (128, 128),
    "transparent.png": (150, 200),
    "truncated_app14.jpg": (100, 100),
    "uncompressed_la.png": (128, 128),
    "имя с пробелом (1).jpg": (128, 128),
}
# Part of the reason of every picture that cannot.
UNREADABLE = {
    "bmp_b_reallybig.bmp": "more pixels than the limit",
    "broken.png": "the PNG file is damaged",
    "broken_data_stream.png": "the PNG file is damaged",
    "crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": "the TIFF file is damaged",
    "decompression_bomb.gif": "more pixels than the limit",
    "half.jpg": "the JPEG file is cut short",
    "lfs_pointer.jpg": "run: git lfs pull",
    "negative_size.ppm": "the PPM file is damaged",
    "png_decompression_dos.png": "the PNG file is damaged",
    "text.jpg": "it holds text, not a picture",
    "truncated_image.png": "the PNG file is cut short",
    "truncated_jpeg.jpg": "the JPEG file is cut short",
    "ultrahdr.jpg": "the JPEG file is cut short",
    "unknown_compression_method.png": "the PNG file is damaged",
    "zero_bytes.jpg": "the file is empty (0 bytes)",
    "zero_width.gif": "the GIF file is damaged",
}


@pytest.fixture
def bad(shared_data) -> Path:
    return shared_data / "badimages"


def save(path: Path, pixels, **options) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def test_every_odd_picture_has_an_expected_outcome(bad):
    files = {path.name for path in bad.iterdir()} - {"SOURCE.md", "manifest.jsonl"}
    assert files == {*READABLE, *UNREADABLE}


@pytest.mark.parametrize("name", sorted(READABLE))
def test_an_odd_picture_is_read_in_every_mode_at_its_shown_size(bad, name):
    shape = READABLE[name]
    colour = read_image(bad / name)
    assert colour.shape == (*shape, 3)
    assert colour.dtype == np.uint8
    assert read_image(bad / name, mode="grey8").shape == shape
    assert read_image(bad / name, mode="unchanged").shape[:2] == shape
    assert read_image(bad / name, size=(20, 30)).shape == (20, 30, 3)
    info = probe_image(bad / name)
    assert (info.height, info.width) == shape


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_a_picture_that_cannot_be_read_says_why(bad, name):
    with pytest.raises(UnreadableImage) as caught:
        read_image(bad / name)
    assert UNREADABLE[name] in caught.value.reason
    assert str(caught.value) == f"{bad / name}: {caught.value.reason}."


@pytest.mark.parametrize("name", ["half.jpg", "truncated_jpeg.jpg", "truncated_image.png", "ultrahdr.jpg"])
def test_a_truncated_picture_gives_its_upper_part_when_damage_is_tolerated(bad, name):
    info = probe_image(bad / name)
    pixels = read_image(bad / name, tolerant=True)
    assert pixels.shape == (info.height, info.width, 3)
    assert pixels[: max(1, info.height // 16)].max() > 0
    with pytest.raises(UnreadableImage):
        read_image(bad / name)


@pytest.mark.parametrize(("wrong", "told"), [(np.nan, "24 of its 96 pixels (25 %)"), (np.inf, "24 of its 96 pixels (25 %)")])
def test_a_picture_of_fractions_that_are_no_numbers_is_told_with_their_share(tmp_path, wrong, told):
    values = np.linspace(0, 1, 96, dtype=np.float32).reshape(8, 12)
    values[:2] = wrong
    Image.fromarray(values).save(tmp_path / "1.tif")
    for mode in ("rgb8", "grey8"):
        with pytest.raises(UnreadableImage) as caught:
            read_image(tmp_path / "1.tif", mode=mode)
        assert caught.value.reason.startswith(f"{told} are no numbers (NaN or infinite); give them values")
    assert np.isfinite(read_image(tmp_path / "1.tif", mode="unchanged")).sum() == 72
    assert not read_image(tmp_path / "1.tif", tolerant=True)[:2].any()


def test_all_orientations_show_the_same_picture(bad):
    first = read_image(bad / "hopper_orientation_2.jpg").astype(int)
    for number in range(3, 9):
        other = read_image(bad / f"hopper_orientation_{number}.jpg").astype(int)
        assert np.abs(first - other).mean() < 5  # they were compressed one by one


@pytest.mark.parametrize(("name", "shape"), [("left.jpg", (640, 480)), ("right.jpg", (640, 480)), ("tif_left.tif", (150, 100))])
def test_pictures_turned_by_exif_stand_upright(shared_data, name, shape):
    path = shared_data / "badimages_exif_cvat" / name
    assert read_image(path).shape[:2] == shape
    assert read_image(path, mode="unchanged").shape[:2] == shape
    assert (probe_image(path).height, probe_image(path).width) == shape
    assert read_image(path, size=(64, 48)).shape[:2] == (64, 48)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_undone_before_scaling_and_after(tmp_path, orientation):
    shown = np.zeros((40, 60, 3), np.uint8)
    shown[:20, :20] = (255, 0, 0)
    shown[20:, 40:] = (0, 0, 255)
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    exif = Image.Exif()
    exif[274] = orientation
    path = save(tmp_path / "a.png", upright(shown, inverse), exif=exif)
    np.testing.assert_array_equal(read_image(path), shown)
    assert probe_image(path) == ImageInfo(60, 40, "RGB", "PNG", 1, orientation)
    small = read_image(path, size=(20, 30))
    assert small[2, 2].tolist() == [255, 0, 0]
    assert small[17, 27].tolist() == [0, 0, 255]


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_of_colour_are_kept_unchanged(tmp_path, name, channels):
    cv2 = pytest.importorskip("cv2", reason="Pillow cannot write it")
    deep = np.random.default_rng(0).integers(0, 2**16, (40, 60, channels), np.uint16)
    cv2.imwrite(str(tmp_path / name), deep[..., [2, 1, 0, 3][:channels]])
    np.testing.assert_array_equal(read_image(tmp_path / name, mode="unchanged"), deep)
    if channels == 3:
        np.testing.assert_array_equal(read_image(tmp_path / name), (deep >> 8).astype(np.uint8))


def test_palette_indices_are_kept_unchanged(tmp_path):
    indices = np.array([[0, 1], [2, 1]], np.uint8)
    picture = Image.frombytes("P", (2, 2), indices.tobytes())
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_image(tmp_path / "mask.png", mode="unchanged"), indices)
    assert read_image(tmp_path / "mask.png")[0, 1].tolist() == [255, 0, 0]


def test_transparent_pixels_show_the_background(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    path = save(tmp_path / "a.png", pixels)
    assert read_image(path)[1, 1].tolist() == [255, 255, 255]
    assert read_image(path, background=(1, 2, 3))[1, 1].tolist() == [1, 2, 3]
    assert read_image(path)[0, 0].tolist() == [10, 20, 30]


def test_one_frame_of_an_animation_can_be_asked_for(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert probe_image(tmp_path / "a.gif").frames == 3
    assert read_image(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]
    assert read_image(tmp_path / "a.gif", frame=2)[0, 0].tolist() == [0, 0, 255]
    with pytest.raises(UnreadableImage, match="3 pictures, and number 3"):
        read_image(tmp_path / "a.gif", frame=3)


def test_the_pixel_limit_can_be_moved_both_ways(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((20, 20), np.uint8))
    with pytest.raises(UnreadableImage, match="20 x 20 pixels, more than the limit of 399"):
        read_image(path, max_pixels=399)
    assert read_image(path, max_pixels=400).shape == (20, 20, 3)


def test_missing_files_and_folders_say_so(tmp_path):
    with pytest.raises(UnreadableImage, match="there is no such file"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(UnreadableImage, match="it is a folder"):
        probe_image(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04abc", "ZIP"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x00\x00\x00\x18ftypheic\x00", "HEIC"),
        (bytes(range(128, 256)), "no picture of a known format"),
    ],
)
def test_other_kinds_of_files_are_named(tmp_path, content, reason):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableImage, match=reason):
        read_image(tmp_path / "a.jpg")


def test_the_error_is_a_data_error_and_comes_back_from_a_worker_process():
    error = UnreadableImage(Path("a.jpg"), "it is empty")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - as a process pool does
    assert isinstance(again, DataError)
    assert (again.path, again.reason, str(again)) == (error.path, error.reason, str(error))


def test_scaling_stored_numbers_is_refused(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(ConfigError, match="rgb8 and grey8"):
        read_image(path, mode="unchanged", size=(2, 2))


def test_threads_leave_warning_filters_and_the_pixel_limit_as_they_were(bad):
    before, limit = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(probe_image, [bad / "crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif", bad / "good.jpg"] * 20))
    assert list(warnings.filters) == before
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("shape", [(9, 7, 3), (9, 7)])
def test_png_bytes_hold_the_same_pixels(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    (tmp_path / "a").write_bytes(encode_png(pixels))
    np.testing.assert_array_equal(read_image(tmp_path / "a", mode="unchanged"), pixels)


@pytest.mark.parametrize("encode", [encode_jpeg, encode_webp])
def test_lossy_bytes_hold_nearly_the_same_pixels(tmp_path, encode):
    pixels = np.full((16, 16, 3), (200, 40, 90), np.uint8)
    (tmp_path / "a").write_bytes(encode(pixels))
    assert np.abs(read_image(tmp_path / "a").astype(int) - pixels).max() < 8


def test_thumbnails_keep_proportions_and_never_grow():
    assert thumbnail(np.zeros((100, 400, 3), np.uint8), 200).shape == (50, 200, 3)
    assert thumbnail(np.zeros((10, 20), np.uint8), 200).shape == (10, 20)
    assert thumbnail(np.zeros((1, 4000, 3), np.uint8), 100).shape == (1, 100, 3)
