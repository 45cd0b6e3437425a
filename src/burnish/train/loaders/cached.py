"""Batches straight from the decoded cache: one memory-mapped array that all threads read, nothing copied but the batch itself.

Threads, because decoding is done and OpenCV frees the interpreter while it works: they start at once, need no second import of anything,
and share the page cache by nature.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burnish.engine.map import Engine, available_cores, ordered_map
from burnish.errors import ConfigError
from burnish.train.augs.classification import augment, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from burnish.train.augs.settings import TransformConfig


def training_batches(
    pixels: NDArray[np.uint8],
    batches: Sequence[NDArray[np.int64]],
    transform: TransformConfig,
    *,
    seed: int,
    epoch: int,
    first: int = 0,
    workers: int = 0,
) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of each batch, changed at random; seed, epoch and the batch's place decide how, whatever the number of workers.

    Args:
        pixels: (N, H, W, 3) uint8, RGB, usually memory-mapped.
        batches: Rows of each batch.
        transform: What to change.
        seed: Of the training.
        epoch: From 0.
        first: Place of the batch to begin with.
        workers: Threads that prepare ahead; 0 prepares each batch when it is asked for.
    """
    make = partial(_augmented, pixels, transform, seed, epoch)
    return ordered_map(make, list(enumerate(batches))[first:], engine=Engine(max(workers, 1)), workers="threads")


def prepared_batches(
    pixels: NDArray[np.uint8], batches: Sequence[NDArray[np.int64]], transform: TransformConfig, *, workers: int = 0
) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of each batch as they are shown at test time.

    Args:
        pixels: (N, H, W, 3) uint8, RGB.
        batches: Rows of each batch.
        transform: The training's; only resize, and the middle of random crops, apply.
        workers: Threads that prepare ahead.
    """
    return ordered_map(partial(_prepared, pixels, transform), batches, engine=Engine(max(workers, 1)), workers="threads")


def worker_count(asked: int, *, trials: int = 1) -> int:
    """How many workers are used of those that are asked for: never more than a training's share of the cores, and at least one.

    Args:
        asked: How many are wanted; 0 stays 0.
        trials: Trainings that share this machine's cores.

    Raises:
        ConfigError: There are less than no workers, or no trials.
    """
    if asked < 0 or trials < 1:
        raise ConfigError(f"{asked} workers for each of {trials} trials; expected 0 or more workers and at least one trial.")
    return min(asked, max(available_cores() // trials, 1))


def _augmented(
    pixels: NDArray[np.uint8], transform: TransformConfig, seed: int, epoch: int, batch: tuple[int, NDArray[np.int64]]
) -> NDArray[np.uint8]:
    number, rows = batch
    rng = np.random.default_rng([seed, epoch, number])
    return np.stack([augment(pixels[row], transform, rng) for row in rows])


def _prepared(pixels: NDArray[np.uint8], transform: TransformConfig, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.stack([prepare(pixels[row], transform) for row in rows])
