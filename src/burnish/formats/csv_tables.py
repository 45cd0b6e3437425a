"""The tables of labels that a folder holds, with their rows."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.errors import FormatError
from burnish.formats.csv_columns import Columns, columns_of, names_pictures
from burnish.formats.gathering import note
from burnish.formats.named_pictures import named_pictures
from burnish.formats.reading import read_text
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from burnish.formats.gathering import Gathered

FILE: Final = "labels.csv"
_ENDINGS: Final = (".csv", ".tsv")
_DELIMITERS: Final = ",;\t"
_SNIFFED_BYTES: Final = 65536
_SHOWN: Final = 200


class Row(NamedTuple):
    """A line of a table, and its cells by column."""

    line: int
    cells: dict[str, str]


class Table(NamedTuple):
    """One file: what its columns are, its rows, and the split that all of them are in."""

    file: Path
    columns: Columns
    rows: list[Row]
    split: str | None

    @property
    def others(self) -> list[str]:
        """Columns that mean nothing here."""
        return [name for name in (self.rows[0].cells if self.rows else ()) if name not in self.columns.known]


def find_tables(path: Path, gathered: Gathered) -> list[Table]:
    """The tables of labels that a path is or holds: those of folders named as splits where the folder itself has none.

    Of several in one folder those count that are named as splits, else labels.csv, else the first; the others are told.

    Raises:
        FormatError: A table cannot be read.
    """
    if not path.is_dir():
        return _tables([path], gathered) if path.is_file() else []
    if found := _tables(path.iterdir(), gathered):
        return _chosen(found, gathered)
    splits = sorted(entry for entry in path.iterdir() if split_named(entry.name) and entry.is_dir())
    return [table for folder in splits for table in _chosen(_tables(folder.iterdir(), gathered), gathered)]


def has_pictures(table: Table) -> bool:
    """Whether one of the pictures that the first rows name is there."""
    first = [row.cells[table.columns.picture] for row in table.rows[:_SHOWN]]
    return any((table.file.parent / path).is_file() for path in named_pictures(table.file.parent, first))


def _chosen(found: list[Table], gathered: Gathered) -> list[Table]:
    parts = [table for table in found if split_named(table.file.stem)]
    chosen = parts or [table for table in found if table.file.name.lower() == FILE] or found[:1]
    for table in found:
        if table not in chosen:
            reason = f"It is a table of labels, and {chosen[0].file.name} is read in its place; name it to read it."
            note(gathered, "unread_table", reason, path=table.file.name)
    return chosen


def _tables(files: Iterable[Path], gathered: Gathered) -> list[Table]:
    fitting = sorted(file for file in files if file.suffix.lower() in _ENDINGS and file.is_file())
    return [table for table in (_table(file, gathered) for file in fitting) if table is not None]


def _table(file: Path, gathered: Gathered) -> Table | None:
    text = read_text(file)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=f"{delimiter} " in first)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not names_pictures(header):
            return None
        rows = list(_rows(file, reader, header, gathered))
    except csv.Error as error:
        raise FormatError(f"This is no CSV that can be read: {error}.", path=file) from error
    columns = columns_of(header, [row.cells for row in rows])
    if columns is None:
        return None
    return Table(
        file, columns, list(_named(file, rows, columns.picture, gathered)), split_named(file.stem) or split_named(file.parent.name)
    )


def _rows(file: Path, reader: Any, header: Sequence[str], gathered: Gathered) -> Iterator[Row]:
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            reason = f"The row has {len(cells)} cells, the first line names {len(header)}; it is left out."
            note(gathered, "broken_line", reason, given=",".join(cells)[:_SHOWN], path=file.name, position=f"line {reader.line_num}")
            continue
        yield Row(reader.line_num, dict(zip(header, cells, strict=True)))


def _named(file: Path, rows: Sequence[Row], picture: str, gathered: Gathered) -> Iterator[Row]:
    for row in rows:
        if row.cells[picture].strip():
            yield row
        else:
            note(gathered, "broken_line", "The row names no picture; it is left out.", path=file.name, position=f"line {row.line}")
