"""What the values of masks stand for, seen from all masks of a dataset where no file says it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from burnish.formats.gathering import note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from burnish.formats.gathering import Gathered
    from burnish.formats.indexed import Part
    from burnish.formats.masks.tables import Meaning

Style: TypeAlias = Literal["binary", "index", "colour"]

OBJECT: Final = "object"
IGNORED: Final = frozenset({255, 65535})
_WHITE: Final = 255
_INSIDE: Final = frozenset({1, 255, 65535})
"""What tools write inside of the object in a mask of two values, by its depth."""
_GREY: Final = 0x010101
_NOISE, _NOISY_SHARE = 10, 0.02


class Taken(NamedTuple):
    """One mask file taken apart, or why it could not be."""

    parts: tuple[Part, ...]
    size: tuple[int, int]
    coloured: bool
    palette: Mapping[int, str]
    error: str = ""


class Encoding(NamedTuple):
    """How values become classes in a dataset.

    Attributes:
        style: Whether values are colours, classes, or inside and outside of one class.
        names: The classes in the order of their values, from 1.
        colours: The value of each colour 0xRRGGBB.
        threshold: The least value inside of a binary mask.
    """

    style: Style
    names: tuple[str, ...]
    colours: Mapping[int, int]
    threshold: int


def in_grey(mask: Taken) -> Taken:
    """A coloured mask without colours, its channels equal up to the noise of JPEG, as the grey one that it is; any other as it comes."""
    if not mask.coloured or any(_spread(part.value) > _NOISE for part in mask.parts):
        return mask
    return mask._replace(parts=tuple(part._replace(value=part.value >> 8 & 255) for part in mask.parts), coloured=False)


def find_encoding(gathered: Gathered, masks: Mapping[str, Taken], meaning: Meaning, style: Style | None, threshold: int) -> Encoding:
    """How the values of masks become classes.

    Args:
        gathered: Takes the notes on what was seen.
        masks: What could be read, by file.
        meaning: What the files beside the masks say.
        style: What the caller says.
        threshold: The least value inside of a binary mask.
    """
    areas: Counter[int] = Counter()
    for mask in masks.values():
        for part in mask.parts:
            areas[part.value] += part.area
    coloured = any(mask.coloured for mask in masks.values())
    single = not meaning.colours and len(meaning.names) <= 1 and len(areas) == 1
    if style == "colour" or (style is None and coloured and not single):
        return Encoding("colour", meaning.names, meaning.colours, threshold)
    if (style or ("binary" if coloured else _style_seen(gathered, masks, areas, meaning))) == "binary":
        return Encoding("binary", meaning.names or (OBJECT,), {}, threshold)
    return Encoding("index", meaning.names or _numbered(gathered, areas), {}, threshold)


def inside_from(mask: Taken, known: Encoding) -> int:
    """The least value inside of one binary mask: tools write 1, 255, 65535 or a colour there."""
    highest = max((part.value for part in mask.parts), default=0)
    return 1 if highest == 1 or mask.coloured else known.threshold


def stands_for(value: int, mask: Taken, known: Encoding) -> int:
    """A value as it is to be looked up: among colours, those of a grey mask are greys."""
    return value * _GREY if known.style == "colour" and not mask.coloured and value <= _WHITE else value


def _style_seen(gathered: Gathered, masks: Mapping[str, Taken], areas: Counter[int], meaning: Meaning) -> Style:
    if len(meaning.names) > 1 and (meaning.numbered or not areas.keys() <= {_WHITE}):
        return "index"
    if _of_two_values(gathered, masks, areas):
        return "binary"
    if len(meaning.names) == 1 and max(areas) <= _WHITE and any(_NOISE < value < _WHITE for value in areas):
        reason = f"The masks of the one class '{meaning.names[0]}' are soft; a pixel belongs to it from a half on."
        note(gathered, "soft_masks", reason, is_issue=False)
        return "binary"
    if _is_noisy(areas):
        reason = f"The masks hold {len(areas)} values that crowd at 0 and 255, as after JPEG; they are read as binary."
        note(gathered, "noisy_masks", reason)
        return "binary"
    return "index"


def _of_two_values(gathered: Gathered, masks: Mapping[str, Taken], areas: Counter[int]) -> bool:
    """Whether each mask has one value beside 0, of those that tools write inside of an object; not the same one in all of them is told."""
    if not areas.keys() <= _INSIDE or any(len(mask.parts) > 1 for mask in masks.values()):
        return False
    if len(areas) > 1:
        rarest = min(areas, key=lambda value: (_files_of(value, masks.values()), value))
        file = next(file for file, mask in masks.items() if mask.parts and mask.parts[0].value == rarest)
        values = " and ".join(str(value) for value in sorted(areas))
        reason = f"Masks of two values have {values} inside, not the same in all of them; each is read as inside and outside."
        note(gathered, "mixed_values", reason, is_issue=False, path=file, given=str(rarest))
    return True


def _files_of(value: int, masks: Iterable[Taken]) -> int:
    return sum(any(part.value == value for part in mask.parts) for mask in masks)


def _is_noisy(areas: Counter[int]) -> bool:
    between = sum(area for value, area in areas.items() if _NOISE < value < _WHITE - _NOISE)
    white = sum(area for value, area in areas.items() if _WHITE - _NOISE <= value <= _WHITE)
    return bool(white) and between <= _NOISY_SHARE * white and max(areas) <= _WHITE and len(areas) > _NOISE


def _numbered(gathered: Gathered, areas: Counter[int]) -> tuple[str, ...]:
    values = [value for value in areas if value not in IGNORED]
    if values:
        reason = f"There is no classes.txt, so the classes are called by their values, 1 to {max(values)}; give names with names=."
        note(gathered, "no_names", reason)
    return tuple(str(value) for value in range(1, max(values, default=0) + 1)) if max(values, default=0) <= _WHITE else ()


def _spread(colour: int) -> int:
    """How far the channels of a colour are apart."""
    channels = (colour >> 16, colour >> 8 & 255, colour & 255)
    return max(channels) - min(channels)
