"""Colour of 16 bits a channel, of which Pillow's decoders hand out the upper bytes alone.

Decoded a second time in the other order of bytes, the same file gives the lower ones; together they are what is stored.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL import ImageFile

_DEEP: Final = re.compile(r"(RGB|RGBA|RGBX|R|G|B|A);16([BLN])")
_OTHER_ORDER: Final = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def has_deep_colour(picture: ImageFile.ImageFile) -> bool:
    """Say whether an open picture, not loaded yet, stores colour of 16 bits a channel; grey of 16 bits Pillow reads whole."""
    return bool(picture.mode in {"RGB", "RGBA"} and picture.tile and all(_DEEP.fullmatch(_raw_mode(tile)) for tile in picture.tile))


def swap_bytes(picture: ImageFile.ImageFile) -> None:
    """Have an open picture with deep colour, not loaded yet, decoded to the lower bytes of its channels."""
    picture.tile = [tile._replace(args=_swapped(tile.args)) for tile in picture.tile]


def _raw_mode(tile: Any) -> str:
    """The name by which Pillow calls the layout of a part's bytes: the first or only argument of every decoder."""
    first = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    return first if isinstance(first, str) else ""


def _swapped(args: Any) -> Any:
    if isinstance(args, tuple):
        return (_swapped(args[0]), *args[1:])
    return args[:-1] + _OTHER_ORDER[args[-1]]
