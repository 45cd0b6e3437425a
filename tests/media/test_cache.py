import os
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from burnish.engine.map import Engine
from burnish.errors import ConfigError, DataError
from burnish.media.cache import build_cache, cache_key
from burnish.media.images import read_image

SIZE = (12, 16)


@pytest.fixture
def paths(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


def test_the_cache_holds_each_picture_scaled_in_the_order_of_the_paths(paths, tmp_path):
    cache = build_cache(paths, SIZE, tmp_path / "cache", engine=Engine(jobs=2))
    assert cache.pixels.shape == (6, *SIZE, 3)
    assert cache.pixels.dtype == np.uint8
    assert cache.readable.all()
    assert cache.decoded == len(cache) == 6
    for index, path in enumerate(paths):
        np.testing.assert_array_equal(cache.pixels[index], read_image(path, size=SIZE))


def test_an_unchanged_dataset_decodes_nothing_again(paths, tmp_path):
    first = build_cache(paths, SIZE, tmp_path / "cache")
    again = build_cache(paths, SIZE, tmp_path / "cache")
    assert again.decoded == 0
    assert again.folder == first.folder
    np.testing.assert_array_equal(again.pixels, first.pixels)


def test_a_changed_file_another_size_and_another_order_give_another_cache(paths):
    key = cache_key(paths, SIZE)
    assert cache_key(paths, (12, 17)) != key
    assert cache_key(paths[::-1], SIZE) != key
    os.utime(paths[0], ns=(1, 1))
    assert cache_key(paths, SIZE) != key


def test_an_unreadable_picture_is_zeros_with_a_reason_and_stops_nothing(paths, tmp_path):
    paths[2].write_bytes(b"")
    missing = paths[0].with_name("none.png")
    for _ in range(2):  # built, then found again
        cache = build_cache([*paths, missing], SIZE, tmp_path / "cache")
        assert cache.readable.tolist() == [True, True, False, True, True, True, False]
        assert not cache.pixels[2].any()
        assert cache.reasons[2].startswith("the file is empty")
        assert cache.reasons[6] == "there is no such file"
        assert cache.reasons[0] == ""


class StopsAtTheFourth:
    """Progress that presses Ctrl-C when the fourth picture is done."""

    done = 0

    @contextmanager
    def task(self, label, total=None):
        assert (label, total) == ("decoding pictures", 6)
        yield self.advance

    def advance(self, number):
        self.done += number
        if self.done == 4:
            raise KeyboardInterrupt

    def say(self, text):
        raise AssertionError(text)


def test_a_killed_build_continues_where_it_was(paths, tmp_path):
    paths[1].write_bytes(b"")
    with pytest.raises(KeyboardInterrupt):
        build_cache(paths, SIZE, tmp_path / "cache", engine=Engine(jobs=1), progress=StopsAtTheFourth())
    with next((tmp_path / "cache").glob("*/reasons.jsonl")).open("a") as stream:
        stream.write('{"index": 3, "rea')
    cache = build_cache(paths, SIZE, tmp_path / "cache", engine=Engine(jobs=1))
    assert cache.decoded == 2  # the fourth was kept before the key was pressed
    assert cache.readable.tolist() == [True, False, True, True, True, True]
    assert cache.reasons[1].startswith("the file is empty")
    np.testing.assert_array_equal(cache.pixels[0], read_image(paths[0], size=SIZE))


def test_too_little_space_is_said_before_anything_starts(paths, tmp_path):
    with pytest.raises(DataError, match=r"6 pictures of 1000000 x 1000000 needs 18,000.00 GB.*Free some space"):
        build_cache(paths, (1_000_000, 1_000_000), tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*/pixels.npy"))


def test_the_pixels_cannot_be_written_to(paths, tmp_path):
    cache = build_cache(paths, SIZE, tmp_path / "cache")
    with pytest.raises(ValueError, match="read-only"):
        cache.pixels[0, 0, 0, 0] = 1


def test_no_pictures_give_an_empty_cache_and_no_size_is_an_error(tmp_path):
    assert build_cache([], SIZE, tmp_path).pixels.shape == (0, *SIZE, 3)
    with pytest.raises(ConfigError, match="0 x 16"):
        build_cache([], (0, 16), tmp_path)


def test_a_cache_that_nobody_uses_makes_room_on_a_full_disk(paths, tmp_path, monkeypatch):
    old = build_cache(paths, SIZE, tmp_path / "cache").folder
    small = (SIZE[0] // 2, SIZE[1] // 2)
    needed = len(paths) * (small[0] * small[1] * 3 + 1) + 64 * 2**20
    monkeypatch.setattr("burnish.media.cache.free_bytes", lambda _: needed - (1 if old.exists() else 0))
    cache = build_cache(paths, small, tmp_path / "cache")
    assert not old.exists()
    assert cache.readable.all()
