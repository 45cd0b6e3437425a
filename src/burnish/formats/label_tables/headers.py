"""Headings of the two tables, in all the spellings that are in use, and what stands in an unknown column."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.data.findings import finding
from burnish.data.near_names import nearest_name
from burnish.formats.label_tables.grids import column_letter, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from burnish.formats.label_tables.grids import Cell, Grid

LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "meaning": ("Класс объекта", "Класс", "Object class", "Class", "Meaning"),
    "label": ("Метка в CVAT", "Метка", "Label in CVAT", "CVAT label", "Label"),
    "note": ("Примечание", "Note"),
    "synonym": ("Метка в другом источнике данных", "Синоним", "Label in another source", "Synonym"),
    "features": ("Признаки", "Features"),
    "url": ("URL", "Ссылка", "Link"),
}
"""Column of the labels table -> its headings; the first is written."""

SUPERLABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("№ п/п", "№", "№ п.п.", "Номер", "No.", "Number"),
    "name": ("Наименование суперкласса", "Наименование суперметки", "Суперкласс", "Суперметка", "Superclass", "Superlabel"),
    "meaning": (
        *("Классы (содержимое суперкласса)", "Метки (содержимое суперметки)", "Классы", "Метки"),
        *("Classes (content of the superclass)", "Classes", "Labels", "Meanings"),
    ),
    "priority": ("Приоритет", "Priority"),
}
"""Column of the superlabels table -> its headings; the first is written."""

NEEDED: Final = {"labels": ("meaning", "label"), "superlabels": ("number", "name", "meaning")}
"""Without these columns a sheet is no such table."""

_TABLES: Final = {"superlabels": SUPERLABELS, "labels": LABELS}
_SEARCHED: Final = 10


class Header(NamedTuple):
    """Where the headings of a sheet stand.

    Attributes:
        table: labels or superlabels.
        row: The row of the headings, from 0.
        columns: Known column -> its place, from 0.
    """

    table: str
    row: int
    columns: dict[str, int]

    @property
    def letters(self) -> dict[str, str]:
        """Known column -> its letter."""
        return {name: column_letter(place) for name, place in self.columns.items()}


def find_header(grid: Grid) -> Header | None:
    """The headings of a sheet among its first rows; None where it is neither table."""
    for row, cells in enumerate(grid.rows[:_SEARCHED]):
        for table, headings in _TABLES.items():
            columns = _columns(cells, headings)
            if all(name in columns for name in NEEDED[table]):
                return Header(table, row, columns)
    return None


def header_problems(grid: Grid, header: Header) -> Iterator[dict[str, Any]]:
    """Findings on columns with an unknown heading, and on headings that stand twice."""
    headings = _TABLES[header.table]
    known = [spelling for spellings in headings.values() for spelling in spellings]
    places = set(header.columns.values())
    texts = Counter(_folded(cell.text) for cell in grid.rows[header.row] if cell.text)
    for place, cell in enumerate(grid.rows[header.row]):
        where: dict[str, Any] = {"path": grid.path, "position": address(grid, header.row, place), "given": one_line(cell.text)}
        if not cell.text or place in places:
            continue
        if texts[_folded(cell.text)] > 1 or _column_of(cell.text, headings):
            yield finding("repeated_column", f"The column '{cell.text}' is there already; this one is not read.", **where)
        else:
            near = nearest_name(one_line(cell.text), known, cutoff=0.75)
            reason = f"The column '{one_line(cell.text)}' is not known and not read."
            yield finding("unknown_column", reason, score=1.0 if near else 0.3, is_issue=near is not None, suggestion=near, **where)


def address(grid: Grid, row: int, column: int) -> str:
    """The address of a cell counted from 0, for instance `Sheet1!B7`."""
    cell = f"{column_letter(column)}{row + 1}"
    return f"{grid.sheet}!{cell}" if grid.sheet else cell


def _columns(cells: Sequence[Cell], headings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    named = [(_column_of(cell.text, headings), place) for place, cell in enumerate(cells)]
    return {name: place for name, place in reversed(named) if name is not None}


def _column_of(text: str, headings: Mapping[str, Sequence[str]]) -> str | None:
    return next((name for name, spellings in headings.items() if _folded(text) in map(_folded, spellings)), None)


def _folded(text: str) -> str:
    return one_line(text).casefold().rstrip(":")
