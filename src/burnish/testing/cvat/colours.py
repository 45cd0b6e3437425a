"""The colour that the server gives a label that has none.

The hash of the name, its bits dealt out over red, green and blue, as CVAT does. CVAT also has a list of colours for well-known names
(person, car, ...); that list is not here, so those names get the colour of their hash.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_BITS = 8
_CHANNELS = 3
_STEPS = range(1, 10)


def label_colour(name: str, used: Collection[str]) -> str:
    """A colour as #rrggbb that no label of `used` has: the name's own, or a tint or shade of it."""
    plain = re.sub(r"[^a-z0-9_]+", "_", name.lower().strip())
    number = int.from_bytes(hashlib.blake2s(plain.encode(), digest_size=3).digest(), "big")
    colour = _dealt(number)
    candidates = [colour, *(_mixed(colour, light, step) for light in (255, 0) for step in _STEPS)]
    return next((found for each in candidates if (found := "#{:02x}{:02x}{:02x}".format(*each)) not in used), f"#{number:06x}")


def _dealt(number: int) -> tuple[int, int, int]:
    channels = [0, 0, 0]
    for place in range(_BITS * _CHANNELS):
        channels[place % _CHANNELS] |= (number >> place & 1) << (_BITS - 1 - place // _CHANNELS)
    return channels[0], channels[1], channels[2]


def _mixed(colour: tuple[int, int, int], light: int, step: int) -> tuple[int, ...]:
    return tuple(int(channel + (light - channel) * step / 10) for channel in colour)
