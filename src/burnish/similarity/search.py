"""All pairs of pictures whose descriptors correlate, whichever way they are laid, without comparing all in all eight ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from burnish.similarity.descriptors import TURNS, turned

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXACT_UP_TO: Final = 10_000
_AMBIGUITY: Final = 0.35
_ROWS: Final = 1024
_COLUMNS: Final = 8192
_KEPT_A_ROW: Final = 64

_Found: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]"


def alike_pairs(
    descriptors: NDArray[np.float32], threshold: float, *, exact_up_to: int = _EXACT_UP_TO
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find pairs that correlate at least as much as a threshold in one of the eight ways to lay the second.

    Up to `exact_up_to` pictures all eight are tried. Beyond, each picture is laid in one standard way (its two slowest waves rising to the
    right and down, the stronger one across), and the others are also laid in every way that is nearly as standard. That is four times
    as fast; on real pictures it misses no copy that was only scaled or encoded again, and 0 to 3 % of those cropped by 3 %.

    Args:
        descriptors: (n, k, k) float32 of unit length.
        threshold: Least correlation.
        exact_up_to: Number of pictures up to which every way is tried.

    Returns:
        Indices a < b, and the turn of b (index of `TURNS`); each pair once, in its best turn. In a crowd of copies, the best 64 pairs a
        picture (on average) are kept: more would say nothing new about which belong together.
    """
    count = len(descriptors)
    laid, owner, turn = _ways(descriptors, everything=count <= exact_up_to)
    blocks = ((r, c) for r in range(0, count, _ROWS) for c in range(0, len(laid), _COLUMNS))
    found = [_block(laid, owner, at, threshold, count) for at in blocks if owner[at[1] : at[1] + _COLUMNS].max() > at[0]]
    rows, columns, scores = (np.concatenate(part) for part in zip(*found, strict=True)) if found else _nothing()
    if len(rows) > count * _KEPT_A_ROW:
        kept = np.argpartition(-scores, count * _KEPT_A_ROW)[: count * _KEPT_A_ROW]
        rows, columns, scores = rows[kept], columns[kept], scores[kept]
    return _best_turns(rows, owner[columns], _between(turn[rows], turn[columns]), scores)


def _ways(descriptors: NDArray[np.float32], *, everything: bool) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Each picture once in its standard way, in order, then all the other ways that may match; with owners and turns."""
    count = len(descriptors)
    if everything:
        laid = np.concatenate([turned(descriptors, turn).reshape(count, -1) for turn in range(len(TURNS))])
        return laid, np.tile(np.arange(count), len(TURNS)), np.repeat(np.arange(len(TURNS)), count)
    quality = np.stack([_standardness(turned(descriptors, turn)) for turn in range(len(TURNS))], axis=1)
    standard = quality.argmax(axis=1)
    others = quality > -_AMBIGUITY
    others[np.arange(count), standard] = False
    owner, turn = np.nonzero(others)
    owner, turn = np.concatenate([np.arange(count), owner]), np.concatenate([standard, turn])
    laid = np.empty((len(owner), descriptors[0].size), np.float32)
    for way in range(len(TURNS)):
        mine = turn == way
        laid[mine] = turned(descriptors[owner[mine]], way).reshape(int(mine.sum()), -1)
    order = np.concatenate([np.arange(count), count + np.argsort(owner[count:], kind="stable")])
    return laid[order], owner[order], turn[order]


def _standardness(laid: NDArray[np.float32]) -> NDArray[np.float32]:
    """Above 0 only for the standard way; how far below says how clearly a way is not. In units of a typical coefficient."""
    across, down = laid[:, 0, 1], laid[:, 1, 0]
    return np.minimum(np.minimum(across, down), across - down) * np.float32(laid.shape[1])


def _block(laid: NDArray[np.float32], owner: NDArray[np.int64], corner: tuple[int, int], threshold: float, count: int) -> _Found:
    """Pairs of one block of the matrix of all correlations; the first `count` rows of `laid` are the pictures in their standard way."""
    row, column = corner
    correlations = laid[row : min(row + _ROWS, count)] @ laid[column : column + _COLUMNS].T
    lively = np.flatnonzero(correlations.max(axis=1) >= threshold)  # nearly all rows hold nothing, and a maximum is quick to take
    rows, columns = np.nonzero(correlations[lively] >= threshold)
    rows = lively[rows]
    scores = correlations[rows, columns]
    upper = owner[column + columns] > row + rows
    rows, columns, scores = rows[upper], columns[upper], scores[upper]
    limit = _ROWS * _KEPT_A_ROW
    if len(scores) > limit:
        kept = np.argpartition(-scores, limit)[:limit]
        rows, columns, scores = rows[kept], columns[kept], scores[kept]
    return rows + row, columns + column, scores


def _between(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """The turn of the second picture that undoes the first one's: both were laid before they were compared."""
    return _UNDOING[first, second]


def _undoing() -> NDArray[np.int64]:
    """For each pair of turns the one t with turned(b, t) = inverse of the first applied to turned(b, second)."""
    marks = np.arange(9, dtype=np.float32).reshape(1, 3, 3) + 1
    laid = [turned(marks, turn) for turn in range(len(TURNS))]
    table = np.zeros((len(TURNS), len(TURNS)), np.int64)
    for first in range(len(TURNS)):
        for wanted in range(len(TURNS)):
            both = turned(laid[wanted], first)
            second = next(turn for turn in range(len(TURNS)) if np.array_equal(laid[turn], both))
            table[first, second] = wanted
    return table


_UNDOING: Final = _undoing()


def _best_turns(
    rows: NDArray[np.int64], columns: NDArray[np.int64], turns: NDArray[np.int64], scores: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    order = np.lexsort((turns, -scores, columns, rows))
    rows, columns, turns = rows[order], columns[order], turns[order]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    return rows[new], columns[new], turns[new]


def _nothing() -> _Found:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
