"""Where CVAT's XML files lie, and how they are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from burnish.engine.archives import is_zip, member_head, member_names, unpacked
from burnish.errors import FormatError
from burnish.formats.reading import list_files, walk_some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANNOTATIONS: Final = "annotations.xml"
PICTURES: Final = "images"

_HEAD: Final = 4096
_ROOT: Final = re.compile(rb"<annotations\s*>")
_BELOW: Final = re.compile(rb"<(version|meta|image|track)\b|</annotations\s*>")


def recognise(path: Path) -> bool:
    """Whether a file, archive or folder holds XML with <annotations> at the top and CVAT's elements below."""
    if path.is_file():
        if path.suffix.lower() == ".xml":
            return _is_cvat(_head_of(path))
        return is_zip(path) and any(_is_cvat(head) for head in _heads(path))
    return any(entry.suffix.lower() == ".xml" and entry.is_file() and _is_cvat(_head_of(entry)) for entry in walk_some(path))


def find_files(path: Path) -> tuple[Path, list[Path]]:
    """The folder that paths are relative to, and CVAT's XML files in it.

    Raises:
        FormatError: There is none, or an archive is damaged.
    """
    if path.is_file() and path.suffix.lower() == ".xml":
        return path.parent, [path]
    root = unpacked(path) if path.is_file() else path
    found = [root / name for name in list_files(root, frozenset({".xml"}))]
    files = [file for file in found if _is_cvat(_head_of(file))]
    if not files:
        raise FormatError("there is no XML file with <annotations> at the top here.", path=path)
    return root, files


def _is_cvat(head: bytes) -> bool:
    return _ROOT.search(head) is not None and _BELOW.search(head) is not None


def _head_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError:
        return b""


def _heads(path: Path) -> Iterator[bytes]:
    try:
        for name in member_names(path):
            if name.lower().endswith(".xml"):
                yield member_head(path, name, _HEAD)
    except FormatError:
        return
