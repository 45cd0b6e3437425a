import hashlib

import numpy as np
from PIL import Image

from burnish.engine.map import Engine
from burnish.media.hashing import file_hash, hash_pictures, picture_print, pixel_hash, sharpness
from burnish.media.images import read_image


def noise(seed=0, shape=(60, 80, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_the_file_hash_is_blake2b_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 1_000_000)
    assert file_hash(tmp_path / "a") == hashlib.blake2b(b"abc" * 1_000_000, digest_size=16).hexdigest()


def test_equal_pixels_have_equal_hashes_and_the_shape_counts():
    pixels = noise()
    assert pixel_hash(pixels) == pixel_hash(pixels[::1].copy())
    assert pixel_hash(pixels) != pixel_hash(pixels.reshape(80, 60, 3))
    assert pixel_hash(pixels[:, ::-1]) == pixel_hash(np.ascontiguousarray(pixels[:, ::-1]))


def test_the_same_pixels_in_another_file_format_have_the_same_pixel_hash(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "a.png")
    Image.fromarray(noise()).save(tmp_path / "b.bmp")
    hashes = hash_pictures([tmp_path / "a.png", tmp_path / "b.bmp"])
    assert hashes.pixels[0] == hashes.pixels[1] == pixel_hash(read_image(tmp_path / "a.png"))
    assert hashes.files[0] != hashes.files[1]


def test_an_unreadable_picture_has_a_reason_and_zeros(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"hello")
    Image.fromarray(noise()).save(tmp_path / "b.png")
    hashes = hash_pictures([tmp_path / "a.jpg", tmp_path / "b.png", tmp_path / "none.jpg"], engine=Engine(jobs=2))
    assert hashes.readable.tolist() == [False, True, False]
    assert hashes.reasons == ("it holds text, not a picture", "", "there is no such file")
    assert hashes.files[0] == file_hash(tmp_path / "a.jpg")
    assert not hashes.prints[0].any()
    assert hashes.sizes.tolist() == [[0, 0], [60, 80], [0, 0]]


def test_no_pictures_give_empty_arrays():
    hashes = hash_pictures([])
    assert len(hashes) == 0
    assert hashes.prints.shape == (0, 32, 32)


def test_a_print_is_the_mean_grey_of_each_part():
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:32] = 200
    small = picture_print(pixels)
    assert small.shape == (32, 32)
    assert small[0, 0] == 200
    assert small[31, 31] == 0


def test_blur_lowers_sharpness():
    picture = noise(shape=(64, 64, 3))
    blurred = np.asarray(Image.fromarray(picture).resize((16, 16)).resize((64, 64)))
    assert sharpness(blurred) < sharpness(picture) / 10
