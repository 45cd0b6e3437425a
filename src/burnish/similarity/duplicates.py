"""Copies of one picture in a dataset: the same bytes, the same pixels, or nearly the same, also flipped, turned or slightly cropped.

Near copies are found in three steps. Low frequencies of small grey prints, whitened by the dataset itself, are compared for all pairs in
all eight ways to lay a picture. Candidates are laid over one another, so that a slight crop is taken back. What then still correlates
more than random pairs of this very dataset do, by a margin for which at most a stated number of false pairs is expected, is a near copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.errors import ConfigError
from burnish.similarity.calibration import ChanceTail, chance_tail
from burnish.similarity.descriptors import TURNS, frequencies, spread, turn_prints, turned, whitened
from burnish.similarity.embedded import embedded_pairs
from burnish.similarity.groups import group_pairs
from burnish.similarity.registration import normalised, registered
from burnish.similarity.search import alike_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from burnish.media.hashing import PictureHashes

KINDS: Final = ("same file", "same pixels", "near", "near by embedding")

_SEARCHED: Final = 8  # frequencies each way for the search over all pairs
_JUDGED: Final = 12  # and for the judgement after registration
_SAMPLES: Final = 4000
_FLAT: Final = 2.0  # standard deviation, in grey values of the print, below which there is nothing to compare
_LEAST_SIMILARITY: Final = 0.7
_LEAST_CORRELATION: Final = 0.8
_LOOSEST_SEARCH: Final = 0.7
_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Duplicates:
    """Pairs and groups of copies.

    Attributes:
        pairs: One row a pair: `a` < `b` (indices), `kind` (one of KINDS), `similarity` in [0, 1], `turn` (what is done to b to make it
            look like a), `expected_false` (how many pairs of the whole dataset are expected to be at least so alike by chance; 0 for
            identical ones). Identical pictures are paired with the first of them only.
        groups: (n,) int64, number of the group each picture belongs to, -1 for a picture that is alone.
        threshold: Least similarity of a near pair.
        expected_false: How many near pairs are expected to be false, at most.
    """

    pairs: pl.DataFrame
    groups: NDArray[np.int64]
    threshold: float
    expected_false: float


def find_duplicates(
    hashes: PictureHashes, *, false_pairs: float = 0.5, near: bool = True, embeddings: NDArray[Any] | None = None, seed: int = 0
) -> Duplicates:
    """Find exact and near copies among pictures.

    Args:
        hashes: As from `burnish.media.hashing.hash_pictures`.
        false_pairs: How many false near pairs to accept in the whole dataset, as expected from chance: the one dial.
        near: Look for near copies too.
        embeddings: (n, d) numbers from some embedder; with them, further near copies are looked for as `burnish.similarity.embedded` tells.
        seed: Draws the random pairs that show what chance does.

    Raises:
        ConfigError: `false_pairs` is not positive.
    """
    if false_pairs <= 0:
        raise ConfigError(f"false_pairs is {false_pairs}; expected a positive number of false pairs to accept, for instance 0.5.")
    parts = [_equal_pairs(hashes.files, KINDS[0])]
    parts.append(_equal_pairs(hashes.pixels, KINDS[1]).join(parts[0], on=["a", "b"], how="anti"))
    threshold, expected = 1.0, 0.0
    if near:
        distinct = _distinct(hashes)
        found, tail, threshold = _near_pairs(hashes.prints[distinct], false_pairs, np.random.default_rng(seed))
        expected = float(tail.chance(threshold)) * _pair_count(len(distinct))
        parts.append(found.with_columns(pl.col(side).replace_strict(np.arange(len(distinct)), distinct) for side in ("a", "b")))
    if embeddings is not None:
        parts.append(_embedded(embeddings, hashes.readable, false_pairs, seed).join(pl.concat(parts), on=["a", "b"], how="anti"))
    pairs = pl.concat(parts).sort("a", "b")
    return Duplicates(pairs, group_pairs(len(hashes), pairs["a"].to_numpy(), pairs["b"].to_numpy()), threshold, expected)


def _embedded(embeddings: NDArray[Any], readable: NDArray[np.bool_], false_pairs: float, seed: int) -> pl.DataFrame:
    places = np.flatnonzero(readable)
    a, b, cosines, expected = embedded_pairs(embeddings[places], false_pairs=false_pairs, seed=seed)
    return _pair_table(places[a], places[b], KINDS[3], similarity=cosines, expected=expected, turns=np.zeros(len(a), np.int64))


def _equal_pairs(texts: Sequence[str], kind: str) -> pl.DataFrame:
    """Pairs of each text's first place with its later ones."""
    table = pl.DataFrame({"text": texts, "b": np.arange(len(texts))}, schema={"text": pl.String, "b": pl.Int64})
    pairs = table.filter(pl.col("text") != "").with_columns(a=pl.col("b").min().over("text")).filter(pl.col("a") < pl.col("b"))
    surely, never, same = np.ones(len(pairs)), np.zeros(len(pairs)), np.zeros(len(pairs), np.int64)
    return _pair_table(pairs["a"].to_numpy(), pairs["b"].to_numpy(), kind, similarity=surely, expected=never, turns=same)


