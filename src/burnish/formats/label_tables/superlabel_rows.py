"""Rows of a sheet as superlabels: a row with number, name and priority begins one, rows without all three add a meaning each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.data.findings import finding
from burnish.data.taxonomy import Member, Place, Superlabel
from burnish.formats.label_tables.grids import one_line

if TYPE_CHECKING:
    from burnish.formats.label_tables.grids import Grid
    from burnish.formats.label_tables.headers import Header

_HEAD: Final = ("number", "name", "priority")
_TITLES: Final = {"number": "number", "name": "name of the superclass", "priority": "priority"}
_LEAST_NUMBER: Final = -1


class _Row(NamedTuple):
    head: dict[str, str]
    meaning: str
    place: Place


class _Open(NamedTuple):
    """A superlabel whose rows are being read."""

    head: dict[str, str]
    number: int | None
    place: Place
    members: list[Member]


def read_superlabels(grid: Grid, header: Header) -> tuple[tuple[Superlabel, ...], list[dict[str, Any]]]:
    """The superlabels of a sheet, and findings on rows that are half filled or wrongly numbered."""
    found: list[_Open] = []
    problems: list[dict[str, Any]] = []
    rows = [_row(grid, header, number) for number in range(header.row + 1, len(grid.rows))]
    # Where nobody uses priorities, none is missing.
    asked = [name for name in _HEAD if name != "priority" or any(row.head[name] for row in rows)]
    for row in (row for row in rows if any(row.head.values()) or row.meaning):
        if any(row.head.values()) and not (found and row.head == found[-1].head):
            problems += _half_filled(row, asked)
            value, problem = _number(row)
            problems += problem
            found.append(_Open(row.head, value, row.place, []))
        elif not found:
            reason = f"'{row.meaning}' belongs to no superclass, for none was named above it; the row is not read."
            problems.append(finding("half_filled_row", reason, **_where(row.place, "name")))
            continue
        if row.meaning:
            found[-1].members.append(Member(row.meaning, row.place))
    return tuple(_superlabel(opened) for opened in found), problems


def _superlabel(opened: _Open) -> Superlabel:
    return Superlabel(opened.head["name"], tuple(opened.members), opened.number, opened.head["priority"], opened.place)


def _row(grid: Grid, header: Header, number: int) -> _Row:
    own = {name: one_line(grid.rows[number][place].text) for name, place in header.columns.items()}
    if own.get("number") or own.get("name"):  # a priority may be merged over several superclasses
        own |= {name: one_line(grid.shown(number, place)) for name, place in header.columns.items() if name in _HEAD}
    head = {name: own.get(name, "") for name in _HEAD}
    return _Row(head, own["meaning"], Place(grid.path, grid.sheet, number + 1, header.letters))


def _half_filled(row: _Row, asked: list[str]) -> list[dict[str, Any]]:
    """Number, name and priority are given together or not at all."""
    given = [name for name in _HEAD if row.head[name]]
    missing = [name for name in asked if not row.head[name]]
    told = " and ".join(f"the {_TITLES[name]} '{row.head[name]}'" for name in given)
    return [
        finding(
            "half_filled_row",
            f"The row has {told}, but no {_TITLES[name]}; expected number, name and priority together, or none of them.",
            **_where(row.place, name),
        )
        for name in missing
    ]


def _number(row: _Row) -> tuple[int | None, list[dict[str, Any]]]:
    text = row.head["number"].removesuffix(".").removesuffix(".0").replace("\N{MINUS SIGN}", "-")
    if not text:
        return None, []
    value = int(text) if text.removeprefix("-").isdecimal() else None
    if value is None or value < _LEAST_NUMBER:
        reason = f"'{row.head['number']}' is no number of a superclass; expected 1, 2, ..., 0 for unused or -1 for forbidden objects."
        return None, [finding("wrong_number", reason, given=row.head["number"], **_where(row.place, "number"))]
    return value, []


def _where(place: Place, column: str) -> dict[str, Any]:
    return {"path": place.path, "position": place.cell(column)}
