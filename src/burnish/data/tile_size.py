"""How large tiles are, and how it is written: `1080x1920`, or `1080x1920+64` with an overlap of at least 64 pixels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_TEXT: Final = re.compile(r"\s*(\d+)\s*[x×,*]\s*(\d+)\s*(?:\+\s*(\d+)\s*)?", re.IGNORECASE)
_SIDES: Final = 2


class TileSize(NamedTuple):
    """The most pixels of a tile, and how many neighbours share at least."""

    height: int = 1080
    width: int = 1920
    overlap: int = 0

    def __str__(self) -> str:
        return f"{self.height}x{self.width}" + (f"+{self.overlap}" if self.overlap else "")


def parse_tiles(value: Any) -> TileSize:
    """Read the size of tiles: height, width and perhaps overlap, as text, as a list, or one number for both sides.

    Raises:
        ValueError: It is none of these, a side is 0, or the overlap is not smaller than both sides.
    """
    size = _read(value)
    if min(size.height, size.width) < 1 or not 0 <= size.overlap < min(size.height, size.width):
        raise ValueError(f"found {size.height} x {size.width} with an overlap of {size.overlap}, expected sides larger than the overlap")
    return size


def _read(value: int | str | Sequence[Any]) -> TileSize:
    if isinstance(value, str) and (match := _TEXT.fullmatch(value)):
        return TileSize(int(match[1]), int(match[2]), int(match[3] or 0))
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if isinstance(number, int) and not isinstance(number, bool):
        return TileSize(number, number)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) in {_SIDES, _SIDES + 1}:
        sides = [side for side in value if type(side) is int]
        if len(sides) == len(value):
            return TileSize(*sides)
    raise ValueError(f"found {value!r}, expected HEIGHTxWIDTH such as 1080x1920, with +64 behind it for an overlap of at least 64 pixels")
