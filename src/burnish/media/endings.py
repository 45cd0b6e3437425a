"""Whether a picture file has its end, told by a few bytes, so that files cut short are found without decoding all others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from burnish.media.images import read_image
from burnish.media.unreadable import UnreadableImage, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEAD, _TAIL = 12, 64
_PNG_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
_PADDING: Final = b"\0\r\n "  # some cameras and servers add a little of it
_ENDS: Final[Mapping[bytes, Callable[[bytes, bytes, int], bool]]] = {
    b"\xff\xd8\xff": lambda _head, tail, _size: tail.rstrip(_PADDING).endswith(b"\xff\xd9"),
    b"\x89PNG": lambda _head, tail, _size: tail.endswith(_PNG_END),
    b"GIF8": lambda _head, tail, _size: tail.endswith(b";"),
    b"RIFF": lambda head, _tail, size: size >= int.from_bytes(head[4:8], "little") + 8,
}
"""By a file's first bytes: whether it has its end, of its head, its tail and its size."""


def has_its_end(path: Path | str) -> bool | None:
    """Whether a JPEG, PNG, GIF or WebP file ends as such files do; None of other formats, whose ends say nothing.

    A file that does not may still be whole, for programs append what they like: only decoding tells.

    Raises:
        UnreadableImage: The file cannot be opened.
    """
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(_HEAD)
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - _TAIL, 0))
            tail = stream.read()
    except OSError as error:
        raise UnreadableImage(path, why_unreadable(path, error)) from error
    ends = next((ends for start, ends in _ENDS.items() if head.startswith(start)), None)
    return None if ends is None else ends(head, tail, size)


def why_incomplete(path: Path | str) -> str | None:
    """Why the pixels of a picture cannot be had to their end; None where they can.

    Only what lacks its end, or is of a format whose ends say nothing (TIFF, BMP and others), is decoded; so are all pictures of fractions,
    whose pixels may be no numbers. Damage before the end of a file that has its end is not noticed here.
    """
    try:
        if not has_its_end(path):
            read_image(path)
    except UnreadableImage as error:
        return error.reason
    return None