def _distinct(hashes: PictureHashes) -> NDArray[np.int64]:
    """Readable pictures that are not flat, one of each set with the same pixels."""
    pixels = np.array(hashes.pixels, dtype=np.str_)
    _, firsts = np.unique(pixels, return_index=True)
    deviation = hashes.prints.std(axis=(1, 2))
    usable = hashes.readable & (deviation > _FLAT)
    return np.array([i for i in np.sort(firsts) if usable[i]], dtype=np.int64)


def _near_pairs(prints: NDArray[np.uint8], false_pairs: float, rng: np.random.Generator) -> tuple[pl.DataFrame, ChanceTail, float]:
    count = len(prints)
    searched = _descriptors(prints, _SEARCHED)
    scale = spread(frequencies(prints, _JUDGED)) if count else np.ones((_JUDGED, _JUDGED), np.float32)
    samples = _sample_pairs(count, rng)
    best, turns = _best_turn(searched, *samples)
    tail = chance_tail(_judged(prints, scale, *samples, turns)[0])
    # The search lets through about as many chance pairs as registering them costs little.
    loose = min(chance_tail(best).threshold(_pair_count(count), 2000 + 0.2 * count), _LOOSEST_SEARCH)
    a, b, turn = alike_pairs(searched, loose) if count > 1 else (np.zeros(0, np.int64),) * 3
    similarity, correlation = _judged(prints, scale, a, b, turn)
    threshold = max(tail.threshold(_pair_count(count), false_pairs), _LEAST_SIMILARITY)
    good = (similarity >= threshold) & (correlation >= _LEAST_CORRELATION)
    expected = tail.chance(similarity[good]) * _pair_count(count)
    pairs = _pair_table(a[good], b[good], KINDS[2], similarity=similarity[good], expected=expected, turns=turn[good])
    return pairs, tail, threshold


def _descriptors(prints: NDArray[Any], count: int) -> NDArray[np.float32]:
    coefficients = frequencies(prints, count)
    return whitened(coefficients, spread(coefficients)) if len(prints) else coefficients


def _sample_pairs(count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs, or a few thousand at random where there are more."""
    if _pair_count(count) <= _SAMPLES:
        first, second = np.triu_indices(count, 1)
        return first.astype(np.int64), second.astype(np.int64)
    first = rng.integers(0, count, _SAMPLES)
    return first, (first + rng.integers(1, count, _SAMPLES)) % count


def _best_turn(
    descriptors: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    one, other = descriptors[first], descriptors[second]
    products = np.stack([np.einsum("nij,nij->n", one, turned(other, turn)) for turn in range(len(TURNS))], axis=1)
    return products.max(axis=1), products.argmax(axis=1)


def _judged(
    prints: NDArray[np.uint8],
    scale: NDArray[np.float32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    turns: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each pair, once laid over one another: the whitened similarity, and the plain correlation of grey values."""
    similarity, correlation = np.zeros(len(first), np.float32), np.zeros(len(first), np.float32)
    for part in _chunks(len(first)):
        one = prints[first[part]].astype(np.float32)
        other = registered(one, turn_prints(prints[second[part]], turns[part]).astype(np.float32))
        left, right = (whitened(frequencies(side, _JUDGED), scale) for side in (one, other))
        similarity[part] = np.einsum("nij,nij->n", left, right)
        correlation[part] = (normalised(one) * normalised(other)).mean((1, 2))
    return similarity, correlation


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))


def _pair_count(count: int) -> float:
    return count * (count - 1) / 2


def _pair_table(
    a: NDArray[np.int64], b: NDArray[np.int64], kind: str, *, similarity: NDArray[Any], expected: NDArray[Any], turns: NDArray[np.int64]
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "kind": [kind] * len(a),
            "similarity": np.clip(similarity, 0, 1).astype(np.float64),
            "turn": [TURNS[turn] for turn in turns],
            "expected_false": expected.astype(np.float64),
        },
        schema={"a": pl.Int64, "b": pl.Int64, "kind": pl.String, "similarity": pl.Float64, "turn": pl.String, "expected_false": pl.Float64},
    )
