"""Rows of a sheet as entries of the labels table: number and meaning in one cell, label, synonym."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from burnish.data.findings import finding
from burnish.data.numbering import Position, split_number
from burnish.data.taxonomy import LabelEntry, Place
from burnish.formats.label_tables.grids import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burnish.formats.label_tables.grids import Cell, Grid
    from burnish.formats.label_tables.headers import Header


def read_labels(grid: Grid, header: Header) -> tuple[tuple[LabelEntry, ...], list[dict[str, Any]]]:
    """The entries of a labels table, and findings on rows that are not written as they should be."""
    entries: list[LabelEntry] = []
    problems: list[dict[str, Any]] = []
    group = 0
    for row in range(header.row + 1, len(grid.rows)):
        entry = _entry(grid, header, row)
        if not (entry.meaning or entry.label or entry.synonym):
            continue
        entry, group = _numbered(entry, grid.rows[row], header, group, problems)
        if entry.meaning:
            entries.append(entry)
        else:
            reason = f"The label '{entry.label or entry.synonym}' has no meaning beside it, so the row is not read."
            problems.append(finding("missing_meaning", reason, **_where(entry, "meaning")))
    return tuple(entries), problems


def _entry(grid: Grid, header: Header, row: int) -> LabelEntry:
    texts = {name: grid.rows[row][place].text for name, place in header.columns.items()}
    return LabelEntry(
        meaning=one_line(texts["meaning"]),
        label=one_line(texts["label"]),
        synonym="\n".join(one_line(line) for line in texts.get("synonym", "").split("\n")),
        note=texts.get("note", ""),
        features=texts.get("features", ""),
        url=texts.get("url", ""),
        place=Place(grid.path, grid.sheet, row + 1, header.letters),
    )


def _numbered(
    entry: LabelEntry, cells: tuple[Cell, ...], header: Header, group: int, problems: list[dict[str, Any]]
) -> tuple[LabelEntry, int]:
    """The entry with its number taken off its meaning, and the roman group that it stands in."""
    found = split_number(entry.meaning)
    if found is None:
        if entry.meaning:
            problems.append(_unnumbered(entry))
        return entry, group
    place = header.columns["meaning"]
    position: Position = found.numbers if found.roman else (group, *found.numbers)
    problems += _badly_numbered(entry, cells[place], dotted=found.dotted)
    meaning = found.rest or _beside(cells, header, place)
    return replace(entry, meaning=meaning, position=position), found.numbers[0] if found.roman else group


def _unnumbered(entry: LabelEntry) -> dict[str, Any]:
    reason = "The row has no number; expected one with a dot behind it, such as 'I.' for a group or '1.1.' below it."
    return finding("wrong_numbering", reason, given=entry.meaning, **_where(entry, "meaning"))


def _badly_numbered(entry: LabelEntry, cell: Cell, *, dotted: bool) -> Iterator[dict[str, Any]]:
    if cell.number:
        reason = "The cell holds a number or a date instead of text: 1.10 and 1.1 are the same there. Write the number as text, with a dot."
        yield finding("wrong_numbering", reason, given=cell.text, suggestion=f"{cell.text}.", **_where(entry, "meaning"))
    elif not dotted:
        number = entry.meaning.split(" ")[0]
        reason = f"The number '{number}' has no dot behind it."
        suggestion = entry.meaning.replace(number, f"{number}.", 1)
        yield finding("wrong_numbering", reason, given=entry.meaning, suggestion=suggestion, **_where(entry, "meaning"))


def _beside(cells: tuple[Cell, ...], header: Header, place: int) -> str:
    """The text of the unnamed column behind the number, where the number has a cell of its own."""
    beside = place + 1
    unnamed = beside < len(cells) and beside not in header.columns.values()
    return one_line(cells[beside].text) if unnamed else ""


def _where(entry: LabelEntry, column: str) -> dict[str, Any]:
    return {} if entry.place is None else {"path": entry.place.path, "position": entry.place.cell(column)}
