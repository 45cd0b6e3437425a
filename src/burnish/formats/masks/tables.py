"""The files that say what values and colours of masks stand for."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from burnish.errors import FormatError
from burnish.formats.escapes import read_names, unescaped
from burnish.formats.indexed import packed
from burnish.formats.reading import read_text
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BACKGROUND: Final = "background"
_BACKGROUNDS: Final = frozenset({BACKGROUND, "_background_", "bg", "void", "unlabeled", "unlabelled", "__ignore__"})
_CAMVID_LINE: Final = re.compile(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.+?)\s*$")
_BLACK: Final = 0


class Meaning(NamedTuple):
    """What values and colours stand for.

    Attributes:
        names: Class names in the order of their values, from 1.
        colours: The value of each colour 0xRRGGBB; the background's colours have value 0.
        numbered: Whether a background is named first, so that the names are surely those of values.
    """

    names: tuple[str, ...]
    colours: dict[int, int]
    numbered: bool = False


def read_meaning(root: Path) -> Meaning:
    """Read dataset_meta.json, label_colors.txt (CamVid), labelmap.txt or classes.txt, the first that is there.

    Of a folder that is one part of a dataset, as train/ is, they may also lie above it.

    Raises:
        FormatError: dataset_meta.json is of another form.
    """
    place = root.resolve()
    above = (place.parent,) if split_named(place.name) else ()
    nothing = Meaning((), {})
    return next((found for folder in (root, *above) if (found := _meaning_beside(folder)) != nothing), nothing)


def _meaning_beside(root: Path) -> Meaning:
    if (root / "dataset_meta.json").is_file():
        return _meta(root / "dataset_meta.json")
    for name in ("label_colors.txt", "label_colours.txt"):
        if (root / name).is_file():
            matches = (_CAMVID_LINE.match(line) for line in read_text(root / name).split("\n"))
            return _from_rows([(m[4], packed([int(m[1]), int(m[2]), int(m[3])])) for m in matches if m])
    if (root / "labelmap.txt").is_file():
        return _from_rows(_label_map(read_text(root / "labelmap.txt")))
    return meaning_of(read_names(root / "classes.txt"))


def meaning_of(names: Sequence[str], colours: dict[int, int] | None = None) -> Meaning:
    """What names in the order of values mean: the first is value 1, or value 0 when it is called background."""
    numbered = bool(names) and names[0].lower() in _BACKGROUNDS
    return Meaning(tuple(names[1:] if numbered else names), colours or {}, numbered)


def _from_rows(rows: Sequence[tuple[str, int | None]]) -> Meaning:
    """Names and colours in the order of a table; black, and what is called so, is background."""
    classes = [(name, colour) for name, colour in rows if not (colour == _BLACK or name.lower() in _BACKGROUNDS)]
    names = tuple(dict.fromkeys(name for name, _ in classes))
    colours = {colour: 0 for name, colour in rows if colour is not None and name not in names}
    return Meaning(names, colours | {colour: names.index(name) + 1 for name, colour in classes if colour is not None})


def _label_map(text: str) -> list[tuple[str, int | None]]:
    rows = [line.strip().split(":") for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return [(unescaped(row[0]), packed([int(c) for c in row[1].split(",")]) if len(row) > 1 and row[1].strip() else None) for row in rows]


def _meta(path: Path) -> Meaning:
    try:
        content: Any = json.loads(read_text(path))
        labels = cast("dict[str, str]", content["label_map"])
        colours = cast("list[list[int]]", content.get("segmentation_colors") or [])
        background = str(content.get("background_label", ""))
        numbers = sorted(labels, key=int)
        rows = [(labels[n], packed(colours[i]) if i < len(colours) else None) for i, n in enumerate(numbers)]
        return _from_rows([(BACKGROUND if n == background else name, colour) for n, (name, colour) in zip(numbers, rows, strict=True)])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise FormatError(
            f"The file is no description of masks ({error}); expected label_map and segmentation_colors.", path=path
        ) from error
