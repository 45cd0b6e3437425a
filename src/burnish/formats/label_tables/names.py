"""Names of labels in a file: a list of names, the JSON of a label constructor, of a CVAT backup or of its API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from burnish.errors import FormatError
from burnish.formats.label_tables.grids import tidy
from burnish.formats.reading import read_text

if TYPE_CHECKING:
    from pathlib import Path


def read_names(path: Path) -> list[str]:
    """Read names of labels, in order, each once.

    A `.json` holds a list of names or of objects with the key `name`, or an object with such a list under `labels` or `results`; any other
    file holds one name a line.

    Raises:
        FormatError: The file is missing or holds something else.
    """
    text = read_text(path)
    names = _json_names(text, path) if path.suffix.lower() == ".json" else [tidy(line) for line in text.splitlines()]
    return list(dict.fromkeys(name for name in names if name))


def _json_names(text: str, path: Path) -> list[str]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"This is no valid JSON: {error.msg}.", path=path, position=error.lineno) from error
    if isinstance(found, dict) and found.get("next"):
        raise FormatError(
            f"This is one page of {found.get('count')} labels; ask for all of them, with page_size={found.get('count')}.", path=path
        )
    names = _names(found)
    if names is None:
        raise FormatError(
            'No labels are here; expected a list of names or of {"name": ...}, as the raw view of a CVAT project gives it.', path=path
        )
    return names


def _names(labels: Any) -> list[str] | None:
    """Names in what JSON holds, those of the parts of skeletons aside; None where it holds no labels."""
    if isinstance(labels, dict):
        return next((_names(labels[key]) for key in ("labels", "results") if isinstance(labels.get(key), list)), None)
    if not isinstance(labels, list):
        return None
    whole = [label for label in labels if not (isinstance(label, dict) and label.get("has_parent"))]
    names = [label.get("name") if isinstance(label, dict) else label for label in whole]
    texts = [tidy(name) for name in names if isinstance(name, str)]
    return texts if len(texts) == len(names) else None
