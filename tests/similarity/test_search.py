import numpy as np
import pytest

from burnish.similarity.descriptors import turned
from burnish.similarity.search import alike_pairs


def descriptors(count, seed=0):
    values = np.random.default_rng(seed).standard_normal((count, 8, 8)).astype(np.float32)
    values[:, 0, 0] = 0
    return values / np.linalg.norm(values.reshape(count, -1), axis=1)[:, None, None]


@pytest.mark.parametrize("exact_up_to", [10_000, 0], ids=["all ways", "standard ways"])
def test_planted_copies_are_found_in_their_turn_and_nothing_else(exact_up_to):
    values = descriptors(300)
    inverse = {5: 6, 6: 5}
    for turn in range(8):
        values[200 + turn] = turned(values[turn : turn + 1], inverse.get(turn, turn))[0]
    first, second, turns = alike_pairs(values, 0.9, exact_up_to=exact_up_to)
    assert list(zip(first.tolist(), second.tolist(), turns.tolist(), strict=True)) == [(turn, 200 + turn, turn) for turn in range(8)]


def test_both_searches_find_the_same_noisy_copies():
    values = descriptors(400)
    noisy = values[:200] + 0.2 * descriptors(200, 1)
    values[200:] = noisy / np.linalg.norm(noisy.reshape(200, -1), axis=1)[:, None, None]
    exact = set(zip(*(part.tolist() for part in alike_pairs(values, 0.8)[:2]), strict=True))
    quick = set(zip(*(part.tolist() for part in alike_pairs(values, 0.8, exact_up_to=0)[:2]), strict=True))
    assert exact == {(number, number + 200) for number in range(200)}
    assert quick <= exact
    assert len(quick) >= 195


def test_a_crowd_of_copies_is_kept_within_bounds():
    values = np.repeat(descriptors(1), 500, axis=0)
    first, _, _ = alike_pairs(values, 0.9)
    assert 500 <= len(first) <= 500 * 64


def test_no_and_one_picture_have_no_pairs():
    assert len(alike_pairs(descriptors(1), 0.5)[0]) == 0
