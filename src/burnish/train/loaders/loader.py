"""Batches of samples, prepared ahead by threads or worker processes, the same whoever prepares them."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from burnish.engine.locks import Slots, free_slots
from burnish.engine.map import Engine, available_cores, ordered_map
from burnish.errors import BurnishError, DataError
from burnish.train.loaders.cached import worker_count
from burnish.train.loaders.settings import LoaderConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from burnish.train.samples import Sample

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Loader(Generic[T]):
    """Gives the batches of an epoch from one on: what `burnish.train.run.Job` asks for.

    What is given to worker processes must be importable by name.

    Attributes:
        read: Gives a row's sample, usually `SharedSamples`.
        order: Gives the rows of each batch of an epoch, for this rank.
        collate: Makes a batch of its samples.
        augment: Changes a sample at random; the generator is a function of seed, epoch and row's place in the epoch, whatever the number of
            workers. It must not write into the sample's arrays, which are read-only where they are shared. None changes nothing.
        seed: Of the training.
        rank: Among the ranks that share the seed; each draws its own numbers.
        config: Who prepares.
        name: What messages call a row.
        part: Places of a batch's rows in the batch of all ranks, the first and the distance of the next: with these, and one `rank` for
            all, parts of a batch are changed as the whole would be.
        quota: Worker processes on this machine, whichever training has them; None counts those of this training alone.
    """

    read: Callable[[int], Sample]
    order: Callable[[int], Sequence[NDArray[np.int64]]]
    collate: Callable[[list[Sample]], T]
    augment: Callable[[Sample, np.random.Generator], Sample] | None = None
    seed: int = 0
    rank: int = 0
    config: LoaderConfig = field(default_factory=LoaderConfig)
    name: Callable[[int], str] = str
    quota: Slots | None = None
    part: tuple[int, int] = (0, 1)

    def __call__(self, epoch: int, first: int = 0) -> Iterator[T]:
        """The batches of an epoch, counted from 0, from `first` on; those before it cost nothing.

        Raises:
            DataError: A picture cannot be made, or a worker process died; the picture is named.
        """
        batches = [(epoch, number, rows) for number, rows in enumerate(self.order(epoch))][first:]
        workers = worker_count(self.config.workers, trials=self.config.trials)
        if self.config.kind == "processes" and workers:
            return _by_processes(self, batches, workers)
        return ordered_map(partial(_batch, self), batches, engine=Engine(max(workers, 1)), ahead=workers > 0)


def stack_pictures(samples: list[Sample]) -> NDArray[np.uint8]:
    """(B, H, W, 3) uint8."""
    return np.stack([sample.picture for sample in samples])


def process_slots(folder: Path | str) -> Slots:
    """As many worker processes as there are cores, for all trainings that share a folder of caches."""
    return Slots(Path(folder) / "processes", available_cores())


Batch = tuple[int, int, "NDArray[np.int64]"]
"""Epoch, number in it, rows."""


def _batch(loader: Loader[T], batch: Batch, told: Callable[[int], object] | None = None) -> T:
    epoch, number, rows = batch
    samples: list[Sample] = []
    for place, row in enumerate(rows.tolist()):
        if told is not None:
            told(row)
        samples.append(_sample(loader, row, (epoch, number, loader.part[0] + place * loader.part[1])))
    return loader.collate(samples)


def _sample(loader: Loader[T], row: int, where: tuple[int, int, int]) -> Sample:
    try:
        sample = loader.read(row)
        if loader.augment is None:
            return sample
        return loader.augment(sample, np.random.default_rng([loader.seed, loader.rank, *where]))
    except BurnishError:
        raise
    except Exception as error:
        told = f"{loader.name(row)} (row {row}, epoch {where[0]}, batch {where[1]}): {type(error).__name__}: {error}."
        raise DataError(f"{told} Mend the picture or its targets, or leave the row out.", rows=(row,)) from error


def _by_processes(loader: Loader[T], batches: list[Batch], workers: int) -> Iterator[T]:
    """As many processes as the machine's quota has left; without any, this process does it itself."""
    with ExitStack() as stack:
        granted = workers if loader.quota is None else stack.enter_context(free_slots(loader.quota, workers))
        if not granted:
            yield from map(partial(_batch, loader), batches)
            return
        marks = stack.enter_context(tempfile.TemporaryDirectory(prefix="burnish-loader-"))
        begin = partial(_begin, loader, marks)
        try:
            yield from ordered_map(_batch_here, batches, engine=Engine(granted), workers="processes", ahead=True, begin=begin)
        except BrokenProcessPool as error:
            raise DataError(_obituary(loader, Path(marks))) from error


_here: dict[str, tuple[Loader[Any], int]] = {}
"""What a worker process was given when it began: the loader, and a file for the row that it is at, which outlives it."""


def _begin(loader: Loader[Any], marks: str) -> None:
    _here["loader"] = loader, os.open(f"{marks}/{os.getpid()}", os.O_WRONLY | os.O_CREAT, 0o600)


def _batch_here(batch: Batch) -> Any:
    loader, mark = _here["loader"]
    made = _batch(loader, batch, lambda row: os.pwrite(mark, row.to_bytes(8, "big", signed=True), 0))
    os.ftruncate(mark, 0)
    return made


def _obituary(loader: Loader[T], marks: Path) -> str:
    rows = sorted({int.from_bytes(mark.read_bytes(), "big", signed=True) for mark in marks.iterdir() if mark.stat().st_size})
    pictures = " or ".join(f"{loader.name(row)} (row {row})" for row in rows) or "a batch that was done"
    return (
        f"A worker process died without a word at {pictures}: it was killed, ran out of memory, or a library crashed. "
        "Use fewer workers, leave the picture out, or set workers to 0 to see it happen."
    )
