"""The top level of a COCO file, without going through its annotations twice."""

from __future__ import annotations

import json
import mmap
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from burnish.errors import FormatError
from burnish.formats.reading import read_text

if TYPE_CHECKING:
    from pathlib import Path

_BEGIN: Final = re.compile(rb'"annotations"\s*:\s*\[')
_ENDS: Final = (re.compile(rb'\]\s*,\s*"categories"\s*:'), re.compile(rb"\]\s*\}\s*$"))
_TAIL: Final = 1 << 20
_LARGE: Final = 4 << 20


def read_top(path: Path) -> dict[str, Any] | list[Any]:
    """The values at the top level of a file, not yet decoded (`msgspec.Raw`, or a view of the annotations).

    Where the file is no strict JSON but can be read (it holds NaN or Infinity), they are Python objects. An error within the
    annotations shows only when they are decoded; then `read_tolerantly` tells what is wrong.

    Raises:
        FormatError: The file is no JSON; the message has the line.
    """
    try:
        size = path.stat().st_size
        if size > _LARGE and (top := _split_in_place(path)) is not None:
            return top
        raw = path.read_bytes()
    except OSError as error:
        raise FormatError(f"The file cannot be read: {error.strerror}.", path=path) from error
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raw = read_text(path).encode()
    try:
        return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"), type=dict[str, msgspec.Raw] | list[msgspec.Raw])
    except msgspec.DecodeError:
        return read_tolerantly(path)


def read_tolerantly(path: Path) -> dict[str, Any] | list[Any]:
    """The whole file as Python objects, NaN and Infinity allowed.

    Raises:
        FormatError: It is no JSON; the message has the line.
    """
    try:
        top = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FormatError(f"The file is no JSON: {error.msg} (column {error.colno}).", path=path, position=error.lineno) from error
    if not isinstance(top, dict | list):
        raise FormatError("The file holds one bare value; expected an object or a list.", path=path)
    return top


def plain(value: Any) -> Any:
    """A value of the top level as Python objects."""
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw | memoryview) else value


def _split_in_place(path: Path) -> dict[str, Any] | None:
    """Cut the annotations out of a large file, mapped into memory, and decode what is around them.

    Where they begin and end is guessed from the keys beside them, as most files have them. The guess is right when what is left is
    JSON with an empty list in their place, and they are JSON themselves, which decoding them shows. Otherwise there is no answer.
    """
    with path.open("rb") as stream:
        whole = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    begin = _BEGIN.search(whole)
    tail = max(len(whole) - _TAIL, 0)
    end = next((match for pattern in _ENDS if (match := pattern.search(whole, tail))), None)
    if begin is None or end is None or end.start() < begin.end():
        return None
    around = b"".join((whole[: begin.end()], whole[end.start() :]))
    try:
        top = msgspec.json.decode(around, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return None
    if bytes(top.get("annotations", b"")) != b"[]":
        return None
    return {**top, "annotations": whole[begin.end() - 1 : end.start() + 1]}
