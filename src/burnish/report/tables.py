"""Polars frames as tables: in HTML for a report's page, in plain text for the terminal."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

from burnish.errors import DataError
from burnish.report.markup import attributes, escape
from burnish.report.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from burnish.report.numbers import NumberFormat

_LONG = 24
"""Rows from which a table scrolls inside its own frame."""


def html_table(
    frame: pl.DataFrame,
    *,
    caption: str = "",
    headings: Mapping[str, str] | None = None,
    formats: Mapping[str, NumberFormat] | None = None,
    meters: Sequence[str] = (),
    links: Sequence[str] = (),
) -> str:
    """A table whose columns can be sorted by a click on their heading; numbers stand at the right.

    Args:
        frame: Rows in the order in which they are first shown.
        caption: Accessible name and heading of the table.
        headings: Column name to heading; a column that is not named here keeps its name, with spaces for underscores.
        formats: Column name to the form of its numbers; else whole numbers are counts and others decimals.
        meters: Columns of shares in [0, 1] that get a small bar behind the number.
        links: Place in the page that each row's first cell leads to; none, or one for each row.

    Raises:
        DataError: There are links, but not one for each row.
    """
    if links and len(links) != frame.height:
        raise DataError(f"A table of {frame.height} rows got {len(links)} links; expected none or one for each row.")
    if frame.is_empty():
        return f'<figure class="table">{_caption(caption)}<p class="empty">Nothing to list.</p></figure>'
    forms = _forms(frame, formats or {})
    head = "".join(_heading(name, headings or {}, forms[name]) for name in frame.columns)
    rows = "".join(_row(frame.columns, row, forms, meters, links[index] if links else "") for index, row in enumerate(frame.iter_rows()))
    frame_kind = "scroll long" if frame.height > _LONG else "scroll"
    return (
        f'<figure class="table">{_caption(caption)}<div class="{frame_kind}" tabindex="0" role="group"{_label(caption)}>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></figure>"
    )


def text_table(
    frame: pl.DataFrame,
    *,
    headings: Mapping[str, str] | None = None,
    formats: Mapping[str, NumberFormat] | None = None,
    widest: int = 48,
    most: int = 50,
) -> str:
    """The same table in plain text, columns aligned, without colours or frames.

    Args:
        frame: Rows in order.
        headings: Column name to heading.
        formats: Column name to the form of its numbers.
        widest: Columns of the terminal that a cell takes at most; what is longer ends in an ellipsis.
        most: Rows shown; how many are left out is said below.
    """
    forms = _forms(frame, formats or {})
    shown = frame.head(most)
    cells = [[_heading_text(name, headings or {}) for name in frame.columns]]
    cells += [[number(value, forms[name]) for name, value in zip(frame.columns, row, strict=True)] for row in shown.iter_rows()]
    cells = [[_cut(_one_line(cell), widest) for cell in row] for row in cells]
    widths = [max(map(_columns_of, column)) for column in zip(*cells, strict=True)]
    right = [forms[name] != "text" for name in frame.columns]
    lines = ["  ".join(map(_padded, row, widths, right)).rstrip() for row in cells]
    lines.insert(1, "  ".join("─" * width for width in widths))
    if frame.height > most:
        lines.append(f"… and {frame.height - most:,} more")
    return "\n".join(lines)


def _forms(frame: pl.DataFrame, formats: Mapping[str, NumberFormat]) -> dict[str, NumberFormat]:
    """The form of each column's values; everything but text is set at the right."""
    return {name: formats.get(name, _form_of(dtype)) for name, dtype in frame.schema.items()}


def _form_of(dtype: pl.DataType) -> NumberFormat:
    return "count" if dtype.is_integer() else "decimal" if dtype.is_numeric() else "text"


def _heading_text(name: str, headings: Mapping[str, str]) -> str:
    return headings.get(name, name.replace("_", " ").capitalize())


def _caption(caption: str) -> str:
    return f"<figcaption>{escape(caption)}</figcaption>" if caption else ""


def _label(caption: str) -> str:
    return attributes({"aria-label": caption or None})


def _heading(name: str, headings: Mapping[str, str], form: NumberFormat) -> str:
    kind = attributes({"class": None if form == "text" else "number", "scope": "col"})
    return f'<th{kind}><button type="button">{escape(_heading_text(name, headings))}</button></th>'


def _row(names: Sequence[str], row: Sequence[object], forms: Mapping[str, NumberFormat], meters: Sequence[str], link: str) -> str:
    cells = [_cell(value, forms[name], meter=name in meters) for name, value in zip(names, row, strict=True)]
    if link:
        cells[0] = f'<td><a href="{escape(link)}">{escape(number(row[0], forms[names[0]]))}</a></td>'
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: object, form: NumberFormat, *, meter: bool) -> str:
    if form == "text":
        return f"<td>{escape(number(value, form))}</td>"
    share = float(str(value)) if meter and value is not None else math.nan
    filled = 100 * min(max(share, 0.0), 1.0)
    drawn = "" if math.isnan(share) else f'<i class="meter"><i style="width:{filled:.1f}%"></i></i>'
    told = f"<span>{escape(number(value, form))}</span>"
    return f'<td class="number"{attributes({"data-value": value})}>{drawn}{told}</td>'


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _columns_of(text: str) -> int:
    """Columns of the terminal that a text takes: two for wide letters, none for marks that combine."""
    return sum(0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _cut(text: str, widest: int) -> str:
    if _columns_of(text) <= widest:
        return text
    kept = text
    while _columns_of(kept) > widest - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _padded(text: str, width: int, right: bool) -> str:  # noqa: FBT001 - mapped over columns
    space = " " * (width - _columns_of(text))
    return space + text if right else text + space
