"""Samples from the shared cache: placed pictures and targets, once for all."""

import subprocess
import sys
import textwrap
from pathlib import Path

import loader_builders as parts
import numpy as np
import pytest

from burnish.errors import DataError
from burnish.media.images import read_image
from burnish.media.shared.budget import Budget
from burnish.train.loaders.placement import Placement, boxes_home, place_boxes, place_mask, place_picture
from burnish.train.loaders.settings import CacheConfig
from burnish.train.loaders.shared import Targets, fill_samples, share_samples
from burnish.train.samples import IGNORED

LETTERBOX = Placement(size=(16, 16), how="letterbox")


@pytest.fixture
def paths(tmp_path):
    return parts.write_pictures(tmp_path / "pictures")


def half(row):
    mask = np.zeros((24, 32), np.uint8)
    mask[:, 16:] = row
    return mask


@pytest.mark.parametrize("how", ["stretch", "letterbox", "crop"])
def test_a_sample_is_the_placed_picture_with_its_placed_mask_and_beliefs(paths, tmp_path, how):
    placement = Placement(size=(16, 16), how=how)
    targets = Targets("halves", half, lambda row: np.stack([half(row), half(1)], axis=2), 2)
    samples = share_samples(paths, placement, tmp_path / "cache", targets=targets)
    for row, path in enumerate(paths):
        sample, place = samples(row), samples.place(row)
        np.testing.assert_allclose(sample.picture, place_picture(read_image(path), place, placement.padding), atol=1)
        np.testing.assert_array_equal(sample.mask, place_mask(half(row), place))
        assert sample.beliefs.shape == (16, 16, 2)
    assert (sample.mask == IGNORED).any() == (how == "letterbox")


def test_boxes_follow_the_place_of_their_picture(paths, tmp_path):
    samples = share_samples(paths, LETTERBOX, tmp_path / "cache")
    there = place_boxes([[8, 6, 24, 18]], samples.place(0))
    np.testing.assert_allclose(there, [[4, 5, 12, 11]])
    np.testing.assert_allclose(boxes_home(there, samples.place(0)), [[8, 6, 24, 18]])


@pytest.mark.parametrize("keep", ["raw", "packed", "none"])
def test_the_place_of_a_row_is_the_same_however_rows_are_kept(paths, tmp_path, keep):
    samples = share_samples(paths, LETTERBOX, tmp_path / "cache", budget=Budget(keeping=keep))
    sample, place = samples.placed(1)
    assert samples.place(1) == place
    assert place.inner == (12, 16)
    np.testing.assert_array_equal(sample.picture, samples(1).picture)


def test_targets_are_computed_once_for_all_trainings(paths, tmp_path):
    calls = []

    def mask(row):
        calls.append(row)
        return half(row)

    for _ in range(3):
        samples = share_samples(paths, LETTERBOX, tmp_path / "cache", targets=Targets("once", mask))
        for row in (1, 0, 1):
            samples(row)
    assert calls == [1, 0]


def test_other_files_placements_or_targets_get_another_cache(paths, tmp_path):
    def place(paths=paths, placement=LETTERBOX, key="a"):
        return share_samples(paths, placement, tmp_path / "cache", targets=Targets(key, half)).rows.place

    first = place()
    assert place() == first
    assert len({first, place(paths[1:]), place(placement=Placement(size=(16, 16))), place(key="b")}) == 4
    paths[0].touch()
    assert place() != first


def test_filling_ahead_decodes_all_and_says_how_many(paths, tmp_path):
    samples = share_samples(paths, LETTERBOX, tmp_path / "cache")
    samples(2)
    assert fill_samples(samples) == 5
    assert fill_samples(samples) == 0
    assert len(samples) == 6


def test_an_unreadable_picture_is_named_with_the_way_out(paths, tmp_path):
    paths[3].write_bytes(b"")
    samples = share_samples(paths, LETTERBOX, tmp_path / "cache")
    with pytest.raises(DataError, match=r"3\.png: the file is empty.*leave it out.*burnish check") as caught:
        samples(3)
    assert caught.value.rows == (3,)


