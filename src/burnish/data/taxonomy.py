"""Label tables: what each label means (the labels table), and which class to train on it belongs to (the superlabels table).

The chain is label -> meaning -> superlabel -> index. The index is the number in the superlabels table less 1: number 0 becomes -1, unused
(the object is skipped), and number -1 becomes -2, forbidden (the whole picture is left out).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from burnish.data.numbering import Position

K = TypeVar("K")
V = TypeVar("V")

UNUSED: Final = -1
FORBIDDEN: Final = -2
_PRIORITIES: Final = {
    **dict.fromkeys(("", "нет", "none", "no"), 0),
    **dict.fromkeys(("низкий", "low"), 1),
    **dict.fromkeys(("обычный", "средний", "normal", "usual", "medium"), 2),
    **dict.fromkeys(("высокий", "high"), 3),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of a table stands: the file, the sheet ("" in a text file), the row from 1, and the letter of each known column."""

    path: str
    sheet: str
    row: int
    letters: Mapping[str, str]

    def cell(self, column: str) -> str:
        """The address of one cell of the row, for instance `Sheet1!B7`."""
        address = f"{self.letters.get(column, 'A')}{self.row}"
        return f"{self.sheet}!{address}" if self.sheet else address


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """A row of the labels table.

    Attributes:
        meaning: What the label stands for, in words.
        label: The label as annotators use it; "" for a group, which only carries others.
        synonym: The label in another source, several ones separated by commas, semicolons or lines.
        position: Where it stands in the hierarchy; () when it has no number.
        note: A remark.
        features: How to know such an object.
        url: Where to read more.
        place: Where the row was read.
    """

    meaning: str
    label: str = ""
    synonym: str = ""
    position: Position = ()
    note: str = ""
    features: str = ""
    url: str = ""
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """One meaning within a superlabel."""

    meaning: str
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Superlabel:
    """A class to train on, and the meanings that it takes together.

    Attributes:
        name: Its name.
        members: What belongs to it.
        number: Its number in the table: 1 and more are exported, 0 is unused, -1 forbidden; None when the source has no numbers.
        priority: The priority as written, a word or a number.
        place: Where its first row was read.
    """

    name: str
    members: tuple[Member, ...] = ()
    number: int | None = None
    priority: str = ""
    place: Place | None = field(default=None, compare=False, repr=False)

    @property
    def index(self) -> int | None:
        """The exported class index: from 0 for used ones, -1 unused, -2 forbidden."""
        return None if self.number is None else self.number - 1

    @property
    def status(self) -> str:
        """used, unused or forbidden, as in the table of classes."""
        return {UNUSED: "unused", FORBIDDEN: "forbidden"}.get(0 if self.index is None else self.index, "used")

    @property
    def rank(self) -> int | None:
        """The priority as painting order, larger on top: none 0, low 1, normal 2, high 3, or the number itself; None for other words."""
        text = self.priority.casefold()
        return int(text) if text.removeprefix("-").isdecimal() else _PRIORITIES.get(text)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Both label tables; one that was not given is None."""

    labels: tuple[LabelEntry, ...] | None = None
    superlabels: tuple[Superlabel, ...] | None = None

    @property
    def meanings(self) -> dict[str, str]:
        """Label -> meaning; a label comes before a synonym, a whole synonym before a part of one, and of equal ones the first counts."""
        entries = self.labels or ()
        named = [(entry.label, entry.meaning) for entry in entries]
        named += [(entry.synonym, entry.meaning) for entry in entries]
        named += [(part, entry.meaning) for entry in entries for part in synonym_parts(entry)]
        return first_of_each((label, meaning) for label, meaning in named if label)

    @property
    def superlabel_of(self) -> dict[str, Superlabel]:
        """Meaning -> superlabel; of several the first counts."""
        return first_of_each((member.meaning, entry) for entry in self.superlabels or () for member in entry.members)

    @property
    def synonyms(self) -> set[str]:
        """Every synonym, whole and in parts."""
        return {text for entry in self.labels or () if entry.synonym for text in (entry.synonym, *synonym_parts(entry))}


def synonym_parts(entry: LabelEntry) -> list[str]:
    """The synonyms of a cell that holds several."""
    separated = entry.synonym.replace(";", ",").replace("\n", ",").split(",")
    return [part.strip() for part in separated if part.strip()]


def first_of_each(pairs: Iterable[tuple[K, V]]) -> dict[K, V]:
    """A mapping in which the first of several values of a key counts."""
    found: dict[K, V] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def taxonomy_of(meanings: Mapping[str, str] | None = None, superlabels: Mapping[str, str] | None = None) -> Taxonomy:
    """Build label tables from mappings label -> meaning and meaning -> superlabel; such superlabels have no numbers."""
    members: dict[str, list[Member]] = {}
    for meaning, name in (superlabels or {}).items():
        members.setdefault(name, []).append(Member(meaning))
    return Taxonomy(
        None if meanings is None else tuple(LabelEntry(meaning, label) for label, meaning in meanings.items()),
        None if superlabels is None else tuple(Superlabel(name, tuple(held)) for name, held in members.items()),
    )
