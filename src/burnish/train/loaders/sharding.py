"""Which rows each rank of a training sees: a function of the rows' order, the rank and the number of ranks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST = 2  # rows of a batch on each rank: batch normalisation needs two pictures to train on


def shard_batches(rows: NDArray[np.int64], batch_size: int, *, rank: int = 0, world_size: int = 1) -> tuple[NDArray[np.int64], ...]:
    """One rank's batches of an epoch.

    The order is cut into batches of `batch_size * world_size` rows, and each rank takes its part of each: together the ranks see what one
    rank would see with so large a batch. Every rank has the same number of batches, as gradients that are averaged need it, and no row
    comes twice. The last batch may be smaller, and its parts then differ by one row; where a rank would have fewer than two rows, the
    rest joins the batch before it (one, where batches of one are asked for). Only where there are too few rows for that, rows are taken
    again.

    Args:
        rows: (N,) rows of the epoch in their order, the same on all ranks.
        batch_size: Rows of a batch on each rank.
        rank: From 0.
        world_size: How many ranks there are.

    Raises:
        ConfigError: There are no rows, or the rank or batch size is none.
    """
    _refuse_wrong_rank(rank, world_size)
    if batch_size < 1 or not len(rows):
        raise ConfigError(f"{len(rows)} rows in batches of {batch_size}; expected at least one of both.")
    fewest = min(batch_size, _FEWEST) * world_size
    if len(rows) < fewest:
        return (np.resize(rows, fewest)[rank::world_size],)
    whole = batch_size * world_size
    ends = list(range(whole, len(rows), whole))
    if ends and len(rows) - ends[-1] < fewest:
        ends.pop()
    return tuple(batch[rank::world_size] for batch in np.split(rows, ends))


def shard_rows(rows: NDArray[np.int64], *, rank: int = 0, world_size: int = 1) -> NDArray[np.int64]:
    """One rank's rows of an evaluation: each row is on one rank, once, so that the ranks may have different numbers of them.

    torch's DistributedSampler repeats rows until all ranks have as many, which bends metrics.

    Raises:
        ConfigError: There is no such rank.
    """
    _refuse_wrong_rank(rank, world_size)
    return rows[rank::world_size]


def cut_rows(rows: NDArray[np.int64], batch_size: int) -> tuple[NDArray[np.int64], ...]:
    """Cut rows into batches as they come, the last with what is left; for evaluation, where a batch of one is welcome."""
    return tuple(rows[first : first + batch_size] for first in range(0, len(rows), batch_size))


def _refuse_wrong_rank(rank: int, world_size: int) -> None:
    if not 0 <= rank < world_size:
        raise ConfigError(f"The rank is {rank} of {world_size}; expected 0 to {world_size - 1}.")