def test_a_mask_of_another_size_stops_before_it_is_kept(paths, tmp_path):
    samples = share_samples(paths, LETTERBOX, tmp_path / "cache", targets=Targets("wrong", lambda _: half(0).T))
    with pytest.raises(DataError, match="mask of 32 x 24 pixels belongs to a picture of 24 x 32"):
        samples(0)


def test_what_does_not_fit_is_told_to_the_user(paths, tmp_path):
    class Heard:
        said = ""

        def say(self, text):
            self.said += text

    heard = Heard()
    config = CacheConfig(disk_gb=0)
    samples = share_samples(paths, LETTERBOX, tmp_path / "cache", budget=config.budget, progress=heard)
    assert "nothing is kept" in heard.said
    assert samples(0).picture.shape == (16, 16, 3)
    assert fill_samples(samples) == 0
    with pytest.raises(DataError, match=r"needs 0\.00 MB as raw, and"):
        share_samples(paths, LETTERBOX, tmp_path / "cache", budget=Budget(disk=0, keeping="raw"))


def test_targets_without_a_key_and_an_empty_dataset_are_errors(tmp_path):
    with pytest.raises(DataError, match="expected a key"):
        Targets(mask=half)
    with pytest.raises(DataError, match="0 classes of beliefs"):
        Targets("key", beliefs=half)
    with pytest.raises(DataError, match="no pictures to train on"):
        share_samples([], LETTERBOX, tmp_path)


READER = """
    import sys
    from pathlib import Path
    import numpy as np
    from burnish.train.loaders.placement import Placement
    from burnish.train.loaders.shared import share_samples
    samples = share_samples(sorted(Path(sys.argv[1]).iterdir()), Placement(size=(512, 512)), sys.argv[2])
    total = sum(int(samples(row).picture.sum()) for row in range(len(samples)))
    print("read", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="shares of memory are told by Linux alone")
def test_three_readers_take_the_memory_of_one_copy(tmp_path):
    parts.write_pictures(tmp_path / "pictures", count=8, size=(40, 40))
    command = [sys.executable, "-c", textwrap.dedent(READER), str(tmp_path / "pictures"), str(tmp_path / "cache")]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [child.stdout.readline() for child in children] == ["read\n"] * 3
    shares = [mapped_bytes(child.pid) for child in children]
    for child in children:
        child.communicate("\n", timeout=30)
    copy = 8 * 512 * 512 * 3
    assert max(shares) < 0.6 * copy
    assert 0.9 * copy < sum(shares) < 1.1 * copy


def mapped_bytes(process):
    """The process's share (PSS) of the cache's pictures."""
    total, is_cache = 0, False
    for line in Path(f"/proc/{process}/smaps").read_text(encoding="utf-8").splitlines():
        if not line.partition(" ")[0].endswith(":"):
            is_cache = line.endswith("picture.npy")
        elif is_cache and line.startswith("Pss:"):
            total += int(line.split()[1]) * 1024
    return total


def test_windows_are_samples_of_their_own(paths, tmp_path):
    windows = np.array([[0, 0, 10, 12], [4, 6, 20, 18]])
    samples = share_samples([paths[0], paths[0]], LETTERBOX, tmp_path / "cache", windows=windows)
    whole = read_image(paths[0])
    for row, (x1, y1, x2, y2) in enumerate(windows):
        part = whole[y1:y2, x1:x2]
        assert samples.place(row).original == part.shape[:2]
        assert np.array_equal(samples(row).picture, place_picture(part, samples.place(row), LETTERBOX.padding))


def test_a_window_beyond_its_picture_is_told(paths, tmp_path):
    samples = share_samples(paths[:1], LETTERBOX, tmp_path / "cache", windows=np.array([[0, 0, 999, 4]]))
    with pytest.raises(DataError, match="The window 0, 0, 999, 4 does not lie in"):
        samples(0)


def test_other_windows_are_another_cache(paths, tmp_path):
    one, two = (share_samples(paths[:1], LETTERBOX, tmp_path, windows=np.array([[0, 0, side, 8]])) for side in (8, 9))
    assert one(0).picture.shape == two(0).picture.shape
    assert one.place(0) != two.place(0)
