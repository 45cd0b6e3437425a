"""Writing label tables as spreadsheets, csv or tsv, so that they are read back equal; and the templates to begin with."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from burnish.data.numbering import position_text
from burnish.engine.files import atomic_path, write_bytes, write_text
from burnish.errors import DataError
from burnish.formats.label_tables.headers import LABELS, SUPERLABELS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burnish.data.taxonomy import LabelEntry, Superlabel, Taxonomy

FileKind = Literal["xlsx", "csv", "tsv"]
FILE_KINDS: Final[tuple[FileKind, ...]] = get_args(FileKind)
TEMPLATES: Final = ("labels.xlsx", "superlabels.xlsx")
_SEPARATORS: Final = {"csv": ",", "tsv": "\t"}
_LABEL_WIDTHS: Final = (42, 3, 20, 24, 34, 30, 40)
_SUPERLABEL_WIDTHS: Final = (8, 34, 40, 14)
_LONGEST: Final = 32_767
_MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
_HEAD_COLUMNS: Final = (0, 1, 3)  # number, name and priority span the rows of their superlabel


def write_tables(taxonomy: Taxonomy, folder: Path, *, kind: FileKind = "xlsx", force: bool = False) -> list[Path]:
    """Write labels.* and superlabels.* in a folder, those of them that there are; each file whole or not at all.

    Args:
        taxonomy: The tables.
        folder: Where to.
        kind: xlsx, csv or tsv.
        force: Replace files that are there.

    Returns:
        The files.

    Raises:
        DataError: A file is there already, or a cell is longer than a spreadsheet allows.
    """
    labels = None if taxonomy.labels is None else _label_rows(taxonomy.labels)
    superlabels = None if taxonomy.superlabels is None else _superlabel_rows(taxonomy.superlabels)
    wanted = {"labels": labels, "superlabels": superlabels}
    paths = {folder / f"{name}.{kind}": rows for name, rows in wanted.items() if rows is not None}
    _refuse_replacing(list(paths), force=force)
    for path, rows in paths.items():
        if kind == "xlsx":
            _write_xlsx(path, rows, taxonomy.superlabels if path.stem == "superlabels" else None)
        else:
            _write_text(path, rows, _SEPARATORS[kind])
    return list(paths)


def copy_templates(folder: Path, *, force: bool = False) -> list[Path]:
    """Put the templates labels.xlsx and superlabels.xlsx into a folder.

    Raises:
        DataError: One of them is there already, and `force` is not set.
    """
    paths = [folder / name for name in TEMPLATES]
    _refuse_replacing(paths, force=force)
    for path in paths:
        write_bytes(path, (resources.files(__package__ or "") / "templates" / path.name).read_bytes())
    return paths


def _refuse_replacing(paths: Sequence[Path], *, force: bool) -> None:
    there = [path for path in paths if path.exists()]
    if there and not force:
        names = " and ".join(map(str, there))
        raise DataError(f"{names} would be replaced, and what somebody filled in would be lost. Name another folder, or add --force.")


def _label_rows(entries: Sequence[LabelEntry]) -> list[list[str]]:
    headings = [spellings[0] for spellings in LABELS.values()]
    rows = [[headings[0], "", *headings[1:]]]  # the second column has no heading: long numbers and meanings run into it
    for entry in entries:
        numbered = f"{position_text(entry.position)} {entry.meaning}".strip()
        rows.append([numbered, "", entry.label, entry.note, entry.synonym, entry.features, entry.url])
    return rows


def _superlabel_rows(superlabels: Sequence[Superlabel]) -> list[list[str]]:
    rows = [[spellings[0] for spellings in SUPERLABELS.values()]]
    for entry in superlabels:
        number = "" if entry.number is None else str(entry.number)
        first, *others = [member.meaning for member in entry.members] or [""]
        rows.append([number, entry.name, first, entry.priority])
        rows += [["", "", meaning, ""] for meaning in others]
    return rows


def _write_text(path: Path, rows: Sequence[Sequence[str]], separator: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator="\n").writerows(rows)
    write_text(path, stream.getvalue())


def _write_xlsx(path: Path, rows: Sequence[Sequence[str]], superlabels: Sequence[Superlabel] | None) -> None:
    import xlsxwriter  # noqa: PLC0415 - loaded only when a spreadsheet is written

    _refuse_long_cells(path, rows)
    with atomic_path(path) as temporary:
        book: Any = xlsxwriter.Workbook(str(temporary), {"in_memory": True})
        book.set_properties({"created": _MADE})  # the same tables give the same file
        looks = {
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"}),
            "cell": book.add_format({"text_wrap": True, "valign": "vcenter"}),
        }
        sheet = book.add_worksheet(path.stem)
        sheet.freeze_panes(1, 0)
        for column, width in enumerate(_LABEL_WIDTHS if superlabels is None else _SUPERLABEL_WIDTHS):
            sheet.set_column(column, column, width)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                _write_cell(sheet, number, column, text, looks["cell" if number else "head"])
        _merge_heads(sheet, superlabels or (), looks["cell"])
        book.close()


def _write_cell(sheet: Any, row: int, column: int, text: str, look: Any) -> None:
    """Always as text, so that nothing becomes a formula, a link or a date; but numbers of superlabels are numbers."""
    if sheet.get_name() == "superlabels" and column == 0 and row and text:
        sheet.write_number(row, column, int(text), look)
    elif text:
        sheet.write_string(row, column, text, look)


def _merge_heads(sheet: Any, superlabels: Sequence[Superlabel], look: Any) -> None:
    row = 1
    for entry in superlabels:
        rows = max(len(entry.members), 1)
        for column in _HEAD_COLUMNS if rows > 1 else ():
            text = (entry.number, entry.name, None, entry.priority)[column]
            sheet.merge_range(row, column, row + rows - 1, column, "", look)
            _write_cell(sheet, row, column, "" if text is None else str(text), look)
        row += rows


def _refuse_long_cells(path: Path, rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row):
            if len(text) > _LONGEST:
                cell = f"{chr(ord('A') + column)}{number}"
                raise DataError(
                    f"{path}, {cell}: the text has {len(text):,} characters; a spreadsheet takes {_LONGEST:,}. Write csv instead."
                )
