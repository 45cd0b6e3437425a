"""Parallel coordinates as SVG: one upright axis for each quantity, one line for each item, coloured by how good it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.report.figures import check_parts, figure, svg
from burnish.report.lettering import shortened
from burnish.report.markup import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOP, _DEEP, _BOTTOM = 30, 220, 24
_SIDE = 8.0
_NAME = 110


@dataclass(frozen=True, slots=True)
class Axis:
    """One quantity.

    Attributes:
        values: Of each item: numbers or texts; None where it has none.
        log: Whether equal factors are equally far apart.
    """

    values: Sequence[float | str | None]
    log: bool = False


def parallel_coordinates(axes: Mapping[str, Axis], worth: Sequence[float], *, title: str, note: str = "", names: Sequence[str] = ()) -> str:
    """Lines across axes; the better an item, the stronger its line, and the best is drawn last.

    Args:
        axes: By name, from left to right; texts stand at even distances in the order of their first coming.
        worth: Of each item, the more the better; no number is drawn faintly.
        title: Caption and accessible name.
        note: A sentence below the caption.
        names: Of the items, shown where one points at them.

    Raises:
        DataError: An axis has not as many values as there are items.
    """
    check_parts(worth, {name: [0.0] * len(axis.values) for name, axis in axes.items()})
    if not worth or not axes:
        return figure(title, note, "")
    placed = [_placed(axis) for axis in axes.values()]
    across = [_SIDE + (100 - 2 * _SIDE) * (place / (len(axes) - 1) if len(axes) > 1 else 0.5) for place in range(len(axes))]
    shares = _ranks(worth)
    lines = "".join(
        _line([column[item] for column, _ in placed], across, float(shares[item]), names[item] if names else "")
        for item in sorted(range(len(worth)), key=lambda item: shares[item])
    )
    drawing = f'<svg y="{_TOP}" width="100%" height="{_DEEP}" viewBox="0 0 100 100" preserveAspectRatio="none">{lines}</svg>'
    marks = "".join(_axis(name, x, ticks) for name, x, (_, ticks) in zip(axes, across, placed, strict=True))
    description = f"{len(worth)} items over {', '.join(axes)}; the stronger a line, the better the item."
    return figure(title, note, svg(title, description, _TOP + _DEEP + _BOTTOM, drawing + marks, kind="plot"))


def _placed(axis: Axis) -> tuple[list[float], list[tuple[float, str]]]:
    """Height of each value as a share from below (no number where there is none), and what is written where."""
    texts = list(dict.fromkeys(value for value in axis.values if isinstance(value, str)))
    if texts:
        heights = {text: (number + 0.5) / len(texts) for number, text in enumerate(texts)}
        return [heights[value] if isinstance(value, str) else math.nan for value in axis.values], [(heights[text], text) for text in texts]
    numbers = np.array([math.nan if value is None else float(value) for value in axis.values])
    scaled = np.log10(numbers) if axis.log else numbers
    there = scaled[np.isfinite(scaled)]
    if not there.size:
        return [math.nan] * len(numbers), []
    low, high = float(there.min()), float(there.max())
    shares = (scaled - low) / (high - low) if high > low else np.where(np.isfinite(scaled), 0.5, math.nan)
    ends = [(0.0, low), (1.0, high)] if high > low else [(0.5, low)]
    return shares.tolist(), [(share, f"{10**value if axis.log else value:.3g}") for share, value in ends]


def _ranks(worth: Sequence[float]) -> list[float]:
    """0 for the worst to 1 for the best, by order, so that one far-off item does not make all others look alike."""
    values = np.array([value if math.isfinite(value) else -math.inf for value in worth])
    order = np.array([(values < value).sum() for value in values], float)
    return (order / max(len(values) - 1, 1)).tolist()


def _line(heights: Sequence[float], across: Sequence[float], share: float, name: str) -> str:
    path, pen_up = "", True
    for x, height in zip(across, heights, strict=True):
        if not math.isnan(height):
            path += f"{'M' if pen_up else 'L'}{x:.2f} {100 - 100 * height:.2f}"
        pen_up = math.isnan(height)
    tone = "accent" if share == 1 else "good" if share >= 0.75 else "plain"  # noqa: PLR2004 - the best quarter
    told = f"<title>{escape(name)}</title>" if name else ""
    return f'<g class="stroke-{tone}" style="opacity:{0.25 + 0.75 * share:.2f}">{told}<path d="{path}"/></g>'


def _axis(name: str, x: float, marks: Sequence[tuple[float, str]]) -> str:
    line = f'<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="{_TOP}" y2="{_TOP + _DEEP}"/>'
    drawn = [line, f'<text class="tick" x="{x:.2f}%" y="14" text-anchor="middle">{escape(shortened(name, 11, _NAME))}</text>']
    for share, text in marks:
        y = _TOP + _DEEP * (1 - share) + (-4 if share == 1 else 14 if share == 0 else 4)
        drawn.append(f'<text class="tick" x="{x:.2f}%" dx="5" y="{y:.1f}">{escape(shortened(text, 11, _NAME))}</text>')
    return "".join(drawn)
