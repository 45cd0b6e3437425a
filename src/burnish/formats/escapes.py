"""Names that a line, an element or a list cannot hold as they are, written so that they come back; ordinary names stay as they are."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

from burnish.engine.files import write_text
from burnish.formats.reading import read_text

# Control characters, what XML 1.0 cannot hold, and blanks at either end, which readers strip.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|^\s+|\s+$|%(?=[0-9A-F]{2,6};|;$)")
_WRITTEN: Final = re.compile(r"%([0-9A-F]{2,6});")
_EMPTY: Final = "%;"


def escaped(name: str, also: str = "") -> str:
    """A name without what breaks lines and XML; `unescaped` gives it back.

    Args:
        name: Any text.
        also: Further characters to escape, for instance the separator of a list.
    """
    plain = _UNWRITABLE.sub(_codes, name) or _EMPTY
    return re.sub(f"[{re.escape(also)}]", _codes, plain) if also else plain


def unescaped(text: str) -> str:
    """The name that `escaped` was given."""
    return "" if text == _EMPTY else _WRITTEN.sub(lambda match: chr(int(match[1], 16)), text)


def refuse_half_characters(text: str, value: object) -> None:
    r"""Refuse JSON that escapes half a surrogate pair (\ud800), which no table or file can hold.

    Args:
        text: The JSON text; only one that escapes surrogates is looked at further.
        value: What was read from it.

    Raises:
        ValueError: It holds one.
    """
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")


def read_names(path: Path) -> list[str]:
    """The names in a file such as classes.txt, one a line, in order; none where there is no such file.

    Raises:
        FormatError: It is no text.
    """
    if not path.is_file():
        return []
    return [unescaped(line.strip()) for line in read_text(path).split("\n") if line.strip()]


def write_names(path: Path, names: Iterable[str]) -> None:
    """Write such a file."""
    write_text(path, "".join(escaped(name) + "\n" for name in names))


def _codes(match: re.Match[str]) -> str:
    return "".join(f"%{ord(c):02X};" for c in match[0])
