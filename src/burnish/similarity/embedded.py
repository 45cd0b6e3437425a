"""Near copies by given embeddings: what prints cannot see, such as another crop or view of one scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.similarity.calibration import chance_tail
from burnish.similarity.neighbours import nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_NEIGHBOURS: Final = 10
_SAMPLES: Final = 20_000


def embedded_pairs(
    embeddings: ArrayLike, *, false_pairs: float = 0.5, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Pairs that are among one another's ten nearest, and more alike than chance explains.

    The embedder's own habits (some crowd all pictures into one corner) do not matter: the threshold comes from random pairs of these very
    embeddings, as in `burnish.similarity.calibration`.

    Args:
        embeddings: (n, d) numbers, compared by cosine.
        false_pairs: How many false pairs to accept in the whole dataset, as expected from chance.
        seed: Draws the random pairs.

    Returns:
        Indices a < b, their cosines, and for each pair how many of all pairs are expected to be at least so alike by chance.
    """
    rows = np.asarray(embeddings, dtype=np.float32)
    count = len(rows)
    found = nearest(rows, _NEIGHBOURS)
    first = np.repeat(np.arange(count), found.indices.shape[1])
    second = found.indices.ravel()
    cosines = 1 - found.distances.ravel().astype(np.float64)
    # Each mutual pair stands twice, once in each order.
    upper, lower = first < second, first > second
    mutual = upper & np.isin(first * count + second, (second * count + first)[lower])
    tail = chance_tail(_random_cosines(rows, np.random.default_rng(seed)))
    pairs = count * (count - 1) / 2
    good = mutual & (cosines >= tail.threshold(pairs, false_pairs))
    return first[good], second[good], cosines[good], tail.chance(cosines[good]) * pairs


def _random_cosines(rows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    count = len(rows)
    if count < 2:  # noqa: PLR2004 - a pair
        return np.zeros(0, np.float32)
    samples = min(_SAMPLES, count * (count - 1) // 2)
    first = rng.integers(0, count, samples)
    second = (first + rng.integers(1, count, samples)) % count
    length = np.linalg.norm(rows, axis=1)
    products = np.einsum("ij,ij->i", rows[first], rows[second])
    return products / np.maximum(length[first] * length[second], np.float32(1e-12))
