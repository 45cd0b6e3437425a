"""A heat map of two lists of classes as SVG: noise matrices and confusion matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.report.charts import bars
from burnish.report.figures import figure, svg
from burnish.report.lettering import shortened, text_width
from burnish.report.markup import escape
from burnish.report.numbers import short

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
        values: (R, C) numbers, at least 0; whole ones are written in full, others rounded.
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
    table = np.asarray(values, float)
    if table.shape != (len(rows), len(columns)):
        raise DataError(f"A heat map got values of shape {table.shape}; expected ({len(rows)}, {len(columns)}) for its names.")
    if not table.size:
        return figure(title, note, "")
    news = np.where(np.eye(*table.shape, dtype=bool), 0.0, table) if mute_diagonal else table
    if max(table.shape) > MOST_CLASSES:
        return _largest_pairs(news, rows, columns, title=title, note=note)
    _, wide, high, size = next(sizes for sizes in _SIZES if max(table.shape) <= sizes[0])
    left = 26 + max(text_width(_short_name(name), _NAME_SIZE) for name in rows)
    slant = max(text_width(_short_name(name), _NAME_SIZE) for name in columns) * _SLANT
    top = 30 + slant
    cells = _cells(table, news, rows, columns, place=(left, top, wide, high), size=size, link=link)
    names = _names(rows, columns, place=(left, top, wide, high))
    titles = _titles(row_title, column_title, left=left, top=top, height=len(rows) * high)
    width, height = left + len(columns) * wide + max(slant - wide / 2, 8), top + len(rows) * high + 8
    description = f"{len(rows)} by {len(columns)} cells; {row_title or 'rows'} against {column_title or 'columns'}."
    drawing = svg(title, description, height, titles + names + cells, kind="heat", width=width)
    return figure(title, note, f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(title)}">{drawing}</div>')


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
    place: tuple[float, float, float, float],
    size: int,
    link: Callable[[int, int], str] | None,
) -> str:
    left, top, wide, high = place
    highest = news.max(axis=1, initial=0.0)
    drawn: list[str] = []
    for row, column in np.ndindex(*table.shape):
        value, muted = table[row, column], table[row, column] != news[row, column]
        share = 0.0 if muted or not highest[row] else float(news[row, column] / highest[row])
        x, y = left + column * wide, top + row * high
        told = f"{escape(rows[row])} → {escape(columns[column])}: {value:,.4g}"
        strength = "muted" if muted else _strength(share)
        opacity = 1.0 if muted else 0.08 + 0.92 * share if value > 0 else 0.0
        text = f'<text font-size="{size}" x="{x + wide / 2:g}" y="{y + high / 2:g}">{short(float(value))}</text>'
        cell = f'<rect fill-opacity="{opacity:.2f}" x="{x + 1:g}" y="{y + 1:g}" width="{wide - 2:g}" height="{high - 2:g}" rx="3"/>'
        cell = f"<title>{told}</title>{cell}{text if value > 0 else ''}"
        leads = link is not None and value > 0 and not muted
        element = f'a href="{escape(link(row, column))}"' if link and leads else "g"
        drawn.append(f'<{element} class="{strength}">{cell}</{element[0]}>')
    return "".join(drawn)


def _strength(share: float) -> str:
    """How dark a cell is, for the colour of its text: the style picks one that can be read in either scheme."""
    return "strong" if share > 0.73 else "middle" if share > 0.5 else "weak"  # noqa: PLR2004


def _names(rows: Sequence[str], columns: Sequence[str], *, place: tuple[float, float, float, float]) -> str:
    left, top, wide, high = place
    drawn = [
        f'<text class="name end" x="{left - 6:g}" y="{top + (row + 0.5) * high:g}">{_titled(name)}</text>' for row, name in enumerate(rows)
    ]
    for column, name in enumerate(columns):
        x, y = left + (column + 0.5) * wide, top - 8
        drawn.append(f'<text class="name" x="{x:g}" y="{y:g}" transform="rotate(-45 {x:g} {y:g})">{_titled(name)}</text>')
    return "".join(drawn)


def _titles(row_title: str, column_title: str, *, left: float, top: float, height: float) -> str:
    across = f'<text class="axis-title" x="{left:g}" y="12">{escape(column_title)} →</text>' if column_title else ""
    x, y = 10.0, top + height
    down = f'<text class="axis-title" x="{x:g}" y="{y:g}" transform="rotate(-90 {x:g} {y:g})">{escape(row_title)} →</text>'
    return across + (down if row_title else "")


def _titled(name: str) -> str:
    return f"{escape(_short_name(name))}<title>{escape(name)}</title>"


def _short_name(name: str) -> str:
    return shortened(name, _NAME_SIZE, _NAME_WIDTH)
