"""File names that every file system takes, and back: nothing of the original name is lost."""

from __future__ import annotations

import re
import unicodedata

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%]')
_ENCODED = re.compile(r"%([0-9A-F]{2,6});")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_name(text: str) -> str:
    """A file name for any text; `original_name` gives the text back.

    Characters that some system refuses, a leading or trailing dot or space, names reserved by Windows, and letters that are not in
    composed form (NFC) are written as their code in `%XX;`.
    """
    if not text:
        return "%;"
    name = "".join(_encode(c) if _UNSAFE.match(c) else c for c in text)
    if unicodedata.normalize("NFC", name) != name:
        name = "".join(_encode(c) if ord(c) > 127 else c for c in name)  # noqa: PLR2004 - the end of ASCII
    if name[0] in " .~-" or _RESERVED.match(name):
        name = _encode(name[0]) + name[1:]
    if name[-1] in " .":
        name = name[:-1] + _encode(name[-1])
    return name


def original_name(name: str) -> str:
    """The text that `safe_name` was given."""
    return "" if name == "%;" else _ENCODED.sub(lambda match: chr(int(match[1], 16)), name)


def natural_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Sorting key in which image_2 comes before image_10."""
    pieces = re.split(r"(\d+)", text)
    return tuple((False, int(piece), "") if piece.isdecimal() else (True, 0, piece) for piece in pieces if piece)


def _encode(character: str) -> str:
    return f"%{ord(character):02X};"
