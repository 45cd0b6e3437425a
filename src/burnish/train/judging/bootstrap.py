"""How sure numbers are: pictures are drawn again and again with replacement (Efron, 1979); the middle 95 % of what comes out is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Statistics = Callable[[NDArray[np.int64]], dict[str, float]]

_LOW, _HIGH = 2.5, 97.5


def intervals(statistics: Statistics, count: int, *, draws: int, seed: int) -> dict[str, tuple[float, float]]:
    """The 95 % interval of each number, percentiles of the draws.

    Args:
        statistics: Numbers, given how often each picture counts, (count,).
        count: Number of pictures.
        draws: How often they are drawn; with none there are no intervals.
        seed: Of the draws; the same seed draws the same pictures.

    Returns:
        NaN, NaN where a number is none in any draw; no intervals of fewer than two pictures.
    """
    drawn = [statistics(weights) for weights in draws_of(count, draws, seed)]
    return {name: _interval([one[name] for one in drawn]) for name in (drawn[0] if drawn else {})}


def differences(one: Statistics, other: Statistics, count: int, *, draws: int, seed: int) -> dict[str, tuple[float, float, float]]:
    """Difference one - other of each number that both have, and its 95 % interval; each draw shows both the same pictures."""
    once = np.ones(count, np.int64)
    ours, theirs = one(once), other(once)
    names = [name for name in ours if name in theirs]
    drawn = [(one(weights), other(weights)) for weights in draws_of(count, draws, seed)]
    none = (float("nan"), float("nan"))
    return {
        name: (ours[name] - theirs[name], *(_interval([first[name] - second[name] for first, second in drawn]) if drawn else none))
        for name in names
    }


def draws_of(count: int, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each of `count` pictures comes in each draw."""
    if count < 2:  # noqa: PLR2004 - one picture says nothing of others
        return
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        yield np.bincount(rng.integers(0, count, count), minlength=count)


def _interval(values: list[float]) -> tuple[float, float]:
    kept = [value for value in values if not np.isnan(value)]
    if not kept:
        return float("nan"), float("nan")
    low, high = np.percentile(kept, [_LOW, _HIGH])
    return float(low), float(high)
