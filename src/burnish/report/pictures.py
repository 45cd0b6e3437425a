"""Small pictures that travel inside a page."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from burnish.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 64
"""Longest side, in pixels, up to which a picture is kept as it is and shown with its pixels as squares."""

_KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif", b"RIFF": "image/webp"}
_GREY, _COLOUR, _WITH_ALPHA = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture: JPEG, PNG, GIF or WebP bytes, its size in pixels, and whether its pixels are to be seen as squares."""

    data: bytes
    width: int
    height: int
    pixelated: bool = False

    @property
    def uri(self) -> str:
        """The picture as a `data:` address.

        Raises:
            DataError: The bytes are none of the four formats.
        """
        kind = next((kind for magic, kind in _KINDS.items() if self.data.startswith(magic)), None)
        if kind is None:
            raise DataError(f"A picture of a report begins with {self.data[:8]!r}; expected JPEG, PNG, GIF or WebP bytes.")
        return f"data:{kind};base64,{b64encode(self.data).decode('ascii')}"


def thumbnail(pixels: NDArray[np.uint8], *, longest: int = 160) -> Picture:
    """A small WebP of a picture; one of at most 64 pixels stays as it is, nearly without loss, with its pixels as squares.

    A report of 500 suspects with ten neighbours each stays under 10 MB with the default for the suspects and `longest=80` for
    their neighbours (measured on crops of 330 photographs: 3.2 and 1.1 kB, two thirds of JPEG at quality 80 at equal error).

    Args:
        pixels: (H, W), (H, W, 3) or (H, W, 4) uint8; alpha is laid on white.
        longest: Longest side of the result in pixels.

    Raises:
        DataError: The array is of another shape or type, or empty.
    """
    picture = _image(pixels)
    small = max(picture.size) <= SMALL
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    if small:  # WebP halves the resolution of colours, which shows in pixels that are seen as squares
        picture.save(buffer, "JPEG", quality=92, subsampling=0, optimize=True)
    else:
        picture.save(buffer, "WEBP", quality=75, method=2)
    return Picture(buffer.getvalue(), picture.width, picture.height, pixelated=small)


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    channels = pixels.shape[2] if pixels.ndim == _COLOUR else None
    if pixels.dtype != np.uint8 or not pixels.size or not (pixels.ndim == _GREY or channels in (_COLOUR, _WITH_ALPHA)):
        found = f"{pixels.dtype} array of shape {pixels.shape}"
        raise DataError(f"A thumbnail was asked of a {found}; expected uint8 of shape (H, W), (H, W, 3) or (H, W, 4), not empty.")
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if channels != _WITH_ALPHA:
        return image
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image).convert("RGB")
