"""Cells of a spreadsheet or text table, tidied, with their addresses and merged ranges."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import FormatError
from burnish.formats.reading import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

SPREADSHEETS: Final = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
TEXT_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})
_ENCODINGS: Final = ("utf-8", "cp1251", "latin1")


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell; `number` is set where the file holds a number or a date rather than text."""

    text: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet.

    Attributes:
        path: The file.
        sheet: The sheet's name, "" in a text file.
        rows: Every row, all of the same length.
        merged: Row and column of each covered cell -> those of the cell whose value it shows; all from 0.
        encoding: How a text file was read.
    """

    path: str
    sheet: str
    rows: tuple[tuple[Cell, ...], ...]
    merged: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))
    encoding: str = "utf-8"

    def shown(self, row: int, column: int) -> str:
        """The text that a reader sees in a cell: its own, or that of the range it is merged into."""
        own = self.rows[row][column].text
        at = self.merged.get((row, column))
        return own if own or at is None else self.rows[at[0]][at[1]].text


def read_grids(path: Path, *, encoding: str | None = None) -> list[Grid]:
    """Every way in which a file can be read as sheets: its sheets, or a text file with each of the usual encodings and separators.

    Args:
        path: The file.
        encoding: The encoding of a text file; UTF-8, then cp1251, then latin1 where not given.

    Raises:
        FormatError: The file is missing, damaged, or ends in something else.
    """
    if not path.is_file():
        raise FormatError("There is no such file; expected a table of labels or superlabels.", path=path)
    if path.suffix.lower() in SPREADSHEETS:
        return _sheets(path)
    if path.suffix.lower() in TEXT_TABLES:
        return _text_tables(path, (encoding,) if encoding else _ENCODINGS)
    known = ", ".join(sorted(SPREADSHEETS | TEXT_TABLES))
    raise FormatError(f"A table of labels cannot end in '{path.suffix}'; expected one of {known}.", path=path)


def column_letter(column: int) -> str:
    """The letter of a column counted from 0: A, B, ..., Z, AA."""
    letters, rest = "", column + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def tidy(text: str) -> str:
    """Text with plain spaces, none at the ends of its lines, in composed form (NFC)."""
    plain = "".join(" " if unicodedata.category(c) == "Zs" else c for c in unicodedata.normalize("NFC", text))
    return "\n".join(line.strip() for line in plain.replace("\r\n", "\n").split("\n")).strip()


def one_line(text: str) -> str:
    """Text with one space where it had any white space."""
    return " ".join(text.split())


def _sheets(path: Path) -> list[Grid]:
    import python_calamine  # noqa: PLC0415 - loaded only when a spreadsheet is read

    try:
        book = python_calamine.load_workbook(str(path))
        sheets = [(name, book.get_sheet_by_name(name)) for name in book.sheet_names]
        return [_grid(path, name, sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or ()) for name, sheet in sheets]
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise FormatError(f"The spreadsheet cannot be read: {error}. Open it, and save it again as .xlsx.", path=path) from error


def _text_tables(path: Path, encodings: Sequence[str]) -> list[Grid]:
    grids: list[Grid] = []
    for encoding in encodings:
        try:
            text = read_text(path, encodings=(encoding,))
        except FormatError:
            continue
        grids += [_separated(path, text, separator, encoding) for separator in _separators(path)]
        if encoding == "utf-8":  # bytes that are UTF-8 are hardly ever anything else
            break
    if not grids:
        raise FormatError(f"The file is text in none of {', '.join(encodings)}; save it as UTF-8.", path=path)
    return grids


def _separators(path: Path) -> tuple[str, ...]:
    return (",", ";", "\t") if path.suffix.lower() == ".csv" else ("\t", ";", ",")


def _separated(path: Path, text: str, separator: str, encoding: str) -> Grid:
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise FormatError(f"The table cannot be read: {error}.", path=path) from error
    return _grid(path, "", rows, (), encoding)


def _grid(path: Path, sheet: str, rows: Sequence[Sequence[Any]], ranges: Iterable[Any], encoding: str = "utf-8") -> Grid:
    width = max(map(len, rows), default=0)
    cells = tuple(tuple(map(_cell, [*row, *[""] * (width - len(row))])) for row in rows)
    merged = {
        (row, column): (top, left)
        for (top, left), (bottom, right) in ranges
        for row in range(top, min(bottom + 1, len(cells)))
        for column in range(left, min(right + 1, width))
        if (row, column) != (top, left)
    }
    return Grid(str(path), sheet, cells, MappingProxyType(merged), encoding)


def _cell(value: Any) -> Cell:
    match value:
        case bool():
            return Cell(str(value).upper())
        case float() if value.is_integer():
            return Cell(str(int(value)), number=True)
        case int() | float() | date() | datetime():
            return Cell(str(value), number=True)
        case _:
            return Cell(tidy(str(value)))
