"""From rows to batches: samples out of the decoded cache, changed at random, stacked in threads while the network computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.engine.map import Engine, ordered_map
from burnish.train.loaders.loader import Loader
from burnish.train.loaders.sampler import cut_into_batches
from burnish.train.loaders.settings import LoaderConfig
from burnish.train.loaders.sharding import shard_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from burnish.train.samples import Sample

    Augment = Callable[[Sample, Generator, Callable[[Generator], Sample]], Sample]


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """What gives a training its batches; the same epoch and batch are the same arrays, whatever came before and however many threads work.

    Attributes:
        sample: The sample of a row, of the size that the network sees.
        epoch_rows: The rows of an epoch, in order.
        pool: Rows that augmentations may take other samples from.
        augment: Changes a sample at random.
        collate: Makes a batch of samples.
        batch_size: Samples in a batch, on each rank.
        seed: Of all chance.
        workers: Threads that work ahead.
        rank: Which part of each batch is given: ranks together see what one would see with so large a batch, changed at random alike.
        world_size: How many ranks there are.
        name: What messages call a row.
    """

    sample: Callable[[int], Sample]
    epoch_rows: Callable[[int], NDArray[np.int64]]
    pool: NDArray[np.int64]
    augment: Augment
    collate: Callable[[Sequence[Sample]], Any]
    batch_size: int
    seed: int
    workers: int
    rank: int = 0
    world_size: int = 1
    name: Callable[[int], str] = str

    def batches(self, epoch: int, first: int) -> Iterator[Any]:
        """The batches of an epoch from one on; those before cost nothing."""
        config, part = LoaderConfig(workers=self.workers), (self.rank, self.world_size)
        loader = Loader(self.sample, self._cut, self.collate, self._changed, self.seed, config=config, name=self.name, part=part)
        return loader(epoch, first)

    def batches_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return len(self._cut(0))

    def plain_batches(self, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Any]]:
        """Rows in their order, nothing changed at random: each batch with its rows."""
        cut = [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]
        return ordered_map(self._plain, cut, engine=Engine(max(self.workers, 1)), workers="threads")

    def _cut(self, epoch: int) -> tuple[NDArray[np.int64], ...]:
        rows = self.epoch_rows(epoch)
        if self.world_size == 1:
            return cut_into_batches(rows, self.batch_size)
        return shard_batches(rows, self.batch_size, rank=self.rank, world_size=self.world_size)

    def _changed(self, sample: Sample, rng: Generator) -> Sample:
        return self.augment(sample, rng, self._another)

    def _another(self, rng: Generator) -> Sample:
        return self.sample(int(rng.choice(self.pool)))

    def _plain(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], Any]:
        return rows, self.collate([self.sample(int(row)) for row in rows])
