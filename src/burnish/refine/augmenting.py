"""Augmented copies: a picture and its mask mirrored, upside down, or turned a little; the same copy from the same seed and name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from burnish.engine.fingerprint import fingerprint
from burnish.media.turning import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_DEGREES: Final = 15.0
_MIRROR, _UPSIDE_DOWN = 0, 1
_KINDS: Final = 3


class Change(NamedTuple):
    """One augmentation: mirror, upside_down or turn, and the angle of the latter in degrees, counter-clockwise."""

    kind: str
    degrees: float = 0.0


def drawn_change(seed: int, name: str, number: int) -> Change:
    """The augmentation of a picture's copy `number`: each kind is as likely, the angle uniform from -15 to 15 degrees."""
    rng = np.random.default_rng([seed & 0xFFFFFFFF, int(fingerprint(name), 16), number])
    kind = int(rng.integers(_KINDS))
    if kind == _MIRROR:
        return Change("mirror")
    if kind == _UPSIDE_DOWN:
        return Change("upside_down")
    return Change("turn", float(rng.uniform(-MOST_DEGREES, MOST_DEGREES)))


def changed(pixels: NDArray[np.uint8], change: Change, *, smooth: bool = True) -> NDArray[np.uint8]:
    """Pixels (H, W) or (H, W, 3) after an augmentation.

    Args:
        pixels: A picture or a mask.
        change: What to do.
        smooth: Mix neighbouring pixels when turning: right for pictures and soft masks. Binary and class masks take the nearest
            value, so that they stay binary.
    """
    flips: dict[str, Any] = {"mirror": (slice(None), slice(None, None, -1)), "upside_down": (slice(None, None, -1),)}
    if change.kind in flips:
        return np.ascontiguousarray(pixels[flips[change.kind]])
    return turn(pixels, change.degrees, smooth=smooth)
