"""Batches from a memory map: the same whoever prepares them."""

import numpy as np
import pytest

from burnish.errors import ConfigError
from burnish.train.augs.settings import TransformConfig
from burnish.train.loaders.cached import prepared_batches, training_batches, worker_count

TRANSFORM = TransformConfig.make(rotation={"degrees": 30}, random_crop={"size": 12})


def mapped(folder):
    path = folder / "pixels.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8))
    return np.load(path, mmap_mode="r")


def batches():
    return tuple(np.arange(20).reshape(5, 4))


def made(pixels, workers, epoch=0, seed=1):
    return list(training_batches(pixels, batches(), TRANSFORM, seed=seed, epoch=epoch, workers=workers))


def test_the_number_of_workers_changes_nothing(tmp_path):
    pixels = mapped(tmp_path)
    assert np.array_equal(made(pixels, 0), made(pixels, 3))


def test_an_epoch_goes_on_from_any_batch(tmp_path):
    pixels = mapped(tmp_path)
    rest = list(training_batches(pixels, batches(), TRANSFORM, seed=1, epoch=0, first=3, workers=2))
    assert np.array_equal(rest, made(pixels, 0)[3:])


def test_every_epoch_changes_the_pictures_differently(tmp_path):
    pixels = mapped(tmp_path)
    assert not np.array_equal(made(pixels, 0, epoch=0), made(pixels, 0, epoch=1))


def test_prepared_batches_hold_the_middle_of_the_pictures(tmp_path):
    pixels = mapped(tmp_path)
    shown = np.concatenate(list(prepared_batches(pixels, batches(), TRANSFORM, workers=2)))
    assert np.array_equal(shown, pixels[:, 2:14, 2:14])


def test_forty_workers_become_as_many_as_there_are_cores():
    assert 1 <= worker_count(40) <= 40
    assert worker_count(0) == 0
    assert worker_count(10**6) < 10**6


def test_trials_share_the_cores_and_each_has_a_worker_at_least():
    cores = worker_count(10**6)
    assert worker_count(10**6, trials=2) == max(cores // 2, 1)
    assert worker_count(10**6, trials=10**6) == 1
    with pytest.raises(ConfigError, match="at least one trial"):
        worker_count(1, trials=0)
