"""A heat map of two lists of classes as SVG: noise matrices and confusion matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.report.charts import bars
from burnish.report.figures import figure, svg
from burnish.report.lettering import shortened, text_width
from burnish.report.markup import escape
from burnish.report.numbers import number, short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MOST_CLASSES = 30
"""Up to so many rows or columns are drawn as cells; beyond, the largest pairs are listed."""

_TOP_PAIRS = 25
_SIZES = ((10, 52, 36, 12), (18, 38, 30, 11), (MOST_CLASSES, 29, 25, 10))
"""Up to so many classes: width and height of a cell and size of its text, in pixels."""
_NAME_WIDTH, _NAME_SIZE = 150, 12
_SLANT = 0.7071


def heat_map(
    values: NDArray[np.generic],
    rows: Sequence[str],
    columns: Sequence[str] | None = None,
    *,
    title: str,
    note: str = "",
    row_title: str = "",
    column_title: str = "",
    mute_diagonal: bool = False,
    link: Callable[[int, int], str] | None = None,
) -> str:
    """Cells whose colour grows with their share of the largest one in the same row, with the numbers in them.

    Args:
        values: (R, C) numbers, at least 0, written short (1.2k) and in full in their tooltips; not-a-number counts as 0.
        rows: R names.
        columns: C names; the rows' names where they are left out.
        title: Caption and accessible name.
        note: A sentence below the caption.
        row_title: What the rows are.
        column_title: What the columns are.
        mute_diagonal: Leave the diagonal out of the colours: in a noise matrix it is large and no news.
        link: From row and column of a cell to the place in the page that it leads to.

    Raises:
        DataError: The shape of the values does not fit the names.
    """
    columns = rows if columns is None else columns
    table = np.nan_to_num(np.asarray(values, float))
    if table.shape != (len(rows), len(columns)):
        raise DataError(f"A heat map got values of shape {table.shape}; expected ({len(rows)}, {len(columns)}) for its names.")
    if not table.size:
        return figure(title, note, "")
    news = np.where(np.eye(*table.shape, dtype=bool), 0.0, table) if mute_diagonal else table
    if max(table.shape) > MOST_CLASSES:
        return _largest_pairs(news, rows, columns, title=title, note=note)
    slant = _longest(columns) * _SLANT
    grid = _Grid(26 + _longest(rows), 30 + slant, *next(size[1:] for size in _SIZES if max(table.shape) <= size[0]))
    right, bottom = grid.corner(*table.shape)
    body = (
        _titles(row_title, column_title, grid, bottom)
        + _names(rows, columns, grid)
        + _cells(table, news, rows, columns, grid=grid, link=link)
    )
    description = f"{len(rows)} by {len(columns)} cells; {row_title or 'rows'} against {column_title or 'columns'}."
    drawing = svg(title, description, bottom + 8, body, kind="heat", width=right + max(slant - grid.wide / 2, 8))
    return figure(title, note, f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(title)}">{drawing}</div>')


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where cells lie, in pixels: left and upper end of the first one, width and height of each, and the size of their text."""

    left: float
    top: float
    wide: int
    high: int
    letters: int

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """The upper left corner of a cell."""
        return self.left + column * self.wide, self.top + row * self.high


def _largest_pairs(news: NDArray[np.float64], rows: Sequence[str], columns: Sequence[str], *, title: str, note: str) -> str:
    order = np.argsort(-news, axis=None, kind="stable")[:_TOP_PAIRS]
    pairs = [divmod(int(flat), news.shape[1]) for flat in order]
    pairs = [(row, column) for row, column in pairs if news[row, column] > 0]
    names = [f"{rows[row]} → {columns[column]}" for row, column in pairs]
    told = f"The {len(pairs)} largest pairs of {len(rows)} by {len(columns)}."
    return bars(names, [float(news[pair]) for pair in pairs], title=title, note=f"{note} {told}".strip(), tone="bad")


def _cells(
    table: NDArray[np.float64],
    news: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    grid: _Grid,
    link: Callable[[int, int], str] | None,
) -> str:
    highest = news.max(axis=1, initial=0.0)
    drawn: list[str] = []
    for row, column in np.ndindex(*table.shape):
        value = float(table[row, column])
        told = f"<title>{escape(rows[row])} → {escape(columns[column])}: {number(value)}</title>"
        if value != news[row, column]:
            drawn.append(f'<g class="muted">{told}{_cell(value, 1.0, grid, row, column)}</g>')
            continue
        share = value / highest[row] if value > 0 else 0.0
        content = told + _cell(value, 0.08 + 0.92 * share if value > 0 else 0.0, grid, row, column)
        opened, closed = (f'a href="{escape(link(row, column))}"', "a") if link and value > 0 else ("g", "g")
        drawn.append(f'<{opened} class="{_strength(share)}">{content}</{closed}>')
    return "".join(drawn)


def _cell(value: float, opacity: float, grid: _Grid, row: int, column: int) -> str:
    x, y = grid.corner(row, column)
    place = f'x="{x + 1:g}" y="{y + 1:g}" width="{grid.wide - 2}" height="{grid.high - 2}" rx="3"'
    middle = f'x="{x + grid.wide / 2:g}" y="{y + grid.high / 2:g}"'
    text = f'<text font-size="{grid.letters}" {middle}>{short(value)}</text>' if value > 0 else ""
    return f'<rect fill-opacity="{opacity:.2f}" {place}/>{text}'


def _strength(share: float) -> str:
    """How dark a cell is, for the colour of its text: the style picks one that can be read in either scheme."""
    return "strong" if share > 0.73 else "middle" if share > 0.5 else "weak"  # noqa: PLR2004


def _names(rows: Sequence[str], columns: Sequence[str], grid: _Grid) -> str:
    drawn: list[str] = []
    for row, name in enumerate(rows):
        x, y = grid.corner(row, 0)
        drawn.append(f'<text class="name end" x="{x - 6:g}" y="{y + grid.high / 2:g}">{_titled(name)}</text>')
    for column, name in enumerate(columns):
        x, y = grid.corner(0, column)
        x, y = x + grid.wide / 2, y - 8
        drawn.append(f'<text class="name" x="{x:g}" y="{y:g}" transform="rotate(-45 {x:g} {y:g})">{_titled(name)}</text>')
    return "".join(drawn)


def _titles(row_title: str, column_title: str, grid: _Grid, bottom: float) -> str:
    across = f'<text class="axis-title" x="{grid.left:g}" y="12">{escape(column_title)} →</text>'
    down = f'<text class="axis-title" x="10" y="{bottom:g}" transform="rotate(-90 10 {bottom:g})">{escape(row_title)} →</text>'
    return (across if column_title else "") + (down if row_title else "")


def _longest(names: Sequence[str]) -> float:
    return max(text_width(_short_name(name), _NAME_SIZE) for name in names)


def _titled(name: str) -> str:
    return f"{escape(_short_name(name))}<title>{escape(name)}</title>"


def _short_name(name: str) -> str:
    return shortened(name, _NAME_SIZE, _NAME_WIDTH)
