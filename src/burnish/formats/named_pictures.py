"""Finding the pictures that a table names in its own way: by path, below images/, without ending, or by bare name."""

from __future__ import annotations

import posixpath
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from burnish.formats.reading import list_pictures, normal_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def named_pictures(root: Path, names: Sequence[str]) -> list[str]:
    """Where each named picture lies: as named, in images/, under another ending or, if only one has its name, anywhere below.

    Args:
        root: The folder that the names are relative to.
        names: As a table writes them.

    Returns:
        Paths relative to the root; a name that no picture has stays as it is.
    """
    there = list_pictures(root)
    paths = {*there}
    by_name = _only(there, lambda path: PurePosixPath(path).name)
    by_stem = _only(there, lambda path: PurePosixPath(path).stem)
    found: list[str] = []
    for given in names:
        path = normal_path(given, root)
        choices = (path if path in paths else None, f"images/{path}" if f"images/{path}" in paths else None)
        name = posixpath.basename(path)
        whole = by_stem.get(name)  # a name without an ending may hold a full stop
        found.append(next((c for c in choices if c), None) or by_name.get(name) or whole or by_stem.get(PurePosixPath(name).stem) or path)
    return found


def _only(paths: Sequence[str], key: Callable[[str], str]) -> dict[str, str]:
    counts = Counter(key(path) for path in paths)
    return {key(path): path for path in paths if counts[key(path)] == 1}
