"""Frame numbers as people write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def parse_numbers(texts: Iterable[str]) -> list[int]:
    """Numbers out of texts such as `7`, `100-200` (both ends included) and `1,5,9-12`; rising, each once.

    Raises:
        ConfigError: A text is neither.
    """
    found: set[int] = set()
    for piece in (piece.strip() for text in texts for piece in str(text).split(",")):
        match = _RANGE.fullmatch(piece)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ConfigError(f"'{piece}' is no frame; expected a number from 0, or a range such as 100-200.")
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return sorted(found)


def one_every(seconds: NDArray[np.float64], distance: float) -> list[int]:
    """The first frame at or behind each multiple of a distance in seconds, by the frames' own times; each frame once."""
    ticks = np.arange(0.0, float(seconds[-1]) + distance / 2, distance)
    # Times are rounded to the container's ticks; a frame that is a hair early is still the one that is meant.
    slack = 0.25 * float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
    numbers = np.searchsorted(seconds, ticks - slack)
    return np.unique(numbers[numbers < len(seconds)]).tolist()
