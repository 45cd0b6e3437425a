import numpy as np

from burnish.similarity.embedded import embedded_pairs


def test_planted_copies_are_found_among_crowded_embeddings():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((600, 32)) + 2  # all in one corner, as many embedders have it
    rows[500:510] = rows[:10] + 0.05 * rng.standard_normal((10, 32))
    first, second, cosines, expected = embedded_pairs(rows)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(number, 500 + number) for number in range(10)]
    assert cosines.min() > 0.95
    assert expected.max() <= 0.5


def test_unrelated_embeddings_have_no_pairs():
    assert len(embedded_pairs(np.random.default_rng(1).standard_normal((2000, 32)))[0]) <= 1


def test_no_and_one_row_have_no_pairs():
    for count in (0, 1, 2):
        first, second, cosines, expected = embedded_pairs(np.eye(4)[:count])
        assert len(first) == len(second) == len(cosines) == len(expected) == 0
