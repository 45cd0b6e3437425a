"""Pictures, and what worker processes do with them: importable by name."""

import os
import signal

import numpy as np
from PIL import Image

from burnish.train.loaders.sharding import shard_batches
from burnish.train.samples import Sample


def write_pictures(folder, count=6, size=(24, 32), form="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.{form}")
    return sorted(folder.iterdir())


def numbered(row):
    """A sample that shows its row's number."""
    return Sample(np.full((2, 2, 3), row, np.uint8))


def pixel_and_chance(sample, rng):
    return Sample(sample.picture + rng.integers(0, 100, dtype=np.uint8))


def pictures_of(samples):
    return np.stack([sample.picture for sample in samples])


def fails_at_five(row):
    if row == 5:
        raise ZeroDivisionError("the mask has no pixels")
    return numbered(row)


def dies_at_five(row):
    if row == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return numbered(row)


def name_of(row):
    return f"picture-{row}.jpg"


def order(epoch, count=12, size=3, rank=0, world=1):
    return shard_batches(np.random.default_rng(epoch).permutation(count), size, rank=rank, world_size=world)
