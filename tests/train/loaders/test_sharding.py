"""Rows of ranks: each once, in a known order, with as many batches on each rank in training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import ConfigError
from burnish.train.loaders.sharding import cut_rows, shard_batches, shard_rows

COUNTS, BATCHES, WORLDS = st.integers(1, 200), st.integers(1, 9), st.integers(1, 5)


def shards(count, size, world):
    return [shard_batches(np.arange(count) + 1000, size, rank=rank, world_size=world) for rank in range(world)]


@given(COUNTS, BATCHES, WORLDS)
def test_in_training_each_row_is_on_one_rank_and_all_ranks_have_as_many_batches(count, size, world):
    ranks = shards(count, size, world)
    assert len({len(batches) for batches in ranks}) == 1
    rows = np.concatenate([batch for batches in ranks for batch in batches])
    if count >= min(size, 2) * world:
        assert sorted(rows) == list(range(1000, 1000 + count))
    else:
        assert set(rows) == set(range(1000, 1000 + count))


@given(COUNTS, st.integers(2, 9), WORLDS)
def test_no_rank_gets_a_batch_of_one(count, size, world):
    assert min(len(batch) for batches in shards(count, size, world) for batch in batches) >= 2


@given(COUNTS, WORLDS)
def test_batches_of_one_are_given_where_they_are_asked_for(count, world):
    assert min(len(batch) for batches in shards(count, 1, world) for batch in batches) >= 1


@given(COUNTS, BATCHES, WORLDS)
def test_ranks_together_see_what_one_sees_with_a_batch_of_their_sum(count, size, world):
    if count < 2 * world or size * world < 2 or size < 2:
        return
    together = [np.sort(np.concatenate(parts)) for parts in zip(*shards(count, size, world), strict=True)]
    starts = [0, *np.cumsum([len(batch) for batch in together])]
    assert all(batch.tolist() == list(range(1000 + a, 1000 + b)) for batch, a, b in zip(together, starts, starts[1:], strict=False))
    assert all(len(batch) == size * world for batch in together[:-1])


@given(st.integers(0, 200), WORLDS)
def test_in_evaluation_no_row_comes_twice_and_ranks_differ_by_one_at_most(count, world):
    parts = [shard_rows(np.arange(count), rank=rank, world_size=world) for rank in range(world)]
    assert sorted(np.concatenate(parts)) == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.integers(0, 50), st.integers(1, 9))
def test_evaluation_keeps_its_order_and_its_small_last_batch(count, size):
    batches = cut_rows(np.arange(count), size)
    assert [row for batch in batches for row in batch] == list(range(count))
    assert all(len(batch) == size for batch in batches[:-1])


def test_a_rank_that_is_not_there_and_no_rows_are_errors():
    with pytest.raises(ConfigError, match="rank is 2 of 2; expected 0 to 1"):
        shard_rows(np.arange(3), rank=2, world_size=2)
    with pytest.raises(ConfigError, match="0 rows in batches of 4"):
        shard_batches(np.arange(0), 4)
