"""Bar charts as SVG for a report's page; `plots` has histograms and lines, `heat` the heat map.

Every chart is a `<figure>` with a caption, fills the width it is given and takes its colours from the page's style, so that it
follows the light and the dark scheme. Lengths across are percentages: text keeps its size on a narrow screen. A long name ends in
an ellipsis and is whole in its tooltip.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from burnish.report.figures import check_parts, figure, legend, painted, svg
from burnish.report.lettering import text_width
from burnish.report.markup import escape
from burnish.report.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.report.figures import Tone
    from burnish.report.numbers import NumberFormat

_ROW = 26
_NAME_SIZE = 13
_USUAL_WIDTH = 420
_NARROWEST, _WIDEST = 12.0, 36.0
_VALUE = 14.0


def bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    title: str,
    note: str = "",
    form: NumberFormat = "count",
    tone: Tone = "plain",
    most: int = 40,
    longest: float | None = None,
) -> str:
    """Horizontal bars with their values, in the order given.

    Args:
        names: What each bar stands for.
        values: Lengths, at least 0; not-a-number is shown as a dash without a bar.
        title: Caption and accessible name.
        note: A sentence below the caption.
        form: How values are written.
        tone: Colour of the bars.
        most: Bars drawn; how many are left out is said below.
        longest: The value whose bar takes the whole width, so that two charts can have one scale; the longest bar when not given.

    Raises:
        DataError: There are not as many values as names.
    """
    return stacked_bars(names, {"": values}, title=title, note=note, form=form, tones=(tone,), most=most, longest=longest)


def stacked_bars(
    names: Sequence[str],
    parts: Mapping[str, Sequence[float]],
    *,
    title: str,
    note: str = "",
    form: NumberFormat = "count",
    tones: Sequence[Tone] = ("plain", "bad", "accent", "good", "soft"),
    most: int = 40,
    longest: float | None = None,
) -> str:
    """Horizontal bars of several parts one after another, their sum beside them, and a legend where parts have names.

    Raises:
        DataError: A part has not as many values as there are names.
    """
    check_parts(names, parts)
    if not names or not parts:
        return figure(title, note, "")
    drawn = [str(name) for name in names[:most]]
    table = np.array([list(values)[:most] for values in parts.values()], float)
    whole = float(np.nansum(table, axis=0).max()) or 1.0
    start = _bars_start(drawn)
    rows = [
        _bar_row(row, name, table[:, row], tuple(parts), tones, start=start, longest=longest or whole, form=form)
        for row, name in enumerate(drawn)
    ]
    keys = legend(tuple(parts), tones) if any(parts) else ""
    left_out = f'<p class="note">{len(names) - most:,} more are not drawn.</p>' if len(names) > most else ""
    description = f"{len(rows)} bars, the longest {number(whole, form)}."
    return figure(title, note, keys + svg(title, description, len(rows) * _ROW, "".join(rows), kind="bars") + left_out)


def _bars_start(names: Sequence[str]) -> float:
    """Where the bars begin, in percent of the width: behind the longest name, within limits."""
    needed = 100 * max(text_width(name, _NAME_SIZE) for name in names) / _USUAL_WIDTH + 2
    return min(max(needed, _NARROWEST), _WIDEST)


def _bar_row(
    row: int,
    name: str,
    values: NDArray[np.float64],
    labels: Sequence[str],
    tones: Sequence[Tone],
    *,
    start: float,
    longest: float,
    form: NumberFormat,
) -> str:
    ends = start + (100 - _VALUE - start) * np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))]) / longest
    told = number(None if np.isnan(values).all() else float(np.nansum(values)), form)
    several = ", ".join(f"{label} {number(value, form)}" for label, value in zip(labels, values, strict=True) if label)
    rectangles = "".join(
        f'<rect {painted(index, tones)} x="{left:.2f}%" y="5" width="{right - left:.2f}%" height="{_ROW - 10}"/>'
        for index, (left, right) in enumerate(pairwise(ends))
        if right > left
    )
    return (
        f'<svg y="{row * _ROW}" width="100%" height="{_ROW}"><title>{escape(name)}: {escape(several or told)}</title>'
        f'<rect class="row" width="100%" height="{_ROW}"/>'
        f'<foreignObject width="{start - 1.5:.1f}%" height="{_ROW}"><div class="bar-name">{escape(name)}</div></foreignObject>'
        f'{rectangles}<text class="value" x="{ends[-1]:.2f}%" dx="6" y="{_ROW / 2:g}">{escape(told)}</text></svg>'
    )
